import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { logOf } from "../../test/wire/event-log.ts";
import { isFieldValue, isTarget, isToken } from "./grammar.ts";
import type { MessageHead } from "./head.ts";
import { RequestParser, ResponseParser } from "./parser.ts";
import type { MessageLimits } from "./parser.ts";
import { serialiseRequest, serialiseResponse } from "./serialise.ts";
import type { Content, Field } from "./serialise.ts";

const LIMITS: MessageLimits = {
  headBytes: 65536,
  fields: 200,
  lineBytes: 16384,
  chunkExtensionBytes: 64,
  trailerBytes: 65536,
};
const NO_CONTENT: Content = { kind: "none" };

const characters = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => String.fromCharCode(from + index));
const word = (allowed: (text: string) => boolean, minLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...characters(0, 255).filter(allowed)), minLength, maxLength: 20 });

const token = word(isToken, 1);
/** Not a field that means something for the framing or the host. */
const name = token.map((text) => `x-${text}`);
const value = word((text) => isFieldValue(`a${text}a`), 0).filter(isFieldValue);
const field: fc.Arbitrary<Field> = fc.tuple(name, value);
const target = word((text) => isTarget(`/${text}`) && text !== "?", 0).map((text) => `/${text}`);
const bytes = fc.uint8Array({ maxLength: 50 }).map((array) => Buffer.from(array));
const sized: fc.Arbitrary<Content> = fc.oneof(
  fc.constant(NO_CONTENT),
  bytes.map((content): Content => ({ kind: "length", bytes: content })),
  fc
    .tuple(fc.array(bytes, { maxLength: 4 }), fc.array(field, { maxLength: 3 }))
    .map(([chunks, trailers]): Content => ({ kind: "chunked", chunks, trailers })),
);

describe("what is serialised is parsed as it was meant", () => {
  test("requests, cut anywhere", () => {
    fc.assert(
      fc.property(
        token,
        target,
        fc.array(field, { maxLength: 8 }),
        sized,
        fc.nat(),
        (method, path, fields, content, cut) => {
          fc.pre(method !== "CONNECT" && method !== "TRACE");
          const message = serialiseRequest({ method, target: path, fields: [["Host", "a"], ...fields], content });
          const seen = new Collector();
          const parser = new RequestParser(LIMITS, seen);
          feed(parser, message, cut % (message.length + 1));
          expect(seen.refusal).toBeNull();
          expect(seen.ends).toBe(1);
          expect(seen.start).toBe(`${method} ${path}`);
          expect(seen.fields.filter(([name]) => name.startsWith("x-"))).toEqual(fields);
          expect(seen.content).toEqual(contentOf(content));
          if (content.kind === "chunked")
            expect(parser.trailers ?? []).toEqual(content.trailers.map(([name, value]) => ({ name, value })));
          expect(parser.finish()).toBeNull();
        },
      ),
    );
  });

  test("responses, cut anywhere", () => {
    const status = fc.integer({ min: 200, max: 599 }).filter((code) => ![204, 205, 304].includes(code));
    const content = fc.oneof(
      sized.filter(({ kind }) => kind !== "none"),
      bytes.map((all): Content => ({ kind: "close", bytes: all })),
    );
    fc.assert(
      fc.property(
        status,
        value,
        fc.array(field, { maxLength: 8 }),
        content,
        fc.nat(),
        (code, reason, fields, body, cut) => {
          const message = serialiseResponse({ status: code, reason, fields, content: body });
          const seen = new Collector();
          const parser = new ResponseParser(LIMITS, seen);
          parser.expect("GET");
          feed(parser, message, cut % (message.length + 1));
          expect(parser.finish()).toBeNull();
          expect(seen.refusal).toBeNull();
          expect(seen.ends).toBe(1);
          expect(seen.start).toBe(`${code} ${reason}`);
          expect(seen.fields.filter(([name]) => name.startsWith("x-"))).toEqual(fields);
          expect(seen.content).toEqual(contentOf(body));
        },
      ),
    );
  });

  test("a declared length is written without content", () => {
    const message = serialiseResponse({
      status: 304,
      reason: "Not Modified",
      fields: [],
      content: { kind: "declared", length: 7 },
    });
    expect(message.toString("latin1")).toBe("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
  });

  test("an empty chunk does not end the message early", () => {
    const chunks = [Buffer.from("a"), Buffer.alloc(0), Buffer.from("b")];
    const message = serialiseRequest({
      method: "PUT",
      target: "/",
      fields: [["Host", "a"]],
      content: { kind: "chunked", chunks, trailers: [] },
    });
    expect(logOf({ kind: "request", methods: [], bytes: message.toString("latin1") }, [])).toContain('body "ab"');
  });
});

describe("what would not be a valid message is refused", () => {
  const request = (change: object) => () =>
    serialiseRequest({ method: "GET", target: "/", fields: [], content: NO_CONTENT, ...change });
  const response = (change: object) => () =>
    serialiseResponse({ status: 200, reason: "OK", fields: [], content: NO_CONTENT, ...change });

  test.each([
    ["a method with a space", request({ method: "GET /x" })],
    ["an empty method", request({ method: "" })],
    ["a target with a space", request({ target: "/a b" })],
    ["a target with a line end", request({ target: "/\r\nX: y" })],
    ["a target with a character above latin1", request({ target: "/\u{10a}" })],
    ["an empty target", request({ target: "" })],
    ["a name with a space", request({ fields: [["a b", ""]] })],
    ["a value with a line end", request({ fields: [["a", "b\r\nc: d"]] })],
    ["a value with a character whose low byte is LF", request({ fields: [["a", "b\u{10a}c"]] })],
    ["a value with NUL", request({ fields: [["a", "\0"]] })],
    ["a value with whitespace at its end", request({ fields: [["a", "b "]] })],
    ["a length as a field", request({ fields: [["content-LENGTH", "5"]] })],
    ["a coding as a field", request({ fields: [["Transfer-Encoding", "chunked"]] })],
    [
      "a length as a trailer",
      request({ content: { kind: "chunked", chunks: [], trailers: [["Content-Length", "5"]] } }),
    ],
    ["a request until close", request({ content: { kind: "close", bytes: Buffer.alloc(0) } })],
    ["a negative length", response({ content: { kind: "declared", length: -1 } })],
    ["a length with a fraction", response({ content: { kind: "declared", length: 1.5 } })],
    ["a status of two digits", response({ status: 99 })],
    ["a status of 600", response({ status: 600 })],
    ["a reason with a line end", response({ reason: "OK\r\n" })],
  ])("%s", (_what, make) => {
    expect(make).toThrow(TypeError);
  });
});

class Collector {
  start = "";
  fields: Field[] = [];
  ends = 0;
  refusal: string | null = null;
  readonly #content: Buffer[] = [];

  get content(): string {
    return Buffer.concat(this.#content).toString("latin1");
  }

  onHead(head: MessageHead): void {
    const text = (start: number, end: number): string => head.bytes.toString("latin1", start, end);
    this.start =
      head.status === 0
        ? `${head.method} ${text(head.targetStart, head.targetEnd)}`
        : `${head.status} ${text(head.reasonStart, head.reasonEnd)}`;
    for (let index = 0; index < head.fieldCount; index += 1) this.fields.push([head.name(index), head.value(index)]);
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#content.push(Buffer.from(bytes.subarray(start, end)));
  }

  onEnd(): void {
    this.ends += 1;
  }

  onRefusal(id: string): void {
    this.refusal = id;
  }
}

function feed(parser: RequestParser | ResponseParser, message: Buffer, cut: number): void {
  for (const piece of [message.subarray(0, cut), message.subarray(cut)]) {
    const shared = Buffer.from(piece);
    expect(parser.execute(shared, 0, shared.length)).toBe(shared.length);
    shared.fill(0);
  }
}

function contentOf(content: Content): string {
  if (content.kind === "chunked") return Buffer.concat(content.chunks).toString("latin1");
  return content.kind === "length" || content.kind === "close" ? content.bytes.toString("latin1") : "";
}
