/** Every case of the corpus: in one piece, byte by byte, and cut at every single place. The events must be the same. */
import path from "node:path";
import { describe, expect, test } from "vitest";
import { readCorpus } from "./corpus.ts";
import type { Expectation, WireCase } from "./corpus.ts";
import { logOf } from "./event-log.ts";
import { REFUSALS } from "../../src/http1/refusals.ts";

const FILES = readCorpus(path.join(import.meta.dirname));

describe.each(FILES)("$name", ({ cases }) => {
  test.each(cases)("$title", (wire) => {
    const whole = logOf(wire, []);
    check(whole, wire.expected);
    expect(logOf(wire, everyOffset(wire)), "byte by byte").toEqual(whole);
    const same = whole.join("\n");
    for (const offset of everyOffset(wire)) {
      const cut = logOf(wire, [offset]);
      // An assertion for each of 100 000 cuts would take longer than all the parsing.
      if (cut.join("\n") !== same) expect(cut, `cut at ${offset}`).toEqual(whole);
    }
  });
});

describe("the corpus as a whole", () => {
  test("has at least 400 cases, and no title twice in a file", () => {
    const titles = FILES.map((file) => file.cases.map((one) => one.title));
    expect(titles.flat().length).toBeGreaterThanOrEqual(400);
    for (const names of titles) expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test("meets every refusal that there is", () => {
    const met = new Set(
      FILES.flatMap((file) => file.cases)
        .flatMap((wire) => logOf(wire, []))
        .map((line) => line.replace(/^(?:refused|finish) /, "")),
    );
    // Those of HTTP/2 are met in src/http2/request-head.test.ts and beside it.
    expect(Object.keys(REFUSALS).filter((id) => !met.has(id) && !id.startsWith("h2-"))).toEqual([]);
  });
});

function check(log: readonly string[], expected: Expectation): void {
  if (expected.kind === "log") {
    const compared = expected.fields ? log : log.filter((line) => !line.startsWith("  "));
    expect(compared).toEqual(expected.lines);
    return;
  }
  for (const claim of expected.claims) {
    if (claim === "accepted") {
      expect(log.at(-1), log.join("\n")).toMatch(/^finish clean$|^tunnel/);
      expect(log.filter((line) => /^end|^tunnel/.test(line)).length, log.join("\n")).toBeGreaterThan(0);
    } else if (claim.startsWith("refused ")) {
      expect(log.at(-1), log.join("\n")).toBe(claim);
      expect(log, "nothing was complete before it").not.toContain("end");
    } else expect(log.join("\n")).toContain(claim.replaceAll("\\n", "\n"));
  }
}

/** Where to cut: everywhere, but in the one or two long cases at every second or third byte. */
function everyOffset(wire: WireCase): number[] {
  const step = Math.ceil(wire.bytes.length / 1400);
  return Array.from({ length: Math.max(0, Math.ceil(wire.bytes.length / step) - 1) }, (_, index) => (index + 1) * step);
}
