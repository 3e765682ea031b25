/**
 * The socket port of an accepted connection, on its handle: callbacks, reads into the shared buffer, writes that say
 * whether the kernel took everything. Dialled connections have streams of Node under them (tcp-socket.ts), because
 * those are kept and many exchanges share what they cost; an accepted one may carry a single request.
 */
import fs from "node:fs";
import { UNIX } from "../kernel/ip-text.ts";
import { DEAF, HEAD_ROOM, PLAIN, PLAIN_UNIX } from "../kernel/socket.ts";
import type { Carrier, SocketError, SocketListener, SocketPort } from "../kernel/socket.ts";
import { readBuffer, readView } from "./read-buffer.ts";
import { closeHandle, give, nameOf, own, shutDown } from "./stream-handle.ts";
import type { Ends, HandleOwner, SystemHandle } from "./stream-handle.ts";

/** Silence after which the kernel asks the peer for a sign of life. */
export const PROBE_AFTER_SECONDS = 60;

export class AcceptedSocket implements SocketPort, HandleOwner {
  listener: SocketListener = DEAF;
  carrier: Carrier = PLAIN;
  remoteAddress: string;
  remotePort: number;
  writing = false;
  /** Null: it is closed, or about to be, or somebody else's. */
  #handle: SystemHandle | null;
  readonly #descriptor: number;
  #isReading = true;
  /** Writes whose end was not heard of. */
  #underWay = 0;
  /** `end` was called; FIN is to leave behind what waits. */
  #isEnding = false;
  #isShutting = false;
  #isShut = false;
  /** The peer's FIN was read. */
  #hasEnded = false;
  #isReset = false;

  constructor(handle: SystemHandle) {
    this.#handle = handle;
    this.#descriptor = handle.fd;
    const ends: Partial<Ends> = {};
    // Only who comes by TCP has an address, and only as long as it is there.
    if (handle.getpeername === undefined) {
      this.carrier = PLAIN_UNIX;
      ends.address = UNIX;
    } else handle.getpeername(ends);
    this.remoteAddress = ends.address ?? "";
    this.remotePort = ends.port ?? 0;
    own(handle, this, readView);
    const status = handle.readStart();
    if (status !== 0) this.#break(status, "read");
  }

  get localAddress(): string {
    return localEnd(this.#handle).address;
  }

  get localPort(): number {
    return localEnd(this.#handle).port;
  }

  write(bytes: Buffer): boolean {
    const handle = this.#handle;
    if (handle === null || this.#isEnding) return true;
    const taken = this.writing ? 0 : this.#sendNow(bytes);
    if (taken === bytes.length) return true;
    let rest = taken === 0 ? bytes : bytes.subarray(taken);
    // What waits must not wait there: the next read of any socket lands on it, and its bytes would leave here.
    if (bytes.buffer === readBuffer.buffer) rest = Buffer.from(rest);
    const status = give(handle, this, rest);
    if (status < 0) this.#break(status, "write");
    if (status <= 0) return true;
    this.#underWay += 1;
    this.writing = true;
    return false;
  }

  get waitingBytes(): number {
    return this.writing ? (this.#handle?.writeQueueSize ?? 0) : 0;
  }

  pause(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#handle?.readStop();
  }

  resume(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    // Behind the peer's FIN there is nothing to read.
    if (!this.#hasEnded) this.#handle?.readStart();
  }

  probePeer(): void {
    this.#handle?.setKeepAlive?.(true, PROBE_AFTER_SECONDS);
  }

  end(): void {
    if (this.#handle === null || this.#isEnding) return;
    this.#isEnding = true;
    if (this.#underWay === 0) this.#shutDown(this.#handle);
  }

  /** A Unix socket knows no RST: its peer sees a plain end. */
  reset(): void {
    // The system refuses while FIN is about to leave. That is so for one turn of the loop, because nothing waits before it.
    if (this.#isShutting) this.#isReset = true;
    else this.#close(true);
  }

  destroy(): void {
    this.#close(false);
  }

  /**
   * Gives the handle away, to whoever speaks TLS on it. This port then hears and says nothing any more. Null: it is
   * closed.
   */
  takeHandle(): SystemHandle | null {
    const handle = this.#handle;
    this.#handle = null;
    this.listener = DEAF;
    return handle;
  }

  // ------------------------------------------------------------------ the handle

  read(length: number): void {
    try {
      this.listener.onData(readBuffer, HEAD_ROOM, HEAD_ROOM + length);
    } catch (error) {
      this.listener.onFault(error);
    }
  }

  readEnded(): void {
    this.#hasEnded = true;
    try {
      this.listener.onFin();
    } catch (error) {
      this.listener.onFault(error);
    }
    this.#closeIfOver();
  }

  readFailed(status: number): void {
    this.#break(status, "read");
  }

  written(status: number): void {
    this.#underWay -= 1;
    if (this.#handle === null) return;
    if (status < 0) {
      this.#break(status, "write");
      return;
    }
    if (this.#underWay > 0) return;
    this.writing = false;
    if (this.#isEnding) this.#shutDown(this.#handle);
    try {
      this.listener.onDrain();
    } catch (error) {
      this.listener.onFault(error);
    }
  }

  shutdownDone(): void {
    this.#isShutting = false;
    this.#isShut = true;
    if (this.#isReset) this.#close(true);
    else this.#closeIfOver();
  }

  handleClosed(): void {
    this.writing = false;
    try {
      this.listener.onClose();
    } catch (error) {
      this.listener.onFault(error);
    }
  }

  // ------------------------------------------------------------------ inside

  /**
   * Hands bytes to the kernel without a request behind them and returns how many it took, 0 where a handle has no
   * descriptor (not on POSIX systems). Unlike the handle's own way it says how many those are, so that only the rest
   * has to be copied.
   */
  #sendNow(bytes: Buffer): number {
    if (this.#descriptor < 0) return 0;
    try {
      return fs.writeSync(this.#descriptor, bytes);
    } catch (error) {
      // Anything thrown by a call of the file system has a code.
      const { code = "UNKNOWN" } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") return 0;
      this.#fail({ code, syscall: "write" });
      return bytes.length;
    }
  }

  #shutDown(handle: SystemHandle): void {
    this.#isShutting = true;
    shutDown(handle, this);
  }

  /** Both sides have said their last. */
  #closeIfOver(): void {
    if (this.#hasEnded && this.#isShut) this.#close(false);
  }

  #break(status: number, syscall: string): void {
    this.#fail({ code: nameOf(status), syscall });
  }

  /** It is over; told later, because nothing is heard inside of a call of the owner's. */
  #fail(error: SocketError): void {
    if (this.#handle === null) return;
    this.#close(false);
    process.nextTick(tellError, this, error);
  }

  #close(byReset: boolean): void {
    const handle = this.#handle;
    this.#handle = null;
    if (handle !== null) closeHandle(handle, byReset);
  }
}

/** Takes an accepted connection to whoever listens, or turns it away. */
export function acceptHandle(
  handle: SystemHandle,
  listenerOf: (socket: AcceptedSocket) => SocketListener | null,
): void {
  handle.setNoDelay?.(true);
  const socket = new AcceptedSocket(handle);
  const listener = listenerOf(socket);
  if (listener === null) socket.destroy();
  else socket.listener = listener;
}

/** Where a connection came to. Of a pipe, and of what is closed, nothing. */
export function localEnd(handle: SystemHandle | null): Ends {
  const ends: Partial<Ends> = {};
  handle?.getsockname?.(ends);
  return { address: ends.address ?? "", port: ends.port ?? 0 };
}

function tellError(socket: AcceptedSocket, error: SocketError): void {
  try {
    socket.listener.onError(error);
  } catch (fault) {
    socket.listener.onFault(fault);
  }
}
