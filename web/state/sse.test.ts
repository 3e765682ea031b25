import fc from "fast-check";
import { expect, test } from "vitest";
import { createSseParser } from "./sse.ts";

test("events have a name, data of several lines, and leave the last id behind", () => {
  const parser = createSseParser();
  const text = ": hello\n\nid: a-1\nevent: pool\ndata: one\ndata:two\n\nretry: 5\nid: a-2\n\ndata: x\n\n";
  expect(parser.push(text)).toEqual([
    { name: "pool", data: "one\ntwo" },
    { name: "message", data: "x" },
  ]);
  expect(parser.lastId).toBe("a-2");
});

test("an id counts when its event is complete, so that a cut stream is resumed before it", () => {
  const parser = createSseParser();
  parser.push("id: a-1\ndata: x\n\nid: a-2\ndata: y\n");
  expect(parser.lastId).toBe("a-1");
});

test("wherever the stream is cut, the events are the same", () => {
  const text = 'event: pool\r\ndata: {"a":1}\r\n\r\n: beat\n\nid: 7\ndata: ü\n\nevent: x\rdata: z\r\r';
  const whole = createSseParser().push(`${text}\n`);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: text.length }), { maxLength: 6 }), (cuts) => {
      const parser = createSseParser();
      const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
      const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
      expect([...pieces, "\n"].flatMap((piece) => parser.push(piece))).toEqual(whole);
    }),
  );
  expect(whole).toHaveLength(3);
});
