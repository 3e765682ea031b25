import { expect, test } from "vitest";
import { NumberedLine } from "./numbered-line.ts";

class Stream {
  older: Stream | null = null;
  newer: Stream | null = null;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

test("a stream is found by its number while it is there, and no other in its place", () => {
  const line = new NumberedLine<Stream>();
  const streams = [1, 3, 5, 9].map((id) => new Stream(id));
  for (const stream of streams) line.add(stream);
  expect([0, 1, 3, 5, 7, 9, 11].map((id) => line.get(id)?.id ?? null)).toEqual([null, 1, 3, 5, null, 9, null]);
  for (const stream of streams) {
    line.delete(stream);
    expect(line.get(stream.id)).toBeNull();
  }
});
