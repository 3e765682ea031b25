/**
 * Bodies whose every byte depends on whose body it is and where it stands: one that is shifted, mixed with another,
 * sent twice or cut is told from a right one by looking, with nothing kept to compare it with.
 */
import { SeededChance } from "./chance.ts";

/** A prime, so that no usual block size falls into step with it. */
const TABLE_BYTES = 65_521;
const table = makeTable();

/** Request and response of one exchange differ, too. */
export type ContentOf = "request" | "response";

/** Bytes `[from, from + length)` of that body. */
export function content(id: number, of: ContentOf, from: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  while (at < length) {
    const place = placeOf(id, of, from + at);
    const run = Math.min(length - at, TABLE_BYTES - place);
    table.copy(bytes, at, place, place + run);
    at += run;
  }
  return bytes;
}

/** Offset in the body of the first of `bytes[start, end)` that is wrong when they begin at `from`; -1: none is. */
export function firstWrong(id: number, of: ContentOf, from: number, bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end) {
    const place = placeOf(id, of, from + at - start);
    const run = Math.min(end - at, TABLE_BYTES - place);
    if (table.compare(bytes, at, at + run, place, place + run) !== 0) {
      let offset = 0;
      while (table[place + offset] === bytes[at + offset]) offset += 1;
      return from + at - start + offset;
    }
    at += run;
  }
  return -1;
}

function placeOf(id: number, of: ContentOf, offset: number): number {
  return (id * 7_919 + (of === "request" ? 31_337 : 0) + offset) % TABLE_BYTES;
}

function makeTable(): Buffer {
  const chance = new SeededChance(1, "content");
  const bytes = Buffer.allocUnsafe(TABLE_BYTES);
  for (let at = 0; at < TABLE_BYTES; at += 1) bytes[at] = chance.integer(0, 255);
  return bytes;
}
