import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteWriter, LAST_CHUNK, writeChunkHead } from "./writer.ts";

const written = (writer: ByteWriter): string => writer.bytes.toString("latin1", 0, writer.length);

test("whatever is written stands there in order, however small the buffer began", () => {
  const latin1 = fc.string({
    unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    maxLength: 200,
  });
  const size = fc.maxSafeNat();
  const step = fc.oneof(
    latin1.map((text) => ({ expected: text, run: (writer: ByteWriter) => writer.ascii(text) })),
    latin1.map((text) => ({ expected: text, run: (writer: ByteWriter) => writer.ascii(`--${text}`, 2) })),
    latin1.map((text) => ({
      expected: text,
      run: (writer: ByteWriter) => writer.copy(Buffer.from(`--${text}--`, "latin1"), 2, 2 + text.length),
    })),
    size.map((number) => ({ expected: String(number), run: (writer: ByteWriter) => writer.decimal(number) })),
    size.map((number) => ({
      expected: `${number.toString(16)}\r\n`,
      run: (writer: ByteWriter) => writeChunkHead(writer, number),
    })),
    fc.constant({ expected: "\r\n", run: (writer: ByteWriter) => writer.crlf() }),
    fc
      .nat(255)
      .map((byte) => ({ expected: String.fromCharCode(byte), run: (writer: ByteWriter) => writer.byte(byte) })),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const writer = new ByteWriter(1);
      for (const { run } of steps) run(writer);
      expect(written(writer)).toBe(steps.map(({ expected }) => expected).join(""));
    }),
  );
});

test.each([0, 9, 10, 99, 100, 65535, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER])(
  "%d is written in decimal and hexadecimal",
  (number) => {
    const writer = new ByteWriter(64);
    writer.decimal(number);
    writer.byte(32);
    writer.hexadecimal(number);
    expect(written(writer)).toBe(`${number} ${number.toString(16)}`);
  },
);

test.each(["a\u{10a}b", `${"x".repeat(100)}\u{10d}`])(
  "a character above latin1 is refused and not cut to CR or LF",
  (text) => {
    const writer = new ByteWriter(64);
    writer.ascii("before");
    expect(() => {
      writer.ascii(text);
    }).toThrow(RangeError);
    expect(written(writer)).toBe("before");
  },
);

test("reset keeps the room and forgets the bytes", () => {
  const writer = new ByteWriter(64);
  writer.ascii("x".repeat(1000));
  const { bytes } = writer;
  writer.reset();
  writer.ascii("y");
  expect(writer.bytes).toBe(bytes);
  expect(written(writer)).toBe("y");
});

test("the last chunk is a chunk of size zero and an empty trailer section", () => {
  expect(LAST_CHUNK.toString("latin1")).toBe("0\r\n\r\n");
});
