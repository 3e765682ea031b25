/**
 * The access log: one JSON line for each exchange, to a file or to standard output, and never a reason for an
 * exchange to wait. `append` formats into memory and returns; one write at a time follows, of all that waits by
 * then: a write ends once per turn of the event loop, and a turn under load is long.
 *
 * A disk that is full, slow or gone costs log lines, never requests: what waits is bounded by `bufferBytes`,
 * lines beyond it are dropped and counted, a failed write is tried again until it works, and whoever owns the
 * log hears when that begins and when it is over. Not a stream pipeline, because a stream's buffer counts
 * chunks loosely, fails for good at its first error and cannot change its file.
 *
 * It does not rotate files: something else renames the file and then calls `reopen`. Every file holds whole lines;
 * only one that fails in the middle of a line ends with that half, and the line is then whole in the next.
 */
import fs from "node:fs";
import type { Schedule } from "../kernel/clock.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import { writeAccessLine } from "./access-line.ts";
import { JsonLine } from "./json-line.ts";
import { LineBuffer } from "./line-buffer.ts";
import { openStdout, STDOUT } from "./stdout-descriptor.ts";

export interface AccessLogOptions {
  /** A file, which is created when missing and appended to, or `stdout`. */
  readonly path: string;
  readonly bufferBytes: number;
  readonly schedule: Schedule;
  readonly onEvent: (event: AccessLogEvent) => void;
  /** The file system; tests hand in one that fails. */
  readonly files?: LogFiles;
}

export type LogFiles = Pick<typeof fs, "open" | "writev" | "close" | "fstat">;

/** What the owner should tell people. Each is said once, when it begins. */
export type AccessLogEvent =
  /** A write failed and is being tried again; `code` is the system's word (`ENOSPC`, `EIO`, `EPIPE`). */
  | { readonly kind: "failing"; readonly code: string }
  /** The buffer is full: lines are being lost. */
  | { readonly kind: "dropping" }
  /** Writing works again; `dropped` lines were lost meanwhile. */
  | { readonly kind: "recovered"; readonly dropped: number }
  /** `reopen` could not open the file; the old one stays in use. */
  | { readonly kind: "not reopened"; readonly code: string };

export type OpenedAccessLog =
  | { readonly ok: true; readonly log: AccessLog }
  | { readonly ok: false; readonly code: string };

export interface AccessLog {
  /** Takes what it needs from `record` before it returns. */
  append(record: ExchangeRecord): void;
  /** Lines lost since start. */
  dropped(): number;
  /** After a rotation: go on in a file newly opened under the same path. Standard output stays as it is. */
  reopen(): void;
  /** Writes what waits, for `withinMs` at most; lines that are left then count as dropped. Never rejects. */
  close(withinMs: number): Promise<void>;
}

/** Lines wait this long for company. Short enough for a person who follows the file. */
const BATCH_MS = 100;
/** A pipe whose reader is slow (EAGAIN) is asked again soon; a disk that fails is not hammered. */
const BUSY_RETRY_MS = { first: 5, most: 200 };
const FAILED_RETRY_MS = { first: 250, most: 5_000 };

/** Opens the file, so that a path that cannot work is known before the first request. */
export function openAccessLog(options: AccessLogOptions): Promise<OpenedAccessLog> {
  const files = options.files ?? fs;
  return new Promise((resolve) => {
    if (options.path === "stdout") {
      openStdout(files, (descriptor) => resolve({ ok: true, log: new Writer(options, descriptor) }));
      return;
    }
    files.open(options.path, "a", 0o640, (error, descriptor) => {
      if (error === null) resolve({ ok: true, log: new Writer(options, descriptor) });
      else resolve({ ok: false, code: error.code ?? "EIO" });
    });
  });
}

class Writer implements AccessLog {
  readonly #path: string;
  readonly #schedule: Schedule;
  readonly #onEvent: (event: AccessLogEvent) => void;
  readonly #files: LogFiles;
  readonly #lines: LineBuffer;
  readonly #line = new JsonLine();
  #descriptor: number;
  /** Opened by `reopen`, to be used when no write is under way and the current file ends with a whole line. */
  #nextDescriptor = -1;
  #opening = false;
  /** A rotation that came while the file of the one before was being opened: that may be the wrong file already. */
  #openAgain = false;
  #writing = false;
  /** Set while a batch or a retry waits for its time. */
  #cancelTimer: (() => void) | null = null;
  #retryMs = 0;
  #failing = false;
  #dropping = false;
  #dropped = 0;
  #droppedBefore = 0;
  /** Set by `close`: nothing more is taken, what waits is written without delay. */
  #closing: Promise<void> | null = null;
  #onEmpty: (() => void) | null = null;
  /** After the last write, or after the time for it ran out. */
  #over = false;

  constructor(options: AccessLogOptions, descriptor: number) {
    this.#path = options.path;
    this.#schedule = options.schedule;
    this.#onEvent = options.onEvent;
    this.#files = options.files ?? fs;
    this.#lines = new LineBuffer(options.bufferBytes);
    this.#descriptor = descriptor;
  }

  append(record: ExchangeRecord): void {
    if (this.#closing !== null || !this.#keep(record)) {
      this.#drop();
      return;
    }
    // A retry that waits is not cut short: the disk is asked again when its time comes.
    if (this.#writing || this.#retryMs > 0) return;
    if (this.#lines.batchReady) this.#write();
    else if (this.#cancelTimer === null) this.#wait(BATCH_MS);
  }

  #keep(record: ExchangeRecord): boolean {
    writeAccessLine(this.#line, record);
    return this.#lines.append(this.#line.bytes, this.#line.length);
  }

  dropped(): number {
    return this.#dropped;
  }

  reopen(): void {
    if (this.#path === "stdout" || this.#closing !== null) return;
    if (this.#opening) {
      this.#openAgain = true;
      return;
    }
    this.#opening = true;
    this.#files.open(this.#path, "a", 0o640, (error, descriptor) => {
      this.#opening = false;
      if (this.#over) {
        if (error === null) this.#release(descriptor);
        return;
      }
      if (error === null) {
        // Two rotations during one long write: only the newest file matters.
        if (this.#nextDescriptor !== -1) this.#release(this.#nextDescriptor);
        this.#nextDescriptor = descriptor;
        if (!this.#writing) this.#changeIfWhole();
      } else this.#onEvent({ kind: "not reopened", code: error.code ?? "EIO" });
      if (this.#openAgain) {
        this.#openAgain = false;
        this.reopen();
      }
    });
  }

  close(withinMs: number): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      const finish = (): void => {
        cancelBound();
        this.#finish();
        resolve();
      };
      const cancelBound = this.#schedule(withinMs, finish);
      this.#onEmpty = finish;
      if (!this.#writing) this.#write();
    });
    return this.#closing;
  }

  #finish(): void {
    this.#over = true;
    this.#onEmpty = null;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    this.#dropped += this.#lines.discard();
    if (this.#nextDescriptor !== -1) this.#release(this.#nextDescriptor);
    // A write that hangs still needs the descriptor; it is released when that write returns.
    if (!this.#writing) this.#release(this.#descriptor);
  }

  #drop(): void {
    this.#dropped += 1;
    if (this.#dropping || this.#closing !== null) return;
    this.#dropping = true;
    this.#droppedBefore = this.#dropped - 1;
    this.#onEvent({ kind: "dropping" });
  }

  #wait(ms: number): void {
    this.#cancelTimer = this.#schedule(ms, () => {
      this.#cancelTimer = null;
      this.#write();
    });
  }

  #write(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    // While the next file waits, the current one gets no more than the rest of the line that it has begun.
    const pieces = this.#nextDescriptor === -1 ? this.#lines.waiting() : this.#lines.oldestLine();
    if (pieces.length === 0) {
      this.#onEmpty?.();
      return;
    }
    this.#writing = true;
    this.#files.writev(this.#descriptor, pieces, null, (error, written) => {
      this.#writing = false;
      if (this.#over) this.#release(this.#descriptor);
      else if (error !== null) this.#failed(error.code ?? "EIO");
      else this.#wrote(written);
    });
  }

  #wrote(bytes: number): void {
    this.#lines.taken(bytes);
    this.#retryMs = 0;
    // With whole blocks still waiting the trouble is not over: a disk slower than the traffic would be reported
    // as well and ill in turns.
    if ((this.#failing || this.#dropping) && !this.#lines.batchReady) {
      this.#onEvent({ kind: "recovered", dropped: this.#dropping ? this.#dropped - this.#droppedBefore : 0 });
      this.#failing = false;
      this.#dropping = false;
    }
    this.#changeIfWhole();
    // Half a line is not left for a reader of the file to find.
    if (this.#lines.batchReady || this.#lines.midLine || this.#onEmpty !== null) this.#write();
    else if (!this.#lines.empty) this.#wait(BATCH_MS);
  }

  #failed(code: string): void {
    const busy = code === "EAGAIN";
    if (!busy && !this.#failing) {
      this.#failing = true;
      this.#onEvent({ kind: "failing", code });
    }
    const bounds = busy ? BUSY_RETRY_MS : FAILED_RETRY_MS;
    this.#retryMs = Math.min(Math.max(this.#retryMs * 2, bounds.first), bounds.most);
    this.#changeIfWhole();
    this.#wait(this.#retryMs);
  }

  /**
   * To the file that `reopen` opened, once the current one ends with a whole line. One that fails is left at once:
   * a full disk may need just this file closed to have room again.
   */
  #changeIfWhole(): void {
    if (this.#nextDescriptor === -1 || (this.#lines.midLine && this.#retryMs === 0)) return;
    this.#release(this.#descriptor);
    this.#descriptor = this.#nextDescriptor;
    this.#nextDescriptor = -1;
    this.#lines.restoreLine();
  }

  #release(descriptor: number): void {
    // Nothing is left to do about a descriptor that cannot be closed.
    if (descriptor !== STDOUT) this.#files.close(descriptor, () => {});
  }
}
