/**
 * A simulated client: asks for one thing after another on kept connections, thinks in between, may send requests
 * ahead, read slowly, or leave; and judges every byte that it is answered with.
 *
 * It never repeats a request by itself: what the gateway loses stays lost and is seen.
 */
import type { Address } from "../src/kernel/socket.ts";
import type { SeededChance } from "./chance.ts";
import { ClientSession } from "./client-session.ts";
import type { Ledger, RequestPlan } from "./ledger.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { VirtualNetwork } from "./virtual-network.ts";

export interface ClientHabits {
  /** How many requests it makes; then it closes its connection and is done. */
  readonly requests: number;
  /** From one answer to the next request, ms, both above 0; small pauses as likely as large ones. */
  readonly thinkMs: readonly [least: number, most: number];
  /** Draws the next request. */
  readonly plan: (chance: SeededChance) => RequestPlan;
  /** Requests without a body that are sent together at most; 1: each waits for the answer before it. */
  readonly ahead: number;
  readonly version: "1.1" | "1.0";
  /** Reads, then rests this long, each time; 0: reads as things come. */
  readonly readPauseMs: number;
  /** A request body leaves in pieces of this size, this far apart. */
  readonly pieceBytes: number;
  readonly pieceGapMs: number;
}

export const USUAL_HABITS: ClientHabits = {
  requests: 20,
  thinkMs: [1, 400],
  plan: usualPlan,
  ahead: 1,
  version: "1.1",
  readPauseMs: 0,
  pieceBytes: 16_000,
  pieceGapMs: 0,
};

export interface ClientWorld {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly ledger: Ledger;
  readonly trace: Trace;
  readonly gateway: Address;
}

export class SimClient {
  readonly name: string;
  readonly ip: string;
  readonly world: ClientWorld;
  readonly habits: ClientHabits;
  readonly chance: SeededChance;
  left: number;
  #session: ClientSession | null = null;
  #open = 0;
  #isThinking = false;

  constructor(world: ClientWorld, name: string, ip: string, habits: ClientHabits, chance: SeededChance) {
    this.world = world;
    this.name = name;
    this.ip = ip;
    this.habits = habits;
    this.chance = chance;
    this.left = habits.requests;
  }

  /** It has asked for everything, and its connections are closed. */
  get isDone(): boolean {
    return this.left <= 0 && this.#open === 0;
  }

  start(): void {
    this.thinkAndGoOn();
  }

  /** Makes no more requests. */
  stop(): void {
    this.left = 0;
    this.#session?.finish();
  }

  thinkAndGoOn(): void {
    // One thought at a time: an answer and the end of its connection are not two reasons to ask twice.
    if (this.#isThinking) return;
    this.#isThinking = true;
    const [least, most] = this.habits.thinkMs;
    this.world.clock.schedule(this.chance.spread(least, most), () => {
      this.#isThinking = false;
      this.#goOn();
    });
  }

  sessionEnded(session: ClientSession): void {
    this.#open -= 1;
    if (this.#session !== session) return;
    this.#session = null;
    if (this.left > 0) this.thinkAndGoOn();
  }

  #goOn(): void {
    if (this.left <= 0) {
      this.#session?.finish();
      return;
    }
    if (this.#session?.isOpen === true) this.#session.ask();
    else if (this.#session === null) {
      this.#open += 1;
      this.#session = new ClientSession(this);
    }
  }
}

/** Mostly small reads, some writes, some large ones. */
export function usualPlan(chance: SeededChance): RequestPlan {
  const method = chance.pick(["GET", "GET", "GET", "GET", "HEAD", "PUT", "POST", "POST", "DELETE"] as const);
  const hasBody = method === "PUT" || method === "POST";
  return {
    method,
    answerBytes: chance.happens(0.1) ? 0 : Math.floor(chance.spread(1, chance.happens(0.1) ? 300_000 : 20_000)),
    answerFraming: chance.pick(["length", "length", "length", "chunked", "chunked", "close"] as const),
    bodyBytes: hasBody ? Math.floor(chance.spread(1, chance.happens(0.1) ? 200_000 : 8_000)) : 0,
    bodyFraming: chance.pick(["length", "chunked"] as const),
    expectContinue: hasBody && chance.happens(0.1),
    abort: null,
  };
}

/** Only what may be repeated, without a body: what no scenario with a well origin left may lose. */
export function readingPlan(chance: SeededChance): RequestPlan {
  return {
    ...usualPlan(chance),
    method: chance.pick(["GET", "GET", "GET", "HEAD"] as const),
    bodyBytes: 0,
    expectContinue: false,
  };
}
