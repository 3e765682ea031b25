import fc from "fast-check";
import { expect, test } from "vitest";
import { LineBuffer } from "./line-buffer.ts";

const BLOCK = 64 * 1024;

function take(lines: LineBuffer, most = Infinity): string {
  const piece = lines.first();
  if (piece === null) return "";
  const bytes = Math.min(most, piece.to - piece.from);
  const text = Buffer.from(piece.bytes.subarray(piece.from, piece.from + bytes));
  lines.taken(bytes);
  return text.toString("latin1");
}

test("lines come out as they went in, whatever is taken at a time and however long they are", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          {
            weight: 4,
            arbitrary: fc.record({ text: fc.string({ unit: "grapheme", maxLength: 40 }), times: fc.constant(1) }),
          },
          // Longer than a block.
          {
            weight: 1,
            arbitrary: fc.record({ text: fc.string({ minLength: 1, maxLength: 9 }), times: fc.constant(9_000) }),
          },
        ),
        { maxLength: 12 },
      ),
      fc.array(fc.integer({ min: 1, max: 100_000 }), { minLength: 1, maxLength: 12 }),
      (entries, sizes) => {
        const buffer = new LineBuffer(64 * BLOCK);
        let written = "";
        let read = "";
        for (const [index, { text, times }] of entries.entries()) {
          const line = `${text.repeat(times).replaceAll("\n", "")}\n`;
          expect(buffer.append(line)).toBe(true);
          written += line;
          read += take(buffer, sizes[index % sizes.length] ?? 1);
        }
        for (let rest = take(buffer); rest !== ""; rest = take(buffer)) read += rest;
        expect(Buffer.from(read, "latin1").toString()).toBe(Buffer.from(written).toString());
        expect(buffer.first()).toBe(null);
      },
    ),
    { numRuns: 60 },
  );
});

test("what does not fit is refused whole, and what was taken makes room again", () => {
  const buffer = new LineBuffer(2 * BLOCK);
  const line = `${"x".repeat(999)}\n`;
  let kept = 0;
  while (buffer.append(line)) kept += 1;
  expect(kept).toBe(Math.floor((2 * BLOCK) / 1_000));
  expect(buffer.append(line)).toBe(false);
  expect(buffer.batchReady).toBe(true);
  take(buffer);
  expect(buffer.append(line)).toBe(true);
});

test("a bound smaller than a block is kept too", () => {
  const buffer = new LineBuffer(100);
  expect(buffer.append(`${"x".repeat(60)}\n`)).toBe(true);
  expect(buffer.append(`${"x".repeat(60)}\n`)).toBe(false);
  expect(buffer.append(`${"x".repeat(38)}\n`)).toBe(true);
  expect(buffer.discard()).toBe(2);
});

test("a line that is longer as bytes than as text is not cut at the end of a block", () => {
  for (let gap = 0; gap < 40; gap += 1) {
    const buffer = new LineBuffer(4 * BLOCK);
    const filler = `${"x".repeat(BLOCK - gap - 1)}\n`;
    buffer.append(filler);
    expect(buffer.append("日本語日本語\n")).toBe(true);
    let read = "";
    for (let rest = take(buffer); rest !== ""; rest = take(buffer)) read += rest;
    expect(Buffer.from(read, "latin1").toString()).toBe(`${filler}日本語日本語\n`);
  }
});

test("the rest of a line that was partly taken can be left out, over blocks too", () => {
  const buffer = new LineBuffer(4 * BLOCK);
  buffer.append("first\n");
  buffer.append(`${"long".repeat(30_000)}\n`);
  buffer.append("last\n");
  expect(take(buffer, 6)).toBe("first\n");
  expect(buffer.skipRestOfLine()).toBe(false);
  expect(take(buffer, 4)).toBe("long");
  expect(buffer.skipRestOfLine()).toBe(true);
  expect(take(buffer)).toBe("last\n");
  expect(buffer.first()).toBe(null);
});

test("discarding tells how many lines are lost, a partly taken one included", () => {
  const buffer = new LineBuffer(BLOCK);
  for (let count = 0; count < 5; count += 1) buffer.append("line\n");
  take(buffer, 7);
  expect(buffer.discard()).toBe(4);
  expect(buffer.first()).toBe(null);
});
