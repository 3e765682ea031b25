/**
 * The head of a request as it was, read again from a copy. A second attempt may need another base path or Host, so
 * its head is composed anew; parsing a few hundred bytes twice is rare and cheap, keeping every field is neither.
 */
import type { MessageHead } from "../http1/head.ts";
import type { MessageEvents } from "../http1/parser.ts";
import { RequestParser } from "../http1/parser.ts";

/** No limit: what is read here was inside the listener's limits once. */
const NO_LIMITS = {
  headBytes: Number.MAX_SAFE_INTEGER,
  fields: Number.MAX_SAFE_INTEGER,
  lineBytes: Number.MAX_SAFE_INTEGER,
  chunkExtensionBytes: 0,
  trailerBytes: 0,
};

/** `use` gets the head; it is valid until `use` returns. */
export function readHeadAgain(copy: Buffer, use: (head: MessageHead) => void): void {
  let read = false;
  const events: MessageEvents = {
    onHead: (head) => {
      read = true;
      parser.stop = true;
      use(head);
    },
    onBody: unexpected,
    onEnd: () => undefined,
    onRefusal: unexpected,
  };
  const parser = new RequestParser(NO_LIMITS, events);
  parser.execute(copy, 0, copy.length);
  if (!read) unexpected();
}

function unexpected(): never {
  throw new Error("a head that was accepted before is refused now");
}
