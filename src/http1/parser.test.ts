import { describe, expect, test } from "vitest";
import { FIELD } from "./field-ids.ts";
import type { MessageHead } from "./head.ts";
import { RequestParser, ResponseParser } from "./parser.ts";
import type { MessageEvents, MessageLimits } from "./parser.ts";

const LIMITS: MessageLimits = {
  headBytes: 4096,
  fields: 100,
  lineBytes: 1024,
  chunkExtensionBytes: 64,
  trailerBytes: 1024,
};
const GET = "GET /a?b HTTP/1.1\r\nHost: shop\r\nX-A: 1\r\nCookie: c=1\r\nx-a: 2\r\nCookie: d=2\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
const CHUNKED = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n";

/** Writes events down in short; `then` runs inside each. */
function recorder(then: Partial<MessageEvents> = {}): MessageEvents & { events: string[] } {
  const events: string[] = [];
  return {
    events,
    onHead(head) {
      events.push(`head ${head.method || head.status}`);
      then.onHead?.(head);
    },
    onBody(bytes, start, end) {
      events.push(`body ${bytes.toString("latin1", start, end)}`);
      then.onBody?.(bytes, start, end);
    },
    onEnd() {
      events.push("end");
      then.onEnd?.();
    },
    onRefusal(id) {
      events.push(`refused ${id}`);
      then.onRefusal?.(id);
    },
  };
}

function requestParser(then: Partial<MessageEvents> = {}): { parser: RequestParser; events: string[] } {
  const handlers = recorder(then);
  return { parser: new RequestParser(LIMITS, handlers), events: handlers.events };
}

const latin1 = (text: string): Buffer => Buffer.from(text, "latin1");

/** What a handler sees of the head of `text`. */
function headOf<Seen>(text: string, look: (head: MessageHead) => Seen): Seen | undefined {
  let seen: Seen | undefined;
  const { parser } = requestParser({
    onHead(head) {
      seen = look(head);
    },
  });
  const bytes = latin1(text);
  parser.execute(bytes, 0, bytes.length);
  return seen;
}

describe("a head", () => {
  test("is found by id, by name, and once for each of several fields", () => {
    headOf(GET, (head) => {
      expect(head.valueOf(FIELD.HOST)).toBe("shop");
      expect(head.valueOf(FIELD.VIA)).toBeNull();
      expect(head.get("x-a")).toBe("1");
      expect(head.get("X-A"), "names are asked for in lower case").toBeNull();
      expect([head.get("x-b"), head.get("x"), head.get("x-ab")]).toEqual([null, null, null]);
      const first = head.find(FIELD.COOKIE);
      const second = head.next(first);
      expect([head.value(first), head.value(second), head.next(second)]).toEqual(["c=1", "d=2", -1]);
      expect(head.bytes.toString("latin1", head.pathStart, head.pathEnd)).toBe("/a");
      expect(head.bytes.toString("latin1", head.lineStart(1), head.lineEnd(2))).toBe("X-A: 1\r\nCookie: c=1\r\n");
    });
    expect.assertions(8);
  });

  test("grows beyond the forty fields for which there is room at first", () => {
    const lines = Array.from({ length: 99 }, (_, index) => `X-${index}: ${index}\r\n`).join("");
    const last = headOf(`GET / HTTP/1.1\r\n${lines}Host: a\r\n\r\n`, (head) => [
      head.fieldCount,
      head.get("x-98"),
      head.valueOf(FIELD.HOST),
    ]);
    expect(last).toEqual([100, "98", "a"]);
  });

  test("says whether a length was written plainly", () => {
    const plain = (value: string): boolean | undefined =>
      headOf(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${value}\r\n\r\n`, (head) => head.contentLengthPlain);
    expect(["5", "0", "10"].map(plain)).toEqual([true, true, true]);
    expect(["05", "00", " 5", "5 ", "\t5", "5\t"].map(plain)).toEqual([false, false, false, false, false, false]);
  });

  test("shares the strings of usual methods", () => {
    const methods = new Set(
      ["PATCH", "PATCH"].map((method) => headOf(`${method} / HTTP/1.1\r\nHost: a\r\n\r\n`, (head) => head.method)),
    );
    expect(methods.size).toBe(1);
  });

  test("forgets its fields when the handler returns, and keeps what is plain data", () => {
    const { parser } = requestParser();
    const bytes = latin1(GET);
    parser.execute(bytes, 0, bytes.length);
    const { head } = parser;
    expect([head.fieldCount, head.find(FIELD.HOST), head.get("x-a"), head.bytes.length]).toEqual([0, -1, null, 0]);
    expect([head.method, head.minorVersion, head.keepAlive, head.framing]).toEqual(["GET", 1, true, "none"]);
  });

  test("is parsed by two parsers at once without mixing them up", () => {
    const inner = requestParser();
    const outer = requestParser({
      onHead(head) {
        const bytes = latin1("PUT /other HTTP/1.1\r\nHost: other\r\n\r\n");
        inner.parser.execute(bytes, 0, bytes.length);
        expect(head.valueOf(FIELD.HOST)).toBe("shop");
      },
    });
    const bytes = latin1(GET);
    outer.parser.execute(bytes, 0, bytes.length);
    expect([outer.events, inner.events]).toEqual([
      ["head GET", "end"],
      ["head PUT", "end"],
    ]);
  });
});

describe("execute", () => {
  test("passes body bytes on in place", () => {
    let place: [Buffer, number, number] | null = null;
    const { parser } = requestParser({
      onBody(bytes, start, end) {
        place = [bytes, start, end];
      },
    });
    const bytes = latin1(`....${POST}....`);
    expect(parser.execute(bytes, 4, bytes.length)).toBe(bytes.length - 4);
    expect(place).toEqual([bytes, bytes.length - 9, bytes.length - 4]);
  });

  test("leaves the body in place also when the head came in pieces", () => {
    let place: [Buffer, number, number] | null = null;
    const { parser } = requestParser({
      onBody(bytes, start, end) {
        place = [bytes, start, end];
      },
    });
    const [first, second] = [latin1(POST.slice(0, 30)), latin1(POST.slice(30))];
    expect(parser.execute(first, 0, first.length)).toBe(30);
    expect(parser.execute(second, 0, second.length)).toBe(second.length);
    expect(place).toEqual([second, second.length - 5, second.length]);
  });

  test("stops after each message and says where", () => {
    const { parser, events } = requestParser();
    const bytes = latin1(POST + GET);
    const next = parser.execute(bytes, 0, bytes.length);
    expect([next, events]).toEqual([POST.length, ["head POST", "body hello", "end"]]);
    expect(parser.idle).toBe(true);
    expect(parser.execute(bytes, next, bytes.length)).toBe(bytes.length);
    expect(events.slice(3)).toEqual(["head GET", "end"]);
  });

  test("stops after a head when its handler asks for it, and ends a message without content when it is called again", () => {
    const stopping = requestParser({
      onHead() {
        stopping.parser.stop = true;
      },
    });
    const bytes = latin1(GET);
    expect(stopping.parser.execute(bytes, 0, bytes.length)).toBe(bytes.length);
    expect([stopping.events, stopping.parser.idle]).toEqual([["head GET"], false]);
    expect(stopping.parser.execute(bytes, 0, 0)).toBe(0);
    expect([stopping.events, stopping.parser.idle]).toEqual([["head GET", "end"], true]);
  });

  test("a message that was stopped after its head is complete when the peer ends, not truncated", () => {
    const stopping = requestParser({
      onHead() {
        stopping.parser.stop = true;
      },
    });
    const bytes = latin1(GET);
    stopping.parser.execute(bytes, 0, bytes.length);
    expect(stopping.parser.finish()).toBeNull();
    expect(stopping.events).toEqual(["head GET", "end"]);
  });

  test("stops between body slices when the handler asks for it, and goes on where it stopped", () => {
    const stopping = requestParser({
      onBody() {
        stopping.parser.stop = true;
      },
    });
    const bytes = latin1(CHUNKED);
    let at = stopping.parser.execute(bytes, 0, bytes.length);
    expect([stopping.events.at(-1), CHUNKED.slice(at, at + 5)]).toEqual(["body abc", "\r\n3\r\n"]);
    at = stopping.parser.execute(bytes, at, bytes.length);
    expect([stopping.events.at(-1), CHUNKED.slice(at, at + 5)]).toEqual(["body def", "\r\n0\r\n"]);
    at = stopping.parser.execute(bytes, at, bytes.length);
    expect([stopping.events.at(-1), at]).toEqual(["end", bytes.length]);
  });

  test("consumes nothing after a refusal, and says the same again", () => {
    const { parser, events } = requestParser();
    const bad = latin1("GET / HTTP/1.1\r\nHost : a\r\n\r\n");
    parser.execute(bad, 0, bad.length);
    const good = latin1(GET);
    expect(parser.execute(good, 0, good.length)).toBe(0);
    expect(events).toEqual(["refused space-before-colon"]);
    expect(parser.finish()).toBe("space-before-colon");
  });

  test("leaves what follows a CONNECT head alone", () => {
    const { parser, events } = requestParser();
    const bytes = latin1("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03");
    expect(parser.execute(bytes, 0, bytes.length)).toBe(bytes.length - 2);
    expect([parser.tunnel, parser.execute(bytes, 4, 8), events]).toEqual([true, 4, ["head CONNECT"]]);
    expect(parser.finish()).toBeNull();
  });

  test("a head of one byte at a time is held in little more than its limit", () => {
    const { parser, events } = requestParser();
    const byte = latin1("x");
    const start = latin1("GET / HTTP/1.1\r\nX: ");
    parser.execute(start, 0, start.length);
    let fed = start.length;
    while (events.length === 0 && fed < 2 * LIMITS.headBytes) {
      parser.execute(byte, 0, 1);
      fed += 1;
    }
    expect([fed, events]).toEqual([LIMITS.headBytes, ["refused head-too-large"]]);
  });
});

describe("reset", () => {
  test("within a handler forgets the message and stops", () => {
    const leaving = requestParser({
      onBody() {
        leaving.parser.reset();
      },
    });
    const bytes = latin1(CHUNKED);
    const at = leaving.parser.execute(bytes, 0, bytes.length);
    expect([leaving.events, leaving.parser.idle, CHUNKED.slice(at, at + 2)]).toEqual([
      ["head POST", "body abc"],
      true,
      "\r\n",
    ]);
  });

  test.each([
    ["a refusal", "GET / HTTP/1.1\r\nHost : a\r\n\r\n"],
    ["two Host fields", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"],
    ["half a head", "GET / HTTP/1.1\r\nHo"],
    ["half a body", POST.slice(0, -2)],
    ["half a trailer section", `${CHUNKED.slice(0, -2)}X: y`],
    ["half an empty line", "\r"],
    ["a tunnel", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"],
  ])("after %s the next byte begins a message", (_what, text) => {
    const { parser, events } = requestParser();
    const before = latin1(text);
    parser.execute(before, 0, before.length);
    parser.reset();
    const seen = events.length;
    for (const message of [GET, CHUNKED]) {
      const bytes = latin1(message);
      expect(parser.execute(bytes, 0, bytes.length)).toBe(bytes.length);
    }
    expect(events.slice(seen)).toEqual(["head GET", "end", "head POST", "body abc", "body def", "end"]);
    expect(parser.finish()).toBeNull();
  });
});

describe("trailers", () => {
  test("are there when the message ends and gone with the next head", () => {
    let atHead: unknown = "not called";
    let atEnd: unknown = "not called";
    const holder = requestParser({
      onHead() {
        atHead = holder.parser.trailers;
      },
      onEnd() {
        atEnd = holder.parser.trailers;
      },
    });
    const bytes = latin1(`${CHUNKED.slice(0, -2)}X-T: v\r\n\r\n${GET}`);
    const at = holder.parser.execute(bytes, 0, bytes.length);
    expect([atHead, atEnd]).toEqual([null, [{ name: "X-T", value: "v" }]]);
    holder.parser.execute(bytes, at, bytes.length);
    expect([atHead, atEnd]).toEqual([null, null]);
  });
});

describe("responses", () => {
  test("each needs to be expected", () => {
    const handlers = recorder();
    const parser = new ResponseParser(LIMITS, handlers);
    const bytes = latin1("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
    for (const method of ["GET", "GET"]) {
      parser.expect(method);
      expect(parser.execute(bytes, 0, bytes.length)).toBe(bytes.length);
    }
    parser.execute(bytes, 0, bytes.length);
    expect(handlers.events).toEqual([
      "head 200",
      "body a",
      "end",
      "head 200",
      "body a",
      "end",
      "refused response-unexpected",
    ]);
  });

  test("interim ones are counted for each request", () => {
    const handlers = recorder();
    const parser = new ResponseParser(LIMITS, handlers);
    const bytes = latin1(`${"HTTP/1.1 102\r\n\r\n".repeat(100)}HTTP/1.1 204 \r\n\r\n`);
    for (const method of ["GET", "GET"]) {
      parser.expect(method);
      expect(parser.execute(bytes, 0, bytes.length)).toBe(bytes.length);
    }
    expect(handlers.events.filter((event) => event === "end").length).toBe(2);
  });

  test("one without a reason has none of the reason before", () => {
    const reasons: string[] = [];
    const parser = new ResponseParser(
      LIMITS,
      recorder({
        onHead(head) {
          reasons.push(head.bytes.toString("latin1", head.reasonStart, head.reasonEnd));
        },
      }),
    );
    for (const line of ["HTTP/1.1 204 a long reason", "HTTP/1.1 204"]) {
      parser.expect("GET");
      const bytes = latin1(`${line}\r\nServer: s\r\n\r\n`);
      parser.execute(bytes, 0, bytes.length);
    }
    expect(reasons).toEqual(["a long reason", ""]);
  });

  test("until close end when the connection does, once", () => {
    const handlers = recorder();
    const parser = new ResponseParser(LIMITS, handlers);
    parser.expect("GET");
    const bytes = latin1("HTTP/1.1 200 OK\r\n\r\nabc");
    parser.execute(bytes, 0, bytes.length);
    expect(handlers.events).toEqual(["head 200", "body abc"]);
    expect([parser.finish(), parser.finish()]).toEqual([null, null]);
    expect(handlers.events).toEqual(["head 200", "body abc", "end"]);
  });
});
