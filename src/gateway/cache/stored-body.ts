/**
 * The body of a stored response, from its first byte on: it is read while it is still being written, by everybody who
 * waits for it, each at a pace of its own. Bytes that are in it never change, so that a piece of it can be handed to a
 * socket without a copy.
 *
 * A response that turns out too large to be stored is still passed on to those who began to read it: then the body
 * becomes a window that moves with its slowest reader, and who falls further behind than the window is cut off
 * rather than slowing down everybody else.
 */
import type { CauseId } from "../../kernel/causes.ts";
import type { AnswerBody } from "../stored-answer.ts";

/** Why a body is not whole. */
export interface Breakage {
  readonly cause: CauseId;
  readonly evidence: string;
}

const BLOCK_BYTES = 64 * 1024;
const FIRST_BLOCK_BYTES = 4 * 1024;
export const WINDOW_BYTES: number = 1024 * 1024;
/** For those who fell behind. */
export const LEFT_BEHIND: string = `the client fell more than ${WINDOW_BYTES} bytes behind a response that is too large to be stored`;

export class StoredBody {
  /** Bytes written so far. */
  length = 0;
  state: "open" | "complete" | "broken" = "open";
  breakage: Breakage | null = null;
  /** It is not kept: blocks that every reader has passed are gone. */
  isWindow = false;
  /** Memory taken by the blocks. */
  heldBytes = 0;
  /** Called once, when its last reader has left. */
  onUnread: (() => void) | null = null;
  readonly #readers: Set<BodyReader> = new Set();
  readonly #blocks: Buffer[] = [];
  /** Offset of the first block that is still here. */
  #start = 0;
  /** Written bytes of the last block. */
  #filled = 0;
  /** Content-Length, known before the end; -1: not known. */
  readonly expected: number;

  /** `expected`: Content-Length; -1: none. */
  constructor(expected: number) {
    this.expected = expected;
  }

  /** A body as it was kept elsewhere. */
  static from(bytes: Buffer): StoredBody {
    const body = new StoredBody(bytes.length);
    if (bytes.length > 0) body.#blocks.push(bytes);
    body.#filled = bytes.length;
    body.heldBytes = bytes.length;
    body.length = bytes.length;
    body.state = "complete";
    return body;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** How much memory `count` more bytes would take. */
  costOf(count: number): number {
    const last = this.#blocks[this.#blocks.length - 1];
    const room = last === undefined ? 0 : last.length - this.#filled;
    return count <= room ? 0 : Math.max(this.#nextBlock(), count - room);
  }

  append(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      let last = this.#blocks[this.#blocks.length - 1];
      if (last === undefined || this.#filled === last.length) {
        last = Buffer.allocUnsafeSlow(Math.max(this.#nextBlock(), Math.min(end - at, BLOCK_BYTES)));
        this.#blocks.push(last);
        this.#filled = 0;
        this.heldBytes += last.length;
      }
      const count = Math.min(end - at, last.length - this.#filled);
      bytes.copy(last, this.#filled, at, at + count);
      this.#filled += count;
      this.length += count;
      at += count;
    }
    if (this.isWindow) this.#moveWindow();
  }

  /** Everything that will come has come. */
  complete(): void {
    this.state = "complete";
  }

  break(breakage: Breakage): void {
    this.state = "broken";
    this.breakage = breakage;
  }

  becomeWindow(): void {
    this.isWindow = true;
    this.#moveWindow();
  }

  /** Whoever waits is called. Not from inside of another socket's turn: what they write goes to sockets of their own. */
  wake(): void {
    for (const reader of this.#readers) reader.wake();
  }

  /** Bytes `[start, end)`; -1: to the end, wherever that will be. */
  read(start = 0, end = -1): AnswerBody {
    const reader = new BodyReader(this, start, end);
    this.#readers.add(reader);
    return reader;
  }

  /** All of it, in order. Only of a complete one. */
  pieces(): Buffer[] {
    return this.#blocks.map((block, index) =>
      index === this.#blocks.length - 1 ? block.subarray(0, this.#filled) : block,
    );
  }

  /** For its readers. */
  slice(at: number, end: number): Buffer | null {
    let offset = this.#start;
    for (let index = 0; index < this.#blocks.length; index += 1) {
      const block = this.#blocks[index];
      if (block === undefined) return null;
      const filled = index === this.#blocks.length - 1 ? this.#filled : block.length;
      if (at < offset + filled) {
        const stop = Math.min(filled, at - offset + BLOCK_BYTES, end === -1 ? filled : end - offset);
        return at < offset ? null : block.subarray(at - offset, stop);
      }
      offset += filled;
    }
    return null;
  }

  /** For its readers. */
  leave(reader: BodyReader): void {
    this.#readers.delete(reader);
    if (this.isWindow) this.#moveWindow();
    if (this.#readers.size > 0) return;
    const { onUnread } = this;
    this.onUnread = null;
    onUnread?.();
  }

  #nextBlock(): number {
    if (this.expected >= 0) return Math.max(1, Math.min(BLOCK_BYTES, this.expected - this.length));
    return this.#blocks.length === 0 ? FIRST_BLOCK_BYTES : BLOCK_BYTES;
  }

  #moveWindow(): void {
    let slowest = this.length;
    for (const reader of this.#readers) {
      if (this.length - reader.at > WINDOW_BYTES) reader.cutOff();
      else slowest = Math.min(slowest, reader.at);
    }
    for (;;) {
      const first = this.#blocks[0];
      if (first === undefined || this.#blocks.length === 1 || this.#start + first.length > slowest) return;
      this.#blocks.shift();
      this.#start += first.length;
      this.heldBytes -= first.length;
    }
  }
}

class BodyReader implements AnswerBody {
  at: number;
  onMore: () => void = () => undefined;
  readonly #body: StoredBody;
  readonly #end: number;
  #waits = false;
  #breakage: Breakage | null = null;

  constructor(body: StoredBody, start: number, end: number) {
    this.#body = body;
    this.at = start;
    this.#end = end;
  }

  pull(): Buffer | "later" | "end" | "broken" {
    const body = this.#body;
    if (this.#breakage !== null) return "broken";
    const end = this.#end === -1 ? body.length : Math.min(this.#end, body.length);
    if (this.at < end) {
      const piece = body.slice(this.at, this.#end);
      if (piece === null) return "broken";
      this.at += piece.length;
      return piece;
    }
    if (this.at === this.#end || body.state === "complete") {
      this.close();
      return "end";
    }
    if (body.state === "broken") return "broken";
    this.#waits = true;
    return "later";
  }

  get failure(): Breakage | null {
    return this.#breakage ?? this.#body.breakage;
  }

  close(): void {
    this.#body.leave(this);
  }

  wake(): void {
    if (!this.#waits) return;
    this.#waits = false;
    this.onMore();
  }

  cutOff(): void {
    this.#breakage = { cause: "client.slow", evidence: LEFT_BEHIND };
    this.#waits = true;
  }
}
