/**
 * Messages from bytes, whatever pieces they come in: what requests and responses have in common. Events are
 * called synchronously; body bytes are passed on in place; only a head that is cut is copied, into a carry that
 * ends with the head.
 *
 * `execute` stops after each message, so that whoever owns the connection decides when the next one begins. It
 * also stops after a refusal (then the parser is dead: nothing after a doubtful byte can be trusted), after a
 * head whose connection leaves HTTP, and when a handler sets `stop`.
 *
 * The parser keeps no clock and no queue, and holds at most one head or one trailer section.
 */
import { Carry } from "./carry.ts";
import { ChunkHead } from "./chunk-head.ts";
import { LINE_START, MORE, scanFieldLines } from "./field-lines.ts";
import { CR, LF } from "./grammar.ts";
import { MessageHead } from "./head.ts";
import type { MessageEvents, MessageLimits } from "./parser.ts";
import type { RefusalId } from "./refusals.ts";
import { trailersOf } from "./trailers.ts";
import type { Trailer } from "./trailers.ts";

/** Between messages, or in the empty lines before one. */
const IDLE = 0;
const IN_HEAD = 1;
const IN_LENGTH = 2;
const UNTIL_CLOSE = 3;
const IN_CHUNK_HEAD = 4;
const IN_CHUNK_DATA = 5;
const CHUNK_CR = 6;
const CHUNK_LF = 7;
const IN_TRAILERS = 8;
const TUNNEL = 9;
const DEAD = 10;

export abstract class MessageReader {
  readonly head: MessageHead = new MessageHead();
  /** What came after the last chunk and may be passed on; null until then and when there was nothing. */
  trailers: Trailer[] | null = null;
  /** A handler sets this to make `execute` return as soon as it has returned. */
  stop = false;
  protected phase: number = IDLE;
  /** Whatever its head says about length, content would be a fault. */
  protected forbidsContent = false;
  protected readonly limits: MessageLimits;
  protected readonly events: MessageEvents;
  /** Of the content, or of the current chunk. */
  private remaining = 0;
  private carry: Carry | null = null;
  private chunk: ChunkHead | null = null;
  private trailerLines: MessageHead | null = null;
  private refusal: RefusalId | null = null;

  constructor(limits: MessageLimits, events: MessageEvents) {
    this.limits = limits;
    this.events = events;
  }

  /** Nothing of a message has come since the last one ended. */
  get idle(): boolean {
    return this.phase === IDLE;
  }

  /** The connection has left HTTP: its bytes are not ours to read. Such a head has no `onEnd`. */
  get tunnel(): boolean {
    return this.phase === TUNNEL;
  }

  /** Reads `[start, end)` and returns the offset of the first byte that was not consumed. */
  execute(bytes: Buffer, start: number, end: number): number {
    this.stop = false;
    let at = start;
    // A loop only because interim heads are followed by another head.
    while (this.phase <= IN_HEAD) {
      if (at === end) return at;
      at = this.phase === IDLE ? this.begin(bytes, at, end) : this.readCarriedHead(bytes, at, end);
      if (this.stop) return at;
    }
    return this.phase < TUNNEL ? this.readContent(bytes, at, end) : at;
  }

  /** The peer sent its last byte. Null when that is a clean end, otherwise what is missing. */
  finish(): RefusalId | null {
    switch (this.phase) {
      case UNTIL_CLOSE:
        this.complete();
        return null;
      case IN_LENGTH:
        if (this.remaining > 0) return this.die("truncated-length");
        this.complete();
        return null;
      case IDLE:
        return this.cut() ? this.die("truncated-head") : null;
      case TUNNEL:
        return null;
      case DEAD:
        return this.refusal;
      case IN_HEAD:
        return this.die("truncated-head");
      default:
        return this.die("truncated-chunked");
    }
  }

  /** Forget everything; the next byte begins a message. Within a handler it also stops `execute`. */
  reset(): void {
    this.stop = true;
    this.phase = IDLE;
    this.remaining = 0;
    this.carry = null;
    this.chunk?.reset();
    this.trailers = null;
    this.trailerLines = null;
    this.refusal = null;
    this.head.release();
  }

  /** Called in `IDLE` with at least one byte: find the start of a message and read on, or wait, or refuse. */
  protected abstract begin(bytes: Buffer, start: number, end: number): number;
  /** Whether the bytes must not end here although no message has begun. */
  protected abstract cut(): boolean;
  protected abstract scanStartLine(bytes: Buffer, from: number, end: number): number;
  protected abstract readonly lineTooLong: RefusalId;
  /** Judge the head as a whole. */
  protected abstract judge(): RefusalId | null;
  /** The head that was just reported ends HTTP on this connection. */
  protected abstract leavesHttp(): boolean;
  /** The head that was just reported is followed by another head for the same request. */
  protected abstract interim(): boolean;
  /** A message ended. */
  protected abstract ended(): void;

  /** Reads a head that begins at `start` of the caller's bytes. */
  protected readHead(bytes: Buffer, start: number, end: number, firstStep: number): number {
    this.phase = IN_HEAD;
    this.trailers = null;
    this.head.begin(start, firstStep);
    const after = this.scanHead(bytes, start, end);
    if (after >= 0) return this.finishHead(bytes, after) ? after : start;
    if (after !== MORE) return this.refuseAt(start, this.head.refusal);
    this.carry = new Carry(this.limits.headBytes);
    this.carry.append(bytes, start, end);
    this.head.moved(start);
    return end;
  }

  protected refuseAt(at: number, refusal: RefusalId | null): number {
    const id = refusal ?? "not-http";
    this.die(id);
    this.events.onRefusal(id);
    return at;
  }

  private readCarriedHead(bytes: Buffer, start: number, end: number): number {
    const { carry } = this;
    if (carry === null) return this.refuseAt(start, null);
    const before = carry.length;
    const taken = carry.append(bytes, start, end);
    const after = this.scanHead(carry.bytes, before, carry.length);
    if (after === MORE) return start + taken;
    this.carry = null;
    if (after < 0) return this.refuseAt(start, this.head.refusal);
    return this.finishHead(carry.bytes, after) ? start + after - before : start;
  }

  private scanHead(bytes: Buffer, from: number, end: number): number {
    const { head, limits } = this;
    let at = from;
    if (head.step < LINE_START) {
      const lineEnd = head.headStart + Math.min(limits.lineBytes, limits.headBytes);
      at = this.scanStartLine(bytes, at, Math.min(end, lineEnd));
      if (at === MORE && end >= lineEnd) {
        head.refusal = this.lineTooLong;
        return -2;
      }
      if (at < 0) return at;
    }
    const headEnd = head.headStart + limits.headBytes;
    at = scanFieldLines(head, bytes, at, Math.min(end, headEnd), limits.fields, "too-many-fields");
    if (at === MORE && end >= headEnd) {
      head.refusal = "head-too-large";
      return -2;
    }
    return at;
  }

  /** False when the head is refused as a whole. */
  private finishHead(bytes: Buffer, after: number): boolean {
    const { head } = this;
    head.bytes = bytes;
    head.headEnd = after;
    const refusal = this.judge();
    if (refusal !== null) {
      this.refuseAt(after, refusal);
      return false;
    }
    this.phase = this.phaseAfterHead();
    this.events.onHead(head);
    // A handler that called `reset` has released the head already; doing it twice is harmless.
    head.release();
    return true;
  }

  private phaseAfterHead(): number {
    const { head } = this;
    if (this.leavesHttp()) return TUNNEL;
    if (this.interim()) return IDLE;
    switch (head.framing) {
      case "none":
        this.remaining = 0;
        return IN_LENGTH;
      case "length":
        this.remaining = head.contentLength;
        return IN_LENGTH;
      case "chunked":
        this.chunk ??= new ChunkHead(this.limits.chunkExtensionBytes);
        this.chunk.reset();
        return IN_CHUNK_HEAD;
      case "close":
        return UNTIL_CLOSE;
    }
  }

  private readContent(bytes: Buffer, start: number, end: number): number {
    let at = start;
    for (;;) {
      // Content that has come to its end ends even when no byte is left: the pieces may have been cut here.
      if (this.phase === IN_LENGTH && this.remaining === 0) {
        this.complete();
        return at;
      }
      if (at === end) return at;
      switch (this.phase) {
        case IN_LENGTH:
        case IN_CHUNK_DATA: {
          const stop = Math.min(end, at + this.remaining);
          this.remaining -= stop - at;
          if (this.remaining === 0 && this.phase === IN_CHUNK_DATA) this.phase = CHUNK_CR;
          this.events.onBody(bytes, at, stop);
          at = stop;
          if (this.stop) return at;
          break;
        }
        case UNTIL_CLOSE:
          if (this.forbidsContent) return this.refuseAt(at, "reset-content-with-content");
          this.events.onBody(bytes, at, end);
          return end;
        case CHUNK_CR:
        case CHUNK_LF:
          if (bytes[at] !== (this.phase === CHUNK_CR ? CR : LF)) return this.refuseAt(at, "chunk-data-end");
          this.phase = this.phase === CHUNK_CR ? CHUNK_LF : IN_CHUNK_HEAD;
          at += 1;
          break;
        case IN_CHUNK_HEAD: {
          const after = this.readChunkHead(bytes, at, end);
          if (after === MORE) return end;
          if (after < 0) return at;
          at = after;
          break;
        }
        default:
          return this.readTrailers(bytes, at, end);
      }
    }
  }

  private readChunkHead(bytes: Buffer, start: number, end: number): number {
    const { chunk } = this;
    if (chunk === null) return -2;
    const after = chunk.scan(bytes, start, end);
    if (after < 0) {
      if (chunk.refusal !== null) this.refuseAt(start, chunk.refusal);
      return after;
    }
    if (chunk.size > 0 && this.forbidsContent) {
      this.refuseAt(start, "reset-content-with-content");
      return -2;
    }
    this.remaining = chunk.size;
    this.phase = chunk.size > 0 ? IN_CHUNK_DATA : IN_TRAILERS;
    return after;
  }

  /** Reads the trailer section, which almost always is the empty line and nothing else. */
  private readTrailers(bytes: Buffer, start: number, end: number): number {
    if (this.trailerLines === null && end - start >= 2 && bytes[start] === CR && bytes[start + 1] === LF) {
      this.complete();
      return start + 2;
    }
    const { limits } = this;
    const lines = (this.trailerLines ??= beginTrailers(start));
    const { carry } = this;
    const before = carry?.length ?? 0;
    const taken = carry?.append(bytes, start, end) ?? 0;
    const source = carry?.bytes ?? bytes;
    const from = carry === null ? start : before;
    const to = carry?.length ?? end;
    const limit = lines.headStart + limits.trailerBytes;
    const after = scanFieldLines(lines, source, from, Math.min(to, limit), limits.fields, "too-many-trailers");
    if (after === MORE && to < limit) {
      if (carry !== null) return start + taken;
      this.carry = new Carry(limits.trailerBytes);
      this.carry.append(bytes, start, end);
      lines.moved(start);
      return end;
    }
    this.carry = null;
    this.trailerLines = null;
    if (after === MORE) return this.refuseAt(start, "trailer-too-large");
    if (after < 0) return this.refuseAt(start, lines.refusal);
    lines.bytes = source;
    this.trailers = trailersOf(lines);
    lines.release();
    this.complete();
    return start + after - from;
  }

  private complete(): void {
    this.phase = IDLE;
    this.ended();
    this.events.onEnd();
  }

  private die(refusal: RefusalId): RefusalId {
    this.phase = DEAD;
    this.refusal = refusal;
    this.carry = null;
    this.trailerLines = null;
    this.head.release();
    return refusal;
  }
}

function beginTrailers(start: number): MessageHead {
  const lines = new MessageHead();
  lines.begin(start, LINE_START);
  return lines;
}
