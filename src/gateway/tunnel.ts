/**
 * After a 101: two connections whose bytes go across as they are, until either side ends. HTTP is over then, so
 * nothing here is retried, judged or timed beyond what keeps a dead peer from holding a place for ever.
 *
 * Of a WebSocket it is followed where frames end, so that both sides can be told when the gateway ends
 * (websocket-frames.ts). After that nothing more is passed on, and both are closed when both have answered.
 */
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import type { ClientSide } from "./absent-client.ts";
import type { Core } from "./core.ts";
import { writeInterimHead } from "./forward-response.ts";
import type { OriginConnection } from "./origin-connection.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { SocketPort } from "../kernel/socket.ts";
import { closeForClient, closeForOrigin, FrameBounds } from "./websocket-frames.ts";

/** What the 101 agreed on, or why it cannot stand: it must be one of what was `asked` for (RFC 9110 §7.8). */
export function agreedProtocol(asked: string, head: MessageHead): { readonly agreed: string; readonly why: string } {
  const agreed = (head.valueOf(FIELD.UPGRADE) ?? "").toLowerCase();
  if (asked === "") return { agreed, why: "101 without a request to upgrade" };
  const wanted = asked.split(",").map((protocol) => protocol.trim());
  return { agreed, why: wanted.includes(agreed) ? "" : `101 to "${agreed}", asked was "${asked}"` };
}

/** One direction of a WebSocket. */
interface Way {
  readonly bounds: FrameBounds;
  /** `telling`: with the next end of a frame. `told`: what comes after it is dropped. */
  state: "passing" | "telling" | "told";
}

export class Tunnel {
  readonly #core: Core;
  readonly #client: ClientSide;
  readonly #record: ExchangeRecord;
  #origin: OriginConnection | null;
  /** Null: it is no WebSocket. */
  #toOrigin: Way | null = null;
  #toClient: Way | null = null;
  /** Closed by the gateway, after both had answered. */
  #isEnded = false;

  constructor(core: Core, client: ClientSide, origin: OriginConnection, record: ExchangeRecord) {
    this.#core = core;
    this.#client = client;
    this.#origin = origin;
    this.#record = record;
  }

  open(head: MessageHead, agreed: string): void {
    if (agreed === "websocket") {
      this.#toOrigin = { bounds: new FrameBounds(), state: "passing" };
      this.#toClient = { bounds: new FrameBounds(), state: "passing" };
    }
    this.#origin?.becomeTunnel();
    // Nothing else ends a tunnel whose one end lost its network.
    this.#origin?.socket.probePeer();
    this.#client.socket.probePeer();
    writeInterimHead(this.#core.gather.to(this.#client.socket), head, agreed);
    this.#client.becomeTunnel();
  }

  /** The origin's side is closed. */
  originGone(): void {
    this.#origin = null;
  }

  fromClient(bytes: Buffer, start: number, end: number): void {
    this.#record.requestBytes += end - start;
    const way = this.#toOrigin;
    const to = this.#origin?.socket ?? null;
    if (way !== null && way.state !== "passing") this.#leaving(way, to, bytes, start, end);
    else {
      way?.bounds.follow(bytes, start, end);
      if (to !== null) this.#core.gather.body(to, bytes, start, end, false, false);
    }
  }

  /**
   * Tells both sides of a WebSocket that this gateway goes away, each as soon as a frame has ended. False: it is none, or
   * one side has begun to close it already.
   */
  leave(): boolean {
    const [toOrigin, toClient, origin] = [this.#toOrigin, this.#toClient, this.#origin];
    if (toOrigin === null || toClient === null || origin === null) return false;
    if (toOrigin.state !== "passing" || toOrigin.bounds.closing || toClient.bounds.closing) return false;
    for (const [way, to] of [
      [toOrigin, origin.socket],
      [toClient, this.#client.socket],
    ] as const) {
      way.state = "telling";
      if (way.bounds.between) this.#tell(way, to);
    }
    this.#core.gather.flush();
    return true;
  }

  /** What belongs to the frame that is under way is passed on; then it is told, and the rest is dropped. */
  #leaving(way: Way, to: SocketPort | null, bytes: Buffer, start: number, end: number): void {
    const bound = way.state === "told" ? start : way.bounds.boundary(bytes, start, end);
    const passEnd = bound === -1 ? end : bound;
    if (to !== null && passEnd > start) this.#core.gather.body(to, bytes, start, passEnd, false, false);
    if (bound === -1) return;
    if (way.state === "telling") this.#tell(way, to);
    way.bounds.follow(bytes, bound, end);
    this.#endIfAnswered();
  }

  #tell(way: Way, to: SocketPort | null): void {
    way.state = "told";
    if (to === null) return;
    const frame = way === this.#toClient ? closeForClient() : closeForOrigin(this.#core.chance());
    this.#core.gather.body(to, frame, 0, frame.length, false, false);
  }

  /** Both have said that they close (RFC 6455 §7.1.1: then the connection is closed). */
  #endIfAnswered(): void {
    const [toOrigin, toClient] = [this.#toOrigin, this.#toClient];
    if (toOrigin?.state !== "told" || toClient?.state !== "told") return;
    if (!toOrigin.bounds.closing || !toClient.bounds.closing || this.#isEnded) return;
    this.#isEnded = true;
    this.#core.gather.flush();
    this.#client.socket.end();
    this.#origin?.socket.end();
  }

  clientFin(): void {
    const origin = this.#origin;
    if (origin === null) return;
    if (!this.#isEnded) origin.socket.end();
    // What the origin still has to say may take its time, but not for ever.
    origin.wait("gap", this.#client.listener.settings.idleMs, this.#core.clock.monotonic());
  }

  /** The client has closed in order, and all that it sent is on its way: the origin takes it, or its time runs out. */
  clientDone(now: number): void {
    this.#origin?.wait("write", this.#client.listener.settings.bodyGapMs, now);
  }

  fromOrigin(bytes: Buffer, start: number, end: number): void {
    this.#record.responseBytes += end - start;
    const way = this.#toClient;
    const to = this.#client.socket;
    if (way !== null && way.state !== "passing") this.#leaving(way, to, bytes, start, end);
    else {
      way?.bounds.follow(bytes, start, end);
      this.#core.gather.body(to, bytes, start, end, false, false);
    }
  }

  originFin(): void {
    if (!this.#isEnded) this.#client.socket.end();
  }
}
