import fc from "fast-check";
import { expect, test } from "vitest";
import { JsonLine, encoded } from "./json-line.ts";

function written(write: (line: JsonLine) => void): string {
  const line = new JsonLine();
  write(line);
  return line.bytes.toString("utf8", 0, line.length);
}

test("every text is a JSON string that says the same, whatever its letters are", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.string({ unit: "grapheme", minLength: 900 }));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 8 }), (texts) => {
      const line = new JsonLine();
      for (const each of texts) {
        line.begin();
        line.put(encoded("["));
        line.text(each);
        line.put(encoded("]"));
        expect(JSON.parse(line.bytes.toString("utf8", 0, line.length))).toEqual([each.toWellFormed()]);
      }
    }),
  );
});

test("what needs no care stands for itself, and what needs it is escaped", () => {
  expect(written((line) => line.text(" !#[]~"))).toBe('" !#[]~"');
  for (const special of ['"', "\\", "\u0000", "\u001f", "\n"]) {
    expect(written((line) => line.text(`a${special}b`))).toBe(JSON.stringify(`a${special}b`));
  }
  expect(written((line) => line.text("\u007f"))).toBe('"\u007f"');
  expect(written((line) => line.text("日本"))).toBe('"日本"');
});

test("whole numbers are written as JavaScript writes them", () => {
  const whole = fc.oneof(fc.integer(), fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true }));
  fc.assert(
    fc.property(whole, (value) => {
      expect(written((line) => line.whole(value))).toBe(String(Math.round(value)));
    }),
  );
  for (const value of [0, -0, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) + 1, 999_999_999, 1e9]) {
    expect(written((line) => line.whole(value))).toBe(String(value));
  }
});

test("what is no number is -1", () => {
  for (const value of [Number.NaN, Infinity, -Infinity]) expect(written((line) => line.whole(value))).toBe("-1");
});

test("a long line has its buffer for itself", () => {
  const line = new JsonLine();
  line.text("x".repeat(1_000_000));
  expect(line.length).toBe(1_000_002);
  line.begin();
  expect(line.bytes.length).toBeLessThan(100_000);
  line.text("y");
  expect(line.bytes.toString("utf8", 0, line.length)).toBe('"y"');
});
