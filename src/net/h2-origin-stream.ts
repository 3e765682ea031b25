/**
 * One exchange on an HTTP/2 connection to an origin, as a socket: what the gateway writes is its HTTP/1.1 request, which
 * is read here and goes on as frames; what comes back is handed to it as the bytes of an HTTP/1.1 response. So the
 * gateway has one way to ask and one way to listen, whatever its origins speak, and what it concludes from bytes holds
 * here as well. An end that the origin did not say is never handed on as one.
 */
import { createHash } from "node:crypto";
import type { MessageHead } from "../http1/head.ts";
import type { MessageEvents, MessageLimits } from "../http1/parser.ts";
import { RequestParser } from "../http1/parser.ts";
import type { RefusalId } from "../http1/refusals.ts";
import type { OriginFraming, OriginHead } from "../http2/origin-head.ts";
import { OriginHead as EndOfBody } from "../http2/origin-head.ts";
import { webSocketKey } from "../http2/request-block.ts";
import { PLAIN } from "../kernel/socket.ts";
import type { Carrier, SocketError, SocketListener, SocketPort } from "../kernel/socket.ts";
import { chunkAround, chunkEnd, COPY_START, hasRoom, keepBehind, putBehind, roomyCopy } from "./content-in-place.ts";
import type { OriginSession, StreamOwner } from "./h2-origin-session.ts";

/** Our own gateway wrote it: these bounds are above all that it writes. */
const OWN_LIMITS: MessageLimits = {
  headBytes: 1024 * 1024,
  fields: 10_000,
  lineBytes: 1024 * 1024,
  chunkExtensionBytes: 0,
  trailerBytes: 64 * 1024,
};
/** RFC 6455 §1.3. */
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Where places on sessions come from. */
export interface StreamSource {
  readonly monotonic: () => number;
  find(stream: OriginStream): void;
  /** A connection of its own that speaks HTTP/1.1. */
  dialHttp1(listener: SocketListener): SocketPort;
}

const endOfBody = new EndOfBody();

export class OriginStream implements SocketPort, MessageEvents, StreamOwner {
  listener: SocketListener;
  carrier: Carrier = PLAIN;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** What the origin still takes of the request (RFC 9113 §5.2). */
  window = 0;
  /** The final head has come. */
  headSeen = false;
  waitsAt: OriginSession | null = null;
  /** Among those of its session. */
  older: OriginStream | null = null;
  newer: OriginStream | null = null;
  /** 0: nothing has been asked yet. */
  id = 0;
  readonly #source: StreamSource;
  readonly #parser: RequestParser = new RequestParser(OWN_LIMITS, this);
  #phase: "finding" | "open" | "over" = "finding";
  #session: OriginSession | null = null;
  /** In its place, where the origin speaks HTTP/1.1. */
  #own: SocketPort | null = null;
  #method = "";
  /** Of the request for a WebSocket; null: it is none. */
  #key: string | null = null;
  #isTunnel = false;
  #framing: OriginFraming = "none";
  /** Of a response in bytes of a known length: how many that is, and how many have been handed on. */
  #length = -1;
  #delivered = 0;
  /** Bytes of the request that wait for a window. */
  #unsent: Buffer[] = [];
  #unsentBytes = 0;
  #writing = false;
  /** All of the request is known, and all of it has been said. */
  #requestEnds = false;
  #requestEnded = false;
  #responseEnded = false;
  /** The end of the response stands behind what is unread. */
  #endsUnread = false;
  #trailers: Buffer | null = null;
  #paused = false;
  /** Pieces of the body that came while the gateway did not read. */
  readonly #unread: Buffer[] = [];
  /** Bytes of the window that have not been given back. */
  #owed = 0;

  constructor(source: StreamSource, address: { readonly ip: string; readonly port: number }, listener: SocketListener) {
    this.#source = source;
    this.listener = listener;
    this.remoteAddress = address.ip;
    this.remotePort = address.port;
  }

  get localAddress(): string {
    return (this.#own ?? this.#session?.socket)?.localAddress ?? "";
  }

  get localPort(): number {
    return (this.#own ?? this.#session?.socket)?.localPort ?? 0;
  }

  get cutOff(): boolean {
    return this.#own?.cutOff ?? false;
  }

  /** What it may hold that nobody has read. */
  get #windowBytes(): number {
    return this.#session?.windowBytes ?? 0;
  }

  // ------------------------------------------------------------------ a place

  onHandshake(): void {
    this.#hear(() => this.listener.onHandshake?.());
  }

  onSession(session: OriginSession): void {
    const now = this.#source.monotonic();
    const isUsed = session.uses > 0;
    this.#session = session;
    this.#phase = "open";
    this.carrier = {
      protocol: "h2",
      tls: session.socket.carrier.tls,
      proxy: null,
      shared: {
        connection: session,
        uses: session.uses,
        ageMs: isUsed ? now - session.openedAt : 0,
        // With others under way on it, it has not been idle.
        idleMs: isUsed && session.active === 1 ? now - session.idleSince : 0,
      },
    };
    this.#hear(() => this.listener.onConnect());
  }

  onNoSession(error: SocketError): void {
    if (this.#phase === "over") return;
    this.#hear(() => this.listener.onError(error));
    this.#over();
  }

  /** The origin chose HTTP/1.1 for another, so this one dials for itself. */
  dialHttp1(): void {
    if (this.#phase !== "finding") return;
    const own = this.#source.dialHttp1(
      this.#relay(() => {
        this.carrier = own.carrier;
        this.listener.onConnect();
      }),
    );
    this.#own = own;
  }

  /** The origin chose HTTP/1.1 in the handshake: this is the connection. */
  useHttp1(socket: SocketPort): void {
    this.#phase = "open";
    this.#own = socket;
    this.carrier = socket.carrier;
    socket.listener = this.#relay(() => undefined);
    this.#hear(() => this.listener.onConnect());
  }

  // ------------------------------------------------------------------ the port

  get writing(): boolean {
    return this.#own?.writing ?? this.#writing;
  }

  get waitingBytes(): number {
    return this.#own?.waitingBytes ?? this.#unsentBytes;
  }

  write(bytes: Buffer): boolean {
    if (this.#own !== null) return this.#own.write(bytes);
    if (this.#phase !== "open") return true;
    if (this.#isTunnel) this.#send(bytes, 0, bytes.length);
    else this.#parser.execute(bytes, 0, bytes.length);
    if (this.#unsentBytes > 0) this.#writing = true;
    return !this.#writing;
  }

  pause(): void {
    this.#paused = true;
    this.#own?.pause();
  }

  resume(): void {
    if (this.#own !== null) this.#own.resume();
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#isUnread || this.#owed > 0) queueMicrotask(() => this.#readOn());
  }

  probePeer(): void {
    // A session looks after that while it carries anything.
    this.#own?.probePeer();
  }

  end(): void {
    if (this.#own !== null) this.#own.end();
    else this.#endRequest();
  }

  reset(): void {
    if (this.#own !== null) this.#own.reset();
    else this.#leave();
  }

  destroy(): void {
    if (this.#own !== null) this.#own.destroy();
    else this.#leave();
  }

  // ------------------------------------------------------------------ the request

  onHead(head: MessageHead): void {
    const session = this.#session;
    if (session === null) return;
    const key = webSocketKey(head);
    if (key !== null && !session.takesWebSockets) {
      this.#goAlone(head, session);
      return;
    }
    if (!head.keepAlive) session.retiring = true;
    this.#method = head.method;
    this.#key = key;
    this.#isTunnel = key !== null;
    this.#requestEnded = key === null && (head.framing === "none" || head.contentLength === 0);
    this.window = session.sender.streamWindow;
    session.request(this, head, this.#requestEnded, this.#isTunnel);
    if (this.#isTunnel) this.#parser.stop = true;
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#send(bytes, start, end);
  }

  onEnd(): void {
    if (!this.#isTunnel) this.#endRequest();
  }

  onRefusal(id: RefusalId): void {
    throw new Error(`what this gateway wrote is not HTTP/1.1: ${id}`);
  }

  #send(bytes: Buffer, start: number, end: number): void {
    const session = this.#session;
    if (session === null || this.#requestEnded) return;
    const sent = this.#unsentBytes > 0 ? 0 : session.sender.data(this.id, this.window, bytes, start, end);
    this.window -= sent;
    if (start + sent === end) return;
    // The bytes are the gateway's again when its write returns.
    this.#unsent.push(Buffer.from(bytes.subarray(start + sent, end)));
    this.#unsentBytes += end - start - sent;
    session.sender.starve(this);
  }

  #endRequest(): void {
    this.#requestEnds = true;
    if (this.#unsentBytes > 0 || this.#requestEnded || this.#session === null || this.id === 0) return;
    this.#requestEnded = true;
    const { trailers } = this.#parser;
    if (trailers === null || this.#isTunnel) this.#session.sender.endOf(this.id);
    else this.#session.sender.trailersOf(this.id, trailers);
    this.#closeIfDone();
  }

  /** There is a window again, or the socket has room. */
  goOn(): void {
    const session = this.#session;
    if (session === null || this.#phase !== "open") return;
    for (let first = this.#unsent[0]; first !== undefined; first = this.#unsent[0]) {
      const sent = session.sender.data(this.id, this.window, first, 0, first.length);
      this.window -= sent;
      this.#unsentBytes -= sent;
      if (sent < first.length) {
        this.#unsent[0] = first.subarray(sent);
        session.sender.starve(this);
        return;
      }
      this.#unsent.shift();
    }
    if (this.#requestEnds) this.#endRequest();
    if (!this.#writing || !this.#isOpen) return;
    this.#writing = false;
    this.#hear(() => this.listener.onDrain());
  }

  // ------------------------------------------------------------------ the response

  /** A whole header block; `head` is valid until this returns. */
  onHeadersFrame(head: OriginHead, ends: boolean): void {
    if (this.#responseEnded) {
      this.#break("STREAM_CLOSED", "HEADERS behind the end of the stream");
      return;
    }
    if (this.headSeen) this.#onTrailers(head, ends);
    else if (this.#isTunnel && head.why === "" && head.status >= 200 && head.status < 300) this.#openTunnel(head, ends);
    else this.#onResponseHead(head, ends);
  }

  #onResponseHead(head: OriginHead, ends: boolean): void {
    head.finish(this.#method, ends);
    if (head.why !== "") {
      this.#malformed(head);
      return;
    }
    if (head.status >= 200) {
      this.headSeen = true;
      this.#isTunnel = false;
      this.#framing = head.framing;
      if (head.framing === "length") this.#length = head.contentLength;
      if (ends) this.#responseEnded = true;
    }
    // The gateway does not stop reading before there is a head; a pause that it asks for now holds for what follows.
    this.#tell(head.bytes, head.start, head.end);
    if (ends) this.#tellEnd();
  }

  #openTunnel(head: OriginHead, ends: boolean): void {
    this.headSeen = true;
    this.#framing = "length";
    const accept = createHash("sha1").update(`${this.#key}${WEBSOCKET_GUID}`).digest("base64");
    head.finishTunnel(accept);
    this.#responseEnded = ends;
    this.#tell(head.bytes, head.start, head.end);
    if (ends) this.#tellEnd();
  }

  #onTrailers(head: OriginHead, ends: boolean): void {
    if (!ends || head.why !== "") {
      this.#malformed(head, "a second head without the end of the stream");
      return;
    }
    head.finishTrailers();
    this.#responseEnded = true;
    if (this.#framing === "chunked") {
      // Every call has some: where nothing waits before them they are read where they stand.
      if (this.#unread.length === 0 && !this.#paused) {
        this.#tell(head.bytes, head.start, head.end);
        this.#tellFin();
        return;
      }
      this.#trailers = Buffer.from(head.bytes.subarray(head.start, head.end));
    }
    this.#tellEnd();
  }

  /** `counted`: what the window has lost by it. */
  onDataFrame(bytes: Buffer, start: number, end: number, counted: number, ends: boolean): void {
    this.#owed += counted;
    if (!this.headSeen || this.#responseEnded || (this.#framing === "none" && end > start)) {
      this.#break("PROTOCOL_ERROR", "content where none may be");
      return;
    }
    if (this.#owed > this.#windowBytes) {
      this.#break("FLOW_CONTROL_ERROR", "more than the window allows");
      return;
    }
    this.#responseEnded = ends;
    if (this.#paused || this.#unread.length > 0) {
      if (end > start) this.#unread.push(Buffer.from(bytes.subarray(start, end)));
    } else {
      if (end > start) this.#deliver(bytes, start, end);
      this.#giveBack();
    }
    if (ends) this.#tellEnd();
  }

  onResetFrame(code: string): void {
    // Behind a whole response with NO_ERROR (§8.1) it wants no more of the request, and nothing has failed; and whatever
    // it says there, what has come and was not read yet is whole.
    if (this.#responseEnded && (code === "NO_ERROR" || this.#isUnread)) {
      this.#requestEnded = true;
      this.#unsent = [];
      this.#unsentBytes = 0;
      this.#closeIfDone();
      return;
    }
    this.#forget();
    this.#fail({ code, syscall: "h2" });
  }

  /** Its session ended, or its number was refused. Null: by FIN. */
  lost(error: SocketError | null): void {
    this.#forget();
    if (this.#phase === "over") return;
    // What was read in time is handed on before, as of any socket: an end behind it is no end of it.
    if (this.#responseEnded && this.#isUnread) return;
    if (error !== null) this.#hear(() => this.listener.onError(error));
    else this.#hear(() => this.listener.onFin());
    this.#over();
  }

  /** Body bytes as they are, or as a chunk. */
  #deliver(bytes: Buffer, start: number, end: number): void {
    this.#delivered += end - start;
    const isChunk = this.#framing === "chunked";
    if (hasRoom(bytes, end, isChunk)) {
      keepBehind(bytes, end);
      this.#tellContent(bytes, start, end, isChunk);
      putBehind(bytes, end);
    } else this.#tellContent(roomyCopy(bytes, start, end), COPY_START, COPY_START + end - start, isChunk);
  }

  #tellContent(bytes: Buffer, start: number, end: number, isChunk: boolean): void {
    if (isChunk) this.#tell(bytes, chunkAround(bytes, start, end), chunkEnd(end));
    else this.#tell(bytes, start, end);
  }

  #tellEnd(): void {
    if (this.#phase !== "open") return;
    if (this.#unread.length > 0 || this.#paused) {
      this.#endsUnread = true;
      return;
    }
    this.#endsUnread = false;
    if (this.#framing === "chunked") {
      const trailers = this.#trailers;
      if (trailers !== null) {
        const copy = roomyCopy(trailers, 0, trailers.length);
        this.#tell(copy, COPY_START, COPY_START + trailers.length);
      } else {
        endOfBody.beginTrailers();
        endOfBody.finishTrailers();
        this.#tell(endOfBody.bytes, endOfBody.start, endOfBody.end);
      }
    }
    this.#tellFin();
  }

  #tellFin(): void {
    if (this.#delivered < this.#length) {
      this.#cutShort();
      return;
    }
    // Whoever has had all of it is gone by now.
    if (this.#isOpen) this.#hear(() => this.listener.onFin());
    this.#closeIfDone();
  }

  /** An end that the origin said, before its content was whole (RFC 9113 §8.1.1). The connection knows nothing of it. */
  #cutShort(): void {
    const detail = `${this.#delivered} of ${this.#length} bytes of content had come`;
    if (!this.#requestEnded) this.#session?.sender.reset(this.id, "PROTOCOL_ERROR");
    this.#forget();
    this.#fail({ code: "END_STREAM", syscall: "h2", detail });
  }

  /** The gateway reads again. */
  #readOn(): void {
    for (let first = this.#unread[0]; first !== undefined && !this.#paused; first = this.#unread[0]) {
      if (!this.#isOpen) return;
      this.#unread.shift();
      this.#deliver(first, 0, first.length);
    }
    if (this.#paused || !this.#isOpen) return;
    this.#giveBack();
    if (this.#endsUnread) this.#tellEnd();
  }

  /** As much of the window as has been read, in few large pieces. */
  #giveBack(): void {
    if (this.#paused || this.#responseEnded || this.#owed < this.#windowBytes / 2 || this.id === 0) return;
    this.#session?.sender.windowUpdate(this.id, this.#owed);
    this.#owed = 0;
  }

  #tell(bytes: Buffer, start: number, end: number): void {
    if (this.#isOpen) this.#hear(() => this.listener.onData(bytes, start, end));
  }

  /** Something came that the gateway has not been told yet, if only the end. */
  get #isUnread(): boolean {
    return this.#unread.length > 0 || this.#endsUnread;
  }

  get #isOpen(): boolean {
    return this.#phase === "open";
  }

  // ------------------------------------------------------------------ the end

  #malformed(head: OriginHead, otherwise = ""): void {
    const code = head.tooLarge ? "HEAD_TOO_LARGE" : "MALFORMED";
    const detail = head.why === "" ? otherwise : head.why;
    if (this.id !== 0) this.#session?.sender.reset(this.id, "PROTOCOL_ERROR");
    this.#forget();
    this.#fail({ code, syscall: "h2", detail });
  }

  #break(code: "PROTOCOL_ERROR" | "FLOW_CONTROL_ERROR" | "STREAM_CLOSED", detail: string): void {
    if (this.id !== 0) this.#session?.sender.reset(this.id, code);
    this.#forget();
    this.#fail({ code: "MALFORMED", syscall: "h2", detail });
  }

  #fail(error: SocketError): void {
    if (this.#phase === "over") return;
    this.#hear(() => this.listener.onError(error));
    this.#over();
  }

  /** The gateway is done with it. What the origin has not finished is broken off. */
  #leave(): void {
    if (this.#phase === "over") return;
    if (this.#phase === "finding") this.waitsAt?.leave(this);
    const session = this.#session;
    if (session !== null) {
      if (this.id === 0) session.giveBack();
      else if (!this.#requestEnded || !this.#responseEnded) session.sender.reset(this.id, "CANCEL");
    }
    this.#forget();
    this.#phase = "over";
    queueMicrotask(() => this.#hear(() => this.listener.onClose()));
  }

  #closeIfDone(): void {
    if (!this.#requestEnded || !this.#responseEnded || this.#isUnread) return;
    this.#forget();
    if (this.#isOpen) this.#over();
  }

  #over(): void {
    if (this.#phase === "over") return;
    if (this.id === 0 && this.#session !== null) this.#session.giveBack();
    this.#phase = "over";
    this.#writing = false;
    this.#forget();
    this.#hear(() => this.listener.onClose());
  }

  /** The session has nothing to do with it any more. */
  #forget(): void {
    const session = this.#session;
    this.#session = null;
    if (this.id !== 0) session?.closed(this);
  }

  /** What hears it may have a defect: that costs this exchange, and no other on the session. */
  #hear(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.listener.onFault(error);
    }
  }

  // ------------------------------------------------------------------ without HTTP/2

  /** A WebSocket that the origin does not take over HTTP/2 gets a connection of its own. */
  #goAlone(head: MessageHead, session: OriginSession): void {
    const request = Buffer.from(head.bytes.subarray(head.headStart, head.headEnd));
    this.#parser.stop = true;
    session.giveBack();
    this.#session = null;
    const own = this.#source.dialHttp1(this.#relay(() => void own.write(request)));
    this.#own = own;
    if (this.#paused) own.pause();
  }

  #relay(onConnect: () => void): SocketListener {
    return {
      onConnect,
      onData: (bytes, start, end) => this.listener.onData(bytes, start, end),
      onDrain: () => this.listener.onDrain(),
      onFin: () => this.listener.onFin(),
      onError: (error) => this.listener.onError(error),
      onClose: () => {
        this.#phase = "over";
        this.listener.onClose();
      },
      onFault: (error) => this.listener.onFault(error),
    };
  }
}
