/**
 * A head as it was, read again from a copy: a request's for another attempt, which may need another base path or Host;
 * a response's when an answer at hand is given. Parsing a few hundred bytes twice is rare and cheap, keeping every
 * field is neither.
 */
import type { MessageHead } from "../http1/head.ts";
import type { MessageEvents } from "../http1/parser.ts";
import { RequestParser, ResponseParser } from "../http1/parser.ts";

/** No limit: what is read here was inside the listener's limits once. */
const NO_LIMITS = {
  headBytes: Number.MAX_SAFE_INTEGER,
  fields: Number.MAX_SAFE_INTEGER,
  lineBytes: Number.MAX_SAFE_INTEGER,
  chunkExtensionBytes: 0,
  trailerBytes: 0,
};

/** A request's. `use` gets the head; it is valid until `use` returns. */
export function readHeadAgain(copy: Buffer, use: (head: MessageHead) => void): void {
  const reader = new Reader(use);
  reader.read(new RequestParser(NO_LIMITS, reader), copy);
}

/** A response's to a request of this method. `use` gets the head; it is valid until `use` returns. */
export function readResponseHeadAgain(copy: Buffer, method: string, use: (head: MessageHead) => void): void {
  const reader = new Reader(use);
  const parser = new ResponseParser(NO_LIMITS, reader);
  parser.expect(method);
  reader.read(parser, copy);
}

class Reader implements MessageEvents {
  readonly #use: (head: MessageHead) => void;
  #parser: RequestParser | ResponseParser | null = null;

  constructor(use: (head: MessageHead) => void) {
    this.#use = use;
  }

  read(parser: RequestParser | ResponseParser, copy: Buffer): void {
    this.#parser = parser;
    parser.execute(copy, 0, copy.length);
    if (this.#parser !== null) unexpected();
  }

  onHead(head: MessageHead): void {
    if (this.#parser !== null) this.#parser.stop = true;
    this.#parser = null;
    this.#use(head);
  }

  onBody(): void {
    unexpected();
  }

  onEnd(): void {
    // A head without a body is followed by its end; nothing more is wanted of it.
  }

  onRefusal(): void {
    unexpected();
  }
}

function unexpected(): never {
  throw new Error("a head that was accepted before is refused now");
}
