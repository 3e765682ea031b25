/** What must hold of the parser whatever it is fed: it ends, it says one thing, and pieces make no difference. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RequestParser } from "../../src/http1/parser.ts";
import { CORPUS_LIMITS, logOf } from "../wire/event-log.ts";
import type { Wire } from "../wire/event-log.ts";
import { fuzzSettings, nearlyRequests, nearlyResponses } from "./mutate.ts";

const anyBytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array).toString("latin1"));
const methods = fc.array(fc.constantFrom("GET", "HEAD", "CONNECT"), { minLength: 1, maxLength: 2 });
const cuts = fc.array(fc.nat(2000), { maxLength: 6 });

describe("pieces make no difference", () => {
  const same = (wire: Wire, offsets: readonly number[]): void => {
    const places = [...new Set(offsets.map((offset) => offset % (wire.bytes.length + 1)))].sort(
      (left, right) => left - right,
    );
    expect(logOf(wire, places)).toEqual(logOf(wire, []));
  };

  test("to requests that are nearly right", () => {
    fc.assert(
      fc.property(nearlyRequests, cuts, (bytes, offsets) => {
        same({ kind: "request", methods: [], bytes }, offsets);
      }),
      fuzzSettings(5000),
    );
  });

  test("to responses that are nearly right", () => {
    fc.assert(
      fc.property(nearlyResponses, methods, cuts, (bytes, expected, offsets) => {
        same({ kind: "response", methods: expected, bytes }, offsets);
      }),
      fuzzSettings(5000),
    );
  });

  test("to any bytes at all", () => {
    fc.assert(
      fc.property(anyBytes, cuts, (bytes, offsets) => {
        same({ kind: "request", methods: [], bytes }, offsets);
        same({ kind: "response", methods: ["GET"], bytes }, offsets);
        same({ kind: "request", methods: [], bytes: `GET / HTTP/1.1\r\nHost: a\r\n${bytes}` }, offsets);
        same(
          {
            kind: "request",
            methods: [],
            bytes: `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${bytes}`,
          },
          offsets,
        );
      }),
      fuzzSettings(1000),
    );
  });
});

test("what is accepted has the fields that a plain reading of its lines finds", () => {
  fc.assert(
    fc.property(nearlyRequests, (bytes) => {
      const log = logOf({ kind: "request", methods: [], bytes }, []);
      fc.pre(/^[A-Z]+ \S+ .*HTTP/.test(log[0] ?? ""));
      const message = bytes.replace(/^(?:\r\n)*/, "");
      const lines = message.slice(0, message.indexOf("\r\n\r\n")).split("\r\n").slice(1);
      const read = log.slice(1).findIndex((line) => !line.startsWith("  "));
      const fields = log.slice(1, read + 1).map((line) => line.slice(2).replace(/ {2}\(this hop only\)$/, ""));
      expect(fields.map((line) => line.split(":")[0])).toEqual(lines.map((line) => line.split(":")[0]));
    }),
    fuzzSettings(3000),
  );
});

test("no head, trailer section or chunk line makes a parser hold more than the limits", () => {
  // Whatever is fed in whatever pieces, the next event comes before the limit plus the piece that crosses it.
  const openings = [
    "GET /",
    "GET / HTTP/1.1\r\nX: ",
    "GET / HTTP/1.1\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
  ];
  const fillings = ["a", "0", " ", "a:b\r\n", "\t", ";a", "=", "x\r\n"];
  fc.assert(
    fc.property(
      fc.constantFrom(...openings),
      fc.constantFrom(...fillings),
      fc.integer({ min: 1, max: 300 }),
      (opening, filling, size) => {
        const seen = { heads: 0, over: false };
        const parser = new RequestParser(CORPUS_LIMITS, {
          onHead: () => (seen.heads += 1),
          onBody: () => (seen.over = true),
          onEnd: () => (seen.over = true),
          onRefusal: () => (seen.over = true),
        });
        const feed = (text: string): void => {
          const bytes = Buffer.from(text, "latin1");
          parser.execute(bytes, 0, bytes.length);
        };
        feed(opening);
        const piece = filling.repeat(size).slice(0, size);
        let fed = opening.length;
        while (!seen.over && fed < 8000) {
          feed(piece);
          fed += piece.length;
        }
        expect(seen.over).toBe(true);
        expect(fed).toBeLessThanOrEqual(opening.length + CORPUS_LIMITS.headBytes + size);
        expect(seen.heads).toBeLessThanOrEqual(1);
      },
    ),
    fuzzSettings(300),
  );
});
