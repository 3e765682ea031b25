import fc from "fast-check";
import { expect, test } from "vitest";
import { LineBuffer } from "./line-buffer.ts";

const BLOCK = 64 * 1024;
const NEWLINE = 10;

/** The bytes after it are another line's. */
function append(lines: LineBuffer, line: string): boolean {
  return lines.append(Buffer.from(`${line}rest`), Buffer.byteLength(line));
}

function take(lines: LineBuffer, most = Infinity): string {
  const waiting = Buffer.concat(lines.waiting());
  const bytes = Math.min(most, waiting.length);
  lines.taken(bytes);
  return waiting.toString("latin1", 0, bytes);
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
          expect(append(buffer, line)).toBe(true);
          written += line;
          for (const piece of buffer.waiting()) expect(piece.at(-1)).toBe(NEWLINE);
          read += take(buffer, sizes[index % sizes.length] ?? 1);
          expect(buffer.midLine).toBe(read !== "" && !read.endsWith("\n"));
        }
        read += take(buffer);
        expect(Buffer.from(read, "latin1").toString()).toBe(Buffer.from(written).toString());
        expect(buffer.empty).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test("what does not fit is refused whole, and what was taken makes room again", () => {
  const buffer = new LineBuffer(2 * BLOCK);
  const line = `${"x".repeat(999)}\n`;
  let kept = 0;
  while (append(buffer, line)) kept += 1;
  expect(kept).toBe(2 * Math.floor(BLOCK / 1_000));
  expect(append(buffer, line)).toBe(false);
  expect(buffer.batchReady).toBe(true);
  take(buffer, BLOCK);
  expect(append(buffer, line)).toBe(true);
});

test("a line larger than a block counts with its own size, and leaves no memory behind", () => {
  const buffer = new LineBuffer(3 * BLOCK);
  const large = `${"x".repeat(2 * BLOCK)}\n`;
  expect(append(buffer, "small\n")).toBe(true);
  expect(append(buffer, large)).toBe(false);
  expect(take(buffer)).toBe("small\n");
  expect(append(buffer, large)).toBe(true);
  expect(append(buffer, "small\n")).toBe(false);
  expect(take(buffer)).toBe(large);
  let kept = 0;
  while (append(buffer, `${"x".repeat(BLOCK - 1)}\n`)) kept += 1;
  expect(kept).toBe(3);
});

test("a bound smaller than a block is kept too", () => {
  const buffer = new LineBuffer(100);
  expect(append(buffer, `${"x".repeat(60)}\n`)).toBe(true);
  expect(append(buffer, `${"x".repeat(60)}\n`)).toBe(false);
  expect(append(buffer, `${"x".repeat(38)}\n`)).toBe(true);
  expect(buffer.discard()).toBe(2);
});

test("a line that is longer as bytes than as text is not cut at the end of a block", () => {
  for (let gap = 0; gap < 40; gap += 1) {
    const buffer = new LineBuffer(4 * BLOCK);
    const filler = `${"x".repeat(BLOCK - gap - 1)}\n`;
    append(buffer, filler);
    expect(append(buffer, "日本語日本語\n")).toBe(true);
    const read = buffer.waiting().map((piece) => piece.toString());
    // Its 19 bytes follow in the same block exactly when they have room there.
    expect(read).toEqual(gap >= 19 ? [`${filler}日本語日本語\n`] : [filler, "日本語日本語\n"]);
  }
});

test("a line that was partly taken can be had again from its beginning", () => {
  const buffer = new LineBuffer(4 * BLOCK);
  const long = `${"long".repeat(30_000)}\n`;
  append(buffer, "first\n");
  append(buffer, "second\n");
  append(buffer, long);
  append(buffer, "last\n");
  expect(take(buffer, 3)).toBe("fir");
  expect(Buffer.concat(buffer.oldestLine()).toString()).toBe("st\n");
  buffer.restoreLine();
  expect(Buffer.concat(buffer.oldestLine()).toString()).toBe("first\n");
  expect(take(buffer, 6)).toBe("first\n");
  buffer.restoreLine();
  expect(take(buffer, 9)).toBe("second\nlo");
  buffer.restoreLine();
  expect(take(buffer)).toBe(`${long}last\n`);
  expect(buffer.oldestLine()).toEqual([]);
  buffer.restoreLine();
  expect(buffer.empty).toBe(true);
});

test("discarding tells how many lines are lost, a partly taken one included", () => {
  const buffer = new LineBuffer(BLOCK);
  for (let count = 0; count < 5; count += 1) append(buffer, "line\n");
  take(buffer, 7);
  expect(buffer.discard()).toBe(4);
  expect(buffer.empty).toBe(true);
});
