/**
 * A simulated client: asks for one thing after another on kept connections, thinks in between, may send requests
 * ahead, read slowly, or leave; and judges every byte that it is answered with.
 *
 * It never repeats a request by itself: what the gateway loses stays lost and is seen.
 */
import type { SeededChance } from "./chance.ts";
import { ClientSession } from "./client-session.ts";
import type { ClientWorld, SessionHabits, SessionOwner } from "./client-session.ts";
import type { RequestPlan } from "./ledger.ts";

export interface ClientHabits extends SessionHabits {
  /** How many requests it makes; then it closes its connection and is done. */
  readonly requests: number;
  /** From one answer to the next request, ms, both above 0; small pauses as likely as large ones. */
  readonly thinkMs: readonly [least: number, most: number];
  /** Draws the next request. */
  readonly plan: (chance: SeededChance) => RequestPlan;
  /** Requests without a body that are sent together at most; 1: each waits for the answer before it. */
  readonly ahead: number;
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

export class SimClient implements SessionOwner {
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

  /** Asks for one thing, or for several at once when none of them has a body. */
  connected(session: ClientSession): void {
    const plans = [this.habits.plan(this.chance)];
    const count = Math.min(this.left, this.chance.integer(1, this.habits.ahead));
    while (plans.length < count && plans.every(mayBeFollowed)) plans.push(this.habits.plan(this.chance));
    this.left -= plans.length;
    for (const plan of plans) session.ask(plan);
  }

  free(session: ClientSession): void {
    if (this.left <= 0) session.finish();
    else this.thinkAndGoOn();
  }

  unreachable(): void {
    this.left -= 1;
  }

  settled(): void {
    // What became of it is in the ledger.
  }

  ended(session: ClientSession): void {
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
    if (this.#session?.isOpen === true) this.connected(this.#session);
    else if (this.#session === null) {
      this.#open += 1;
      this.#session = new ClientSession(this, this.ip);
    }
  }
}

function mayBeFollowed(plan: RequestPlan): boolean {
  return plan.bodyBytes === 0 && plan.abort === null;
}

/** Mostly small reads, some writes, some large ones. */
export function usualPlan(chance: SeededChance): RequestPlan {
  const method = chance.pick(["GET", "GET", "GET", "GET", "HEAD", "PUT", "POST", "POST", "DELETE"] as const);
  const hasBody = method === "PUT" || method === "POST";
  return {
    method,
    path: "",
    lines: "",
    resource: 0,
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
