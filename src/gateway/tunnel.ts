/**
 * After a 101: two connections whose bytes go across as they are, until either side ends. HTTP is over then, so
 * nothing here is retried, judged or timed beyond what keeps a dead peer from holding a place for ever.
 */
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import type { ClientSide } from "./absent-client.ts";
import type { Core } from "./core.ts";
import { writeInterimHead } from "./forward-response.ts";
import type { OriginConnection } from "./origin-connection.ts";
import type { ExchangeRecord } from "../contract/record.ts";

/** What the 101 agreed on, or why it cannot stand: it must be one of what was `asked` for (RFC 9110 §7.8). */
export function agreedProtocol(asked: string, head: MessageHead): { readonly agreed: string; readonly why: string } {
  const agreed = (head.valueOf(FIELD.UPGRADE) ?? "").toLowerCase();
  if (asked === "") return { agreed, why: "101 without a request to upgrade" };
  const wanted = asked.split(",").map((protocol) => protocol.trim());
  return { agreed, why: wanted.includes(agreed) ? "" : `101 to "${agreed}", asked was "${asked}"` };
}

export class Tunnel {
  readonly #core: Core;
  readonly #client: ClientSide;
  readonly #record: ExchangeRecord;
  #origin: OriginConnection | null;

  constructor(core: Core, client: ClientSide, origin: OriginConnection, record: ExchangeRecord) {
    this.#core = core;
    this.#client = client;
    this.#origin = origin;
    this.#record = record;
  }

  open(head: MessageHead, agreed: string): void {
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
    if (this.#origin !== null) this.#core.gather.body(this.#origin.socket, bytes, start, end, false, false);
  }

  clientFin(): void {
    const origin = this.#origin;
    if (origin === null) return;
    origin.socket.end();
    // What the origin still has to say may take its time, but not for ever.
    origin.wait("gap", this.#client.listener.settings.idleMs, this.#core.clock.monotonic());
  }

  /** The client has closed in order, and all that it sent is on its way: the origin takes it, or its time runs out. */
  clientDone(now: number): void {
    this.#origin?.wait("write", this.#client.listener.settings.bodyGapMs, now);
  }

  fromOrigin(bytes: Buffer, start: number, end: number): void {
    this.#record.responseBytes += end - start;
    this.#core.gather.body(this.#client.socket, bytes, start, end, false, false);
  }

  originFin(): void {
    this.#client.socket.end();
  }
}
