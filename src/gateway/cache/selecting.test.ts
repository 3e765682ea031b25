import fc from "fast-check";
import { expect, it } from "vitest";
import { fits, sameSelection, SELECTING_MAX, selectingOf } from "./selecting.ts";
import type { Selector } from "./selecting.ts";

type Fields = Readonly<Record<string, string>>;

function select(vary: string, stored: Fields, asked: Fields, language: string | null = null): boolean {
  const selecting = selectingOf(vary, selector(stored));
  return selecting !== null && fits(selecting, language, selector(asked));
}

function selector(fields: Fields, seen = ""): Selector {
  return { seen, fieldOf: (name) => fields[name] ?? null };
}

it.each([
  ["x", { x: "1, 2" }, { x: " 1,2 " }, true],
  ["x", { x: "1" }, { x: "2" }, false],
  ["x", { x: "A" }, { x: "a" }, false],
  ["x", {}, {}, true],
  ["x", {}, { x: "" }, false],
  ["x", { x: '"a, b"' }, { x: '"a,b"' }, false],
  ["X , y", { x: "1", y: "2" }, { y: "2", x: "1", z: "3" }, true],
  ["accept-encoding", { "accept-encoding": "gzip, br" }, { "accept-encoding": "BR;q=1.0 ,gzip" }, true],
  ["accept-encoding", { "accept-encoding": "gzip" }, { "accept-encoding": "gzip;q=0" }, false],
  ["accept-language", { "accept-language": "en, de;q=0.5" }, { "accept-language": "de;q=0.5,en" }, true],
  ["accept-language", { "accept-language": "en, de;q=0.5" }, { "accept-language": "en;q=0.5,de" }, false],
] as const)("Vary %s: %j and %j are one variant: %s", (vary, stored, asked, same) => {
  expect(select(vary, stored, asked)).toBe(same);
});

it("a response in the language that a client wants before all others fits", () => {
  const stored = { "accept-language": "en, de" };
  expect(select("accept-language", stored, { "accept-language": "fr;q=0.5, de" }, "de")).toBe(true);
  expect(select("accept-language", stored, { "accept-language": "fr, de" }, "de")).toBe(false);
  expect(select("accept-language", stored, { "accept-language": "de;q=0.5, fr" }, "de")).toBe(false);
  expect(select("accept-language", stored, { "accept-language": "fr;q=0.5, de" }, "de, en")).toBe(false);
});

it("what varies by more than anybody would share is not stored", () => {
  const names = Array.from({ length: SELECTING_MAX + 1 }, (_, index) => `x-${index}`);
  expect(selectingOf(names.join(","), selector({}))).toBeNull();
});

it("what a trusted proxy says of the URL selects, whatever the response says of it", () => {
  for (const vary of [null, "x", "x-forwarded-proto"]) {
    const [plain, secure] = [selectingOf(vary, selector({})), selectingOf(vary, selector({}, "https://"))];
    if (plain === null || secure === null) throw new Error(`not stored with Vary: ${vary}`);
    expect(sameSelection(plain, secure)).toBe(false);
    expect(fits(plain, null, selector({}, "https://"))).toBe(false);
    expect(fits(secure, null, selector({}, "https://"))).toBe(true);
  }
});

it("a request always fits the response that it got itself", () => {
  const value = fc.string({ maxLength: 30 });
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom("accept", "accept-language", "cookie", "x"), { minLength: 1 }),
      fc.dictionary(fc.constantFrom("accept", "accept-language", "cookie", "x"), value),
      (names, fields) => {
        expect(select(names.join(", "), fields, { ...fields })).toBe(true);
      },
    ),
  );
});
