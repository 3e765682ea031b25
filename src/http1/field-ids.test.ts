import fc from "fast-check";
import { expect, test } from "vitest";
import { FIELD, FIELD_NAMES, fieldIdOf } from "./field-ids.ts";
import { isToken } from "./grammar.ts";

const idOf = (name: string): number => {
  const bytes = Buffer.from(`: ${name}: `, "latin1");
  return fieldIdOf(bytes, 2, 2 + name.length);
};

test("every name is recognised in every case", () => {
  for (const [key, id] of Object.entries(FIELD)) {
    if (id === FIELD.OTHER) continue;
    const name = FIELD_NAMES[id] ?? "";
    expect(name.replaceAll("-", "_").toUpperCase()).toBe(key);
    expect([name, name.toUpperCase(), name.replace(/^./, (letter) => letter.toUpperCase())].map(idOf)).toEqual([
      id,
      id,
      id,
    ]);
  }
});

test("no name is recognised with one byte changed, added or left out", () => {
  const known = new Set(FIELD_NAMES);
  for (const name of FIELD_NAMES.slice(1)) {
    for (let at = 0; at < name.length; at += 1) {
      for (const other of ["x", "_", "^", "~", "0", ""]) {
        const changed = name.slice(0, at) + other + name.slice(at + 1);
        if (!known.has(changed) && changed !== "") expect(idOf(changed), changed).toBe(FIELD.OTHER);
      }
    }
    expect([idOf(`${name}x`), idOf(`x${name}`)]).toEqual([FIELD.OTHER, FIELD.OTHER]);
  }
});

test("any other token is another field", () => {
  const unit = fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code));
  fc.assert(
    fc.property(fc.string({ unit: unit.filter(isToken), minLength: 1 }), (name) => {
      fc.pre(!FIELD_NAMES.includes(name.toLowerCase()));
      expect(idOf(name)).toBe(FIELD.OTHER);
    }),
  );
});

test("ids fit the sets in which the head keeps them", () => {
  expect(FIELD_NAMES.length).toBeLessThanOrEqual(64);
});
