/**
 * Connects to origins that speak HTTP/2: each dial is a stream on a session, of which an address has as few as its
 * exchanges need. How many there are is bounded by `connections.perOrigin`, which bounds the exchanges.
 *
 * An origin that may choose (ALPN) and chooses HTTP/1.1 gets the connections of HTTP/1.1 for a while without being asked
 * again.
 */
import type { Clock, Schedule } from "../kernel/clock.ts";
import type { Address, Dial, Http2Transport, SocketListener, SocketPort, Transport } from "../kernel/socket.ts";
import { OriginSession } from "./h2-origin-session.ts";
import type { SessionPlace, StreamOwner } from "./h2-origin-session.ts";
import { OriginStream } from "./h2-origin-stream.ts";
import type { StreamSource } from "./h2-origin-stream.ts";
import { SessionRequests } from "./session-requests.ts";

/** How long an address that chose HTTP/1.1 is not asked again. */
const HTTP1_MS = 10 * 60_000;

export interface Http2DialPorts {
  /** Over TLS it offers HTTP/2 where `h2`, and HTTP/1.1 where the origin may choose. */
  readonly dial: (address: Address, listener: SocketListener, opening: Buffer | undefined, h2: boolean) => SocketPort;
  readonly clock: Clock;
  readonly schedule: Schedule;
}

/** Addresses without HTTP/2 are dialled as they are. */
export function createHttp2Dial(ports: Http2DialPorts): Dial {
  const places = new WeakMap<Address, OriginSessions>();
  return (address, listener, opening) => {
    const http2 = address.transport?.http2 ?? null;
    // What opens a connection says whose it is: one that is shared has no such owner.
    if (http2 === null || opening !== undefined) return ports.dial(address, listener, opening, false);
    let sessions = places.get(address);
    if (sessions === undefined) {
      sessions = new OriginSessions(ports, address, http2);
      places.set(address, sessions);
    }
    return sessions.dial(listener, http2);
  };
}

class OriginSessions implements StreamSource, SessionPlace {
  readonly clock: Clock;
  readonly schedule: Schedule;
  http2: Http2Transport;
  readonly requests = new SessionRequests();
  readonly #ports: Http2DialPorts;
  readonly #address: Address;
  /** Oldest first: the oldest with room is used, so that surplus ones are left alone and close. */
  readonly #sessions: OriginSession[] = [];
  #http1Until = -Infinity;
  /** By which the sessions were made. */
  #transport: Transport | null;

  constructor(ports: Http2DialPorts, address: Address, http2: Http2Transport) {
    this.#ports = ports;
    this.#address = address;
    this.#transport = address.transport ?? null;
    this.clock = ports.clock;
    this.schedule = ports.schedule;
    this.http2 = http2;
  }

  monotonic = (): number => this.clock.monotonic();

  /** `http2`: as it is configured now. */
  dial(listener: SocketListener, http2: Http2Transport): SocketPort {
    this.http2 = http2;
    if (this.#address.transport !== this.#transport) this.#beginAnew();
    if (this.clock.monotonic() < this.#http1Until) return this.dialHttp1(listener);
    const stream = new OriginStream(this, this.#address, listener);
    this.find(stream);
    return stream;
  }

  dialHttp1(listener: SocketListener): SocketPort {
    return this.#ports.dial(this.#address, listener, undefined, false);
  }

  find(stream: StreamOwner): void {
    const session = this.#withRoom() ?? this.#open();
    session.join(stream);
    // The last one that the origin takes on it: the next connection is there when the next exchange comes.
    if (this.requests.max !== Infinity && this.#withRoom() === undefined) this.#open();
  }

  onGone(session: OriginSession): void {
    const at = this.#sessions.indexOf(session);
    if (at !== -1) this.#sessions.splice(at, 1);
  }

  onSurplus(owner: StreamOwner): void {
    this.find(owner);
  }

  onHttp1(socket: SocketPort, owners: readonly StreamOwner[]): void {
    this.#http1Until = this.clock.monotonic() + HTTP1_MS;
    const [first, ...others] = owners;
    if (first === undefined) socket.destroy();
    else (first as OriginStream).useHttp1(socket);
    for (const owner of others) (owner as OriginStream).dialHttp1();
  }

  /**
   * Another transport is configured, which may trust somebody else and show another certificate: what was connected
   * before finishes what it has and gets nothing more.
   */
  #beginAnew(): void {
    this.#transport = this.#address.transport ?? null;
    this.#http1Until = -Infinity;
    for (const session of this.#sessions.splice(0)) session.retire();
  }

  #withRoom(): OriginSession | undefined {
    return this.#sessions.find((each) => each.room > 0);
  }

  #open(): OriginSession {
    const session = new OriginSession((listener) => this.#ports.dial(this.#address, listener, undefined, true), this);
    this.#sessions.push(session);
    return session;
  }
}
