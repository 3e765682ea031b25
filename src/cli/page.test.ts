import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { labelled, plain, table, wrap } from "./page.ts";

const same = (text: string): string => text;

describe("text from outside", () => {
  test("shows control characters, C1 included, and direction overrides as escapes", () => {
    expect(plain("a\u001b[2J\u009b\u202e\u2066b\tc\nd")).toBe("a\\x1b[2J\\x9b\\u202e\\u2066b\\x09c\\x0ad");
  });

  test("keeps letters of every script", () => {
    expect(plain("größe 東京 → é")).toBe("größe 東京 → é");
  });
});

describe("wrapping", () => {
  test("loses no word and joins none", () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }),
        fc.integer({ min: 5, max: 40 }),
        (words, width) => {
          const lines = wrap(words.join(" "), width);
          expect(lines.join(" ")).toBe(words.join(" "));
          for (const line of lines) expect(line.length <= width || !line.includes(" ")).toBe(true);
        },
      ),
    );
  });

  test("a word longer than the width stays whole, so that it can be copied", () => {
    expect(wrap("see http://127.0.0.1:3000/a/long/path now", 10)).toEqual([
      "see",
      "http://127.0.0.1:3000/a/long/path",
      "now",
    ]);
  });
});

describe("labelled lines", () => {
  test("are aligned behind the longest label, continue under the text and show a repeated label once", () => {
    const rows = [
      { label: "Retry", text: "tried again" },
      { label: "Retry", text: "not tried again" },
      { label: "Evidence", text: "one two three four" },
    ];
    expect(labelled(rows, 24, same)).toEqual([
      "  Retry     tried again",
      "            not tried",
      "            again",
      "  Evidence  one two",
      "            three four",
    ]);
  });

  test("paint does not count as width", () => {
    expect(labelled([{ label: "A", text: "x" }], 40, (text) => `<${text}>`)).toEqual(["  <A>  x"]);
  });
});

test("a table's columns are as wide as their longest cell, before paint", () => {
  const rows = [[{ text: "blue" }, { text: "up", paint: (text: string) => `<${text}>` }, { text: "1" }]];
  expect(table(["pool", "state", "n"], rows, same)).toEqual(["  pool  state  n", "  blue  <up   >  1"]);
});
