/**
 * A simulated origin: a process on a virtual host that answers as its script says, also wrongly, late, in part or
 * not at all; and that can crash, come back, and close connections that lie idle.
 *
 * It checks what it is sent, byte for byte, and writes into the ledger which requests it received whole: that is
 * what "run" means for a request that must not run twice.
 */
import type { SocketPort } from "../src/kernel/socket.ts";
import type { Capacity } from "./capacity.ts";
import type { SeededChance } from "./chance.ts";
import type { Ledger, Wanted } from "./ledger.ts";
import { OriginSession } from "./origin-session.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { VirtualNetwork } from "./virtual-network.ts";

export interface AnswerPlan {
  /** From the moment at which the request is complete (with `early`: its head) to the first byte. */
  readonly delayMs: number;
  /** Where the origin has a capacity: how much of it this takes, waited for before `delayMs`. 1 is usual. */
  readonly work: number;
  readonly status: number;
  readonly framing: "length" | "chunked" | "close";
  readonly bytes: number;
  /** The response leaves in pieces of this size, this far apart. */
  readonly pieceBytes: number;
  readonly gapMs: number;
  /** After this many bytes on the wire something happens; -1: nothing does. */
  readonly breakAfter: number;
  /** `stall`: nothing more comes, the connection stays. `crash`: the whole process. */
  readonly breakHow: "fin" | "rst" | "stall" | "crash";
  /** Announced with `Connection: close`. */
  readonly closes: boolean;
  /** Bytes behind the end of the response. */
  readonly extraBytes: number;
  /** Answers when the head is in, before the body; `cuts` then also closes without reading on. */
  readonly early: "no" | "reads on" | "cuts";
  /** Further field lines, complete. */
  readonly lines: string;
  /** The answer has a strong validator, `Range` and `If-Range` are obeyed, and the thing asked for is this one of its versions. */
  readonly version: number | null;
}

/** What is to be done with a request. What it leaves out is done well. */
export type OriginScript = (asked: Wanted & { readonly method: string }, chance: SeededChance) => Partial<AnswerPlan>;

export interface OriginPlace {
  readonly name: string;
  readonly ip: string;
  readonly port: number;
}

export interface OriginWorld {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly ledger: Ledger;
  readonly trace: Trace;
}

export class SimOrigin {
  readonly place: OriginPlace;
  readonly world: OriginWorld;
  readonly chance: SeededChance;
  script: OriginScript = () => ({});
  /** What its health page says: 200, 503, or nothing. */
  health: "well" | "ill" | "mute" = "well";
  /** Further field lines of that page, complete: signs of who it is. */
  healthLines = "";
  /** Idle connections are closed after this long; Infinity: never. */
  idleMs = Infinity;
  /** This long after bytes that nobody asked for, their connection must not be used again; Infinity: nobody looks. */
  doubtMs = Infinity;
  /** Reads, then rests this long, each time; 0: reads as things come. */
  readPauseMs = 0;
  /** Says so in a Keep-Alive field. */
  tellsIdle = false;
  /** Null: everything is done as it comes. */
  capacity: Capacity | null = null;
  /** A process that crashed is started again after this long; Infinity: it stays down. */
  restartMs = Infinity;
  /** Hears of each request of a client that is answered, or given up by whoever asked. */
  onAnswered: (asked: Wanted) => void = () => undefined;
  /** How often it crashed. */
  crashes = 0;
  /** Since when it has been doing its work again; monotonic ms. */
  wellSince: number;
  /** When requests of clients came, monotonic ms, in order. */
  readonly requestsAt: number[] = [];
  #stopListening: (() => void) | null = null;
  readonly #sessions = new Set<OriginSession>();

  constructor(world: OriginWorld, place: OriginPlace, chance: SeededChance) {
    this.world = world;
    this.place = place;
    this.chance = chance;
    this.wellSince = world.clock.monotonic();
  }

  get isRunning(): boolean {
    return this.#stopListening !== null;
  }

  get connections(): number {
    return this.#sessions.size;
  }

  start(): void {
    const { network, trace, clock } = this.world;
    if (this.isRunning) return;
    trace.note(this.place.name, "starts");
    this.wellSince = clock.monotonic();
    const bind = { host: this.place.ip, port: this.place.port };
    this.#stopListening = network.listenNow(bind, (socket) => this.#accept(socket));
  }

  /** The process ends; its kernel ends its connections. */
  crash(how: "fin" | "rst"): void {
    if (!this.isRunning) return;
    this.world.trace.note(this.place.name, `crashes (${how})`);
    this.crashes += 1;
    this.#closeDoor();
    this.capacity?.clear();
    for (const session of this.#sessions) session.kill(how);
    this.#sessions.clear();
    if (Number.isFinite(this.restartMs)) this.world.clock.schedule(this.restartMs, () => this.start());
  }

  /** Stops taking connections, finishes what is under way, as a deploy does it. */
  stopGently(): void {
    if (!this.isRunning) return;
    this.world.trace.note(this.place.name, "stops gently");
    this.#closeDoor();
    for (const session of this.#sessions) session.closeWhenIdle();
  }

  /** Counts from now as doing its work again, for whoever asks whether it gets traffic. */
  recovers(): void {
    this.wellSince = this.world.clock.monotonic();
    this.world.trace.note(this.place.name, "works again");
  }

  forget(session: OriginSession): void {
    this.#sessions.delete(session);
  }

  #closeDoor(): void {
    this.#stopListening?.();
    this.#stopListening = null;
  }

  #accept(socket: SocketPort): OriginSession {
    const session = new OriginSession(this, socket);
    this.#sessions.add(session);
    return session;
  }
}
