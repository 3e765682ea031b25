import { createServer, connect } from "node:http2";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FIELD } from "../http1/field-ids.ts";
import { ByteWriter } from "../http1/writer.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { HpackEncoder, Span } from "./hpack-encoder.ts";

type Pair = readonly [name: string, value: string];

function decode(decoder: HpackDecoder, block: Buffer): Pair[] | null {
  const pairs: Pair[] = [];
  const ok = decoder.decode(block, 0, block.length, { onField: ({ name, value }) => pairs.push([name, value]) });
  return ok ? pairs : null;
}

function encode(encoder: HpackEncoder, pairs: readonly Pair[]): Buffer {
  const writer = new ByteWriter(64);
  encoder.begin(writer);
  for (const [name, value] of pairs) {
    const bytes = Buffer.from(name + value, "latin1");
    const id = name.toLowerCase() === "set-cookie" ? FIELD.SET_COOKIE : FIELD.OTHER;
    encoder.field(writer, id, span(bytes, 0, name.length), span(bytes, name.length, bytes.length));
  }
  return Buffer.from(writer.bytes.subarray(0, writer.length));
}

function span(bytes: Buffer, start: number, end: number): Span {
  return new Span().set(bytes, start, end);
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");

describe("the examples of RFC 7541, Appendix C", () => {
  test("C.4: three requests in Huffman's code, each on the table that the one before has left", () => {
    const decoder = new HpackDecoder();
    const first: Pair[] = [
      [":method", "GET"],
      [":scheme", "http"],
      [":path", "/"],
      [":authority", "www.example.com"],
    ];
    expect(decode(decoder, hex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"))).toEqual(first);
    expect(decode(decoder, hex("8286 84be 5886 a8eb 1064 9cbf"))).toEqual([...first, ["cache-control", "no-cache"]]);
    expect(decode(decoder, hex("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf"))).toEqual([
      [":method", "GET"],
      [":scheme", "https"],
      [":path", "/index.html"],
      [":authority", "www.example.com"],
      ["custom-key", "custom-value"],
    ]);
  });

  test("C.2.3: a field that is never indexed is read like any other", () => {
    expect(decode(new HpackDecoder(), hex("1008 7061 7373 776f 7264 0673 6563 7265 74"))).toEqual([
      ["password", "secret"],
    ]);
  });
});

test.each([
  ["an index of nothing", "80"],
  ["an index behind the table", "be"],
  ["a number without an end", "7fffffffffffff"],
  ["a number that goes on behind the block", "ff"],
  ["a text longer than the block", "4003 61"],
  ["a name without a value", "4001 61"],
  ["Huffman's code with the end symbol in it", "4001 6184 ffff fffc"],
  ["Huffman's code that ends in more than seven bits", "4001 6182 1fff"],
  ["Huffman's code that ends in a zero", "4001 6181 18"],
  ["a table larger than was allowed", "3fe2 1f"],
  ["a change of the table's size behind a field", "8220"],
])("refuses %s", (_what, block) => {
  expect(decode(new HpackDecoder(), hex(block))).toBeNull();
});

test("a table that is made smaller forgets, and larger again is empty", () => {
  const decoder = new HpackDecoder();
  expect(decode(decoder, hex("4001 6101 62"))).toEqual([["a", "b"]]);
  expect(decode(decoder, hex("be"))).toEqual([["a", "b"]]);
  expect(decode(decoder, hex("20 3fe1 1f"))).toEqual([]);
  expect(decode(decoder, hex("be"))).toBeNull();
});

test("a field that comes again costs one byte from the third time on", () => {
  const encoder = new HpackEncoder();
  const sizes = [0, 1, 2, 3].map(() => encode(encoder, [["Server", "goodgate"]]).length);
  expect(sizes).toEqual([17, 17, 1, 1]);
});

test("a cookie never enters the table", () => {
  const encoder = new HpackEncoder();
  for (let i = 0; i < 4; i += 1) expect(encode(encoder, [["Set-Cookie", "id=1"]])[0]).toBe(0x1f);
});

test("a table that the peer makes smaller is said so, smallest size first", () => {
  const encoder = new HpackEncoder();
  encoder.resize(0);
  encoder.resize(100);
  expect(encode(encoder, [["a", "b"]]).subarray(0, 3)).toEqual(hex("20 3f 45"));
});

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
const value = fc.oneof(fc.string({ maxLength: 80 }), fc.constantFrom("", "x", "y".repeat(900), "gzip, br"));

test("what is encoded is decoded, whatever came before on the connection", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.array(fc.tuple(name, value), { maxLength: 12 }), fc.option(fc.nat(5000))), {
        maxLength: 20,
      }),
      (blocks) => {
        const encoder = new HpackEncoder();
        const decoder = new HpackDecoder();
        for (const [pairs, resize] of blocks) {
          if (resize !== null) encoder.resize(resize);
          const latin = pairs.map(([n, v]): Pair => [n, v.replaceAll(/[^\0-\xff]/g, "?")]);
          expect(decode(decoder, encode(encoder, latin))).toEqual(latin);
        }
      },
    ),
  );
});

test("bytes that are no header block never throw", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 })), (blocks) => {
      const decoder = new HpackDecoder();
      for (const block of blocks) decode(decoder, Buffer.from(block));
    }),
  );
});

test("reads what nghttp2 writes, of every byte that a value can have", async () => {
  // What a client of Node sends is looked at on its way: its code and its table are nghttp2's.
  const seen: Pair[][] = [];
  const sent: string[] = [];
  const decoder = new HpackDecoder();
  const { createServer: createTcp, connect: connectTcp } = await import("node:net");
  const server = createServer();
  server.on("stream", (stream) => {
    stream.respond({ ":status": 200 }, { endStream: true });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const between = createTcp((client) => {
    const onward = connectTcp((server.address() as AddressInfo).port, "127.0.0.1");
    let bytes = Buffer.alloc(0);
    let skip = 24;
    client.on("data", (chunk) => {
      onward.write(chunk);
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < skip) return;
      bytes = bytes.subarray(skip);
      skip = 0;
      while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
        const length = bytes.readUIntBE(0, 3);
        const isPrioritised = ((bytes[4] ?? 0) & 0x20) !== 0;
        if (bytes[3] === 1) seen.push(decode(decoder, bytes.subarray(isPrioritised ? 14 : 9, 9 + length)) ?? []);
        bytes = bytes.subarray(9 + length);
      }
    });
    onward.on("data", (chunk) => client.write(chunk));
    onward.on("close", () => client.destroy());
    client.on("close", () => onward.destroy());
  });
  await new Promise<void>((resolve) => between.listen(0, "127.0.0.1", resolve));
  const session = connect(`http://127.0.0.1:${(between.address() as AddressInfo).port}`);
  for (let from = 0x20; from < 0x100; from += 8) {
    const codes = Array.from({ length: 8 }, (_, i) => from + i).filter((code) => code !== 0x7f);
    const value = `x${String.fromCharCode(...codes)}${"e".repeat(from % 7)}x`;
    sent.push(value);
    await new Promise<void>((resolve, reject) => {
      const stream = session.request({ ":path": "/", "x-text": value, "x-same": "always" });
      stream.on("error", reject).on("close", resolve).resume();
    });
  }
  session.close();
  await Promise.all([
    new Promise((resolve) => server.close(resolve)),
    new Promise((resolve) => between.close(resolve)),
  ]);
  expect(seen.map((pairs) => pairs.find(([n]) => n === "x-text")?.[1])).toEqual(sent);
  expect(seen.every((pairs) => pairs.some(([n, v]) => n === "x-same" && v === "always"))).toBe(true);
});
