/**
 * Whether a client that comes gets a connection. Where there is no room, whoever has been idle longest makes some, because
 * browsers keep connections that they may never use again. Some above the limit are told so by one refusal; beyond them
 * connections are closed without a word, because an answer would need what is short.
 */
import type { ListenerSettings } from "../config/settings.ts";
import type { SocketListener, SocketPort } from "../kernel/socket.ts";
import { ClientConnection } from "./client-connection.ts";
import { isCounted } from "./connection-count.ts";
import type { Core } from "./core.ts";
import { identifyPeer } from "./identify.ts";
import type { ListenerRuntime, Surplus } from "./listener-runtime.ts";

export interface DoorPorts {
  readonly core: Core;
  readonly listeners: () => readonly ListenerRuntime[];
  /** What the process itself can bear now. */
  readonly connectionsMax: () => number;
}

const TELL_EVERY_MS = 10_000;
/** Connections that are asked for their place, oldest first: accepting must not become slow when it matters most. */
const RECLAIM_LOOKS = 64;
/** Clients above the limit that are told so. */
const SURPLUS_MAX = 16;
const SURPLUS_OF_CLIENT_MAX = 4;

export class Door {
  readonly #ports: DoorPorts;
  #toldAt = -Infinity;

  constructor(ports: DoorPorts) {
    this.#ports = ports;
  }

  /** Null: it is closed at once. */
  accept(listener: ListenerRuntime, socket: SocketPort): SocketListener | null {
    const { core } = this.#ports;
    const { connectionsMax, handshakesMax } = core.limits;
    // Told nothing and given nothing: an answer would need what is short. Whoever is idle makes room for the next.
    if (core.connections >= this.#ports.connectionsMax() && !this.reclaimOne(null)) {
      return this.#turnAway(tooMany(core.connections, core.connections));
    }
    if (core.connections >= connectionsMax + SURPLUS_MAX) {
      return this.#turnAway(tooMany(core.connections, connectionsMax));
    }
    if (listener.settings.tls !== null && core.handshaking.size >= handshakesMax && !this.#reclaimHandshake()) {
      return this.#turnAway(
        `${core.handshaking.size} TLS handshakes are under way, as many as may be (limits.handshakes); new connections are closed without an answer`,
      );
    }
    const scheme = schemeOf(listener.settings, socket);
    const peer = identifyPeer(socket.remoteAddress, listener.isTrusted, core, socket.carrier.proxy, scheme);
    const own = isCounted(peer) ? (core.connectionsOf.get(peer.key) ?? 0) : 0;
    if (own >= core.connectionsPerClientMax + SURPLUS_OF_CLIENT_MAX) {
      return this.#turnAway(
        `${core.connectionsPerClientMax} connections of ${peer.address} are open, as many as one client may have (limits.connectionsPerClient); its new ones are closed without an answer`,
      );
    }
    let surplus: Surplus = null;
    if (own >= core.connectionsPerClientMax && !this.reclaimOne(peer.key)) surplus = "client";
    else if (core.connections >= connectionsMax && !this.reclaimOne(null)) surplus = "all";
    return new ClientConnection(core, listener, socket, peer, surplus);
  }

  /** Whoever has been idle longest makes room; null: whoever it is of. False: nobody is. */
  reclaimOne(whose: number | null): boolean {
    const now = this.#ports.core.clock.monotonic();
    for (const { connections, sessions } of this.#ports.listeners()) {
      if (reclaimFrom(connections, whose, now) || reclaimFrom(sessions, whose, now)) return true;
    }
    return false;
  }

  /** Whoever has taken longest gives way. */
  #reclaimHandshake(): boolean {
    const { handshaking, clock } = this.#ports.core;
    const [oldest] = handshaking;
    return oldest?.reclaim(clock.monotonic()) === true;
  }

  /** Counted each time, told now and then: a flood of connections must not become one of events. */
  #turnAway(detail: string): null {
    const { telemetry, clock, book } = this.#ports.core;
    telemetry.connectionsTurnedAway += 1;
    const now = clock.monotonic();
    if (now - this.#toldAt < TELL_EVERY_MS) return null;
    this.#toldAt = now;
    book.publish({ kind: "gateway", at: clock.wall(), code: "connections.turned-away", detail });
    return null;
  }
}

interface Reclaimable {
  readonly peer: { readonly key: number };
  reclaim(now: number): boolean;
}

function reclaimFrom(those: Iterable<Reclaimable>, whose: number | null, now: number): boolean {
  let looked = 0;
  for (const one of those) {
    if ((whose === null || one.peer.key === whose) && one.reclaim(now)) return true;
    looked += 1;
    if (looked === RECLAIM_LOOKS) break;
  }
  return false;
}

function tooMany(open: number, max: number): string {
  return `${open} client connections are open and ${max} may be (limits.connections); new ones are closed without an answer`;
}

/** What the client speaks, with this gateway or with the load balancer that told of it. */
function schemeOf({ tls }: ListenerSettings, { carrier }: SocketPort): "http" | "https" {
  return tls === null && carrier.tls === null ? "http" : "https";
}
