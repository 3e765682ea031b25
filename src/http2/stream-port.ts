/**
 * One stream of an HTTP/2 connection as the socket of an HTTP/1.1 connection that carries one request. What its owner
 * reads is the request as HTTP/1.1 (server-session.ts makes it); what it writes is read back by the parser that reads
 * origins, and leaves as frames. So the gateway needs to know nothing of streams, and no framing of HTTP/1.1 gets past
 * this place.
 *
 * `Connection: close` and FIN end the stream and not the connection. A response that ends before it is whole ends by
 * RST_STREAM, never by END_STREAM.
 */
import { createHash } from "node:crypto";
import type { MessageHead } from "../http1/head.ts";
import { ResponseParser } from "../http1/parser.ts";
import type { MessageEvents, MessageLimits } from "../http1/parser.ts";
import type { RefusalId } from "../http1/refusals.ts";
import { DEAF, HEAD_ROOM, TAIL_ROOM } from "../kernel/socket.ts";
import type { Carrier, SocketListener, SocketPort } from "../kernel/socket.ts";
import type { ErrorName } from "./frames.ts";
import type { Priority } from "./priority.ts";

/** What a stream asks of its connection. */
export interface StreamCarrier {
  readonly carrier: Carrier;
  readonly socket: SocketPort;
  sendHead(stream: StreamPort, head: MessageHead, status: number): void;
  sendData(stream: StreamPort, bytes: Buffer, start: number, end: number): void;
  /** After everything else that was sent. */
  sendEnd(stream: StreamPort): void;
  /** RST_STREAM, now. */
  reset(stream: StreamPort, error: ErrorName): void;
  /** Calls `settled` outside of all calls. */
  settleLater(stream: StreamPort): void;
  onFault(error: unknown): void;
}

/** A response of the gateway is at most what its origins may say and its own lines. */
const OWN_LIMITS: MessageLimits = {
  headBytes: 1024 * 1024,
  fields: 10_000,
  lineBytes: 64 * 1024,
  chunkExtensionBytes: 64,
  trailerBytes: 1024 * 1024,
};

const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** Before content that waits stands the size of its chunk. */
const CHUNK_HEAD_ROOM = 16;
/** What more may come is given so much room at first. */
const HELD_BYTES = 4096;

export class StreamPort implements SocketPort, MessageEvents {
  listener: SocketListener = DEAF;
  /** Among those of its connection that are open. */
  older: StreamPort | null = null;
  newer: StreamPort | null = null;
  readonly id: number;
  /** Bytes that the client lets us send. */
  sendWindow: number;
  /** Bytes that we let the client send, and what of that has been used up and not been granted again. */
  receiveWindow: number;
  unacknowledged = 0;
  /** The client has said all (END_STREAM), and so have we. */
  remoteEnded = false;
  localEnded = false;
  /** Nothing of it counts any more. */
  closed = false;
  /** Content of the request: in chunks, or so many bytes of a known length are missing; -1: unknown. */
  chunked = false;
  lengthLeft = -1;
  /** What is put behind the answer: this stream was not as it must be. */
  verdict: ErrorName | null = null;
  /** Content of the response that waits: for the client's window, or for the connection to take it. */
  readonly queue: Buffer[] = [];
  queuedBytes = 0;
  /** `queue` has begun to be sent here. */
  queueStart = 0;
  endQueued = false;
  /** What the client says of its order among others (send-order.ts). */
  priority: Priority | null = null;
  /** It stands in that order. */
  isListed = false;
  /** Where its last frame begins among those that have not left (frame-writer.ts); 0: there is none. */
  endMark = 0;
  /** It was asked for a WebSocket: its content is neither chunked nor counted. */
  isTunnel = false;
  /** Its owner has heard the last of it. */
  isTold = false;
  paused = false;
  /** Content of the request that came while its reader did not want it, with room around; null: none. */
  #held: Buffer | null = null;
  #heldEnd = 0;
  /** What ends the content and came behind the held one. */
  #heldEnding: Buffer | null = null;
  owesDrain = false;
  owesResume = false;
  readonly #session: StreamCarrier;
  readonly #parser: ResponseParser;
  /** What an origin proves with that it understood our handshake of a WebSocket; empty: none was asked for. */
  #proof = "";

  constructor(session: StreamCarrier, id: number, sendWindow: number, receiveWindow: number) {
    this.#session = session;
    this.id = id;
    this.sendWindow = sendWindow;
    this.receiveWindow = receiveWindow;
    this.#parser = new ResponseParser(OWN_LIMITS, this);
  }

  /** `method` of the request. `websocketKey`: it is asked for a tunnel, by GET there; empty: it is not. */
  expect(method: string, websocketKey: string): void {
    this.isTunnel = websocketKey !== "";
    if (this.isTunnel) this.#proof = createHash("sha1").update(`${websocketKey}${WEBSOCKET_GUID}`).digest("base64");
    this.#parser.expect(this.isTunnel ? "GET" : method);
  }

  // ------------------------------------------------------------------ the socket

  get carrier(): Carrier {
    return this.#session.carrier;
  }

  get remoteAddress(): string {
    return this.#session.socket.remoteAddress;
  }

  get remotePort(): number {
    return this.#session.socket.remotePort;
  }

  get localAddress(): string {
    return this.#session.socket.localAddress;
  }

  get localPort(): number {
    return this.#session.socket.localPort;
  }

  get writing(): boolean {
    return this.queuedBytes > 0;
  }

  get waitingBytes(): number {
    return this.queuedBytes;
  }

  write(bytes: Buffer): boolean {
    if (this.closed || this.localEnded || this.endQueued) return true;
    const parser = this.#parser;
    let at = 0;
    for (let before = -1; at !== before && at < bytes.length && !parser.tunnel && !this.closed;) {
      before = at;
      at = parser.execute(bytes, at, bytes.length);
    }
    if (parser.tunnel && !this.closed && at < bytes.length) this.#session.sendData(this, bytes, at, bytes.length);
    if (this.queuedBytes === 0) return true;
    this.owesDrain = true;
    return false;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (this.#held === null && this.#heldEnding === null) return;
    this.owesResume = true;
    this.#session.settleLater(this);
  }

  probePeer(): void {
    this.#session.socket.probePeer();
  }

  end(): void {
    if (this.closed || this.localEnded || this.endQueued) return;
    // A tunnel ends with its bytes, and so does a body that nothing else ends.
    const truncated = this.#parser.tunnel ? null : this.#parser.finish();
    if (this.#parser.tunnel) this.#session.sendEnd(this);
    else if (truncated !== null) this.#session.reset(this, "INTERNAL_ERROR");
  }

  reset(): void {
    if (!this.closed) this.#session.reset(this, this.localEnded ? "NO_ERROR" : "INTERNAL_ERROR");
  }

  destroy(): void {
    this.reset();
  }

  // ------------------------------------------------------------------ the response, as the gateway wrote it

  onHead(head: MessageHead): void {
    let { status } = head;
    if (status === 101) {
      // RFC 6455 §4.1: whoever has not understood the handshake has not agreed to it.
      if (head.get("sec-websocket-accept") !== this.#proof) {
        this.#session.reset(this, "CONNECT_ERROR");
        return;
      }
      status = 200;
    }
    // Success would say that the tunnel stands, and an origin that knows no WebSockets has only answered a GET.
    else if (this.isTunnel && status >= 200 && status < 300) status = 502;
    this.#session.sendHead(this, head, status);
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    if (!this.closed) this.#session.sendData(this, bytes, start, end);
  }

  onEnd(): void {
    if (!this.closed) this.#session.sendEnd(this);
  }

  /** Trailer fields of the response; null: none. */
  get trailers(): ResponseParser["trailers"] {
    return this.#parser.trailers;
  }

  onRefusal(id: RefusalId): void {
    this.#session.onFault(new Error(`the gateway's own answer cannot be read: ${id}`));
    this.#session.reset(this, "INTERNAL_ERROR");
  }

  // ------------------------------------------------------------------ the request, on its way to the owner

  /** Whether content has to wait, because its reader does not want any or has not got what came before. */
  get holds(): boolean {
    return this.paused || this.#held !== null;
  }

  get heldBytes(): number {
    return this.#held === null ? 0 : this.#heldEnd - HEAD_ROOM - CHUNK_HEAD_ROOM;
  }

  /** `more`: so much is still to come; Infinity: unknown. A call of gRPC is nearly always whole in its first frame. */
  hold(bytes: Buffer, start: number, end: number, more: number): void {
    const length = end - start;
    let held = this.#held;
    if (held === null) {
      const room = Math.max(length, Math.min(length + more, HELD_BYTES));
      held = Buffer.allocUnsafeSlow(HEAD_ROOM + CHUNK_HEAD_ROOM + room + TAIL_ROOM);
      this.#heldEnd = HEAD_ROOM + CHUNK_HEAD_ROOM;
    } else if (this.#heldEnd + length + TAIL_ROOM > held.length) {
      const wider = Buffer.allocUnsafeSlow(2 * (this.#heldEnd + length) + TAIL_ROOM);
      held.copy(wider, 0, 0, this.#heldEnd);
      held = wider;
    }
    this.#held = held;
    bytes.copy(held, this.#heldEnd, start, end);
    this.#heldEnd += length;
  }

  holdEnding(bytes: Buffer): void {
    this.#heldEnding = bytes;
  }

  /** Gives what was held to `deliver`, and then what ends it, if the reader still wants it. Returns the bytes of content. */
  release(deliver: (bytes: Buffer, start: number, end: number) => void): number {
    const held = this.#held;
    const count = this.heldBytes;
    this.#held = null;
    if (held !== null) deliver(held, HEAD_ROOM + CHUNK_HEAD_ROOM, this.#heldEnd);
    return count;
  }

  takeEnding(): Buffer | null {
    const ending = this.#heldEnding;
    if (this.holds) return null;
    this.#heldEnding = null;
    return ending;
  }
}
