/**
 * People who come when they come: requests at a steady rate, whatever becomes of those before them (an open loop).
 * Where a closed loop of clients waits and so spares a gateway in trouble, this one keeps pressing, loses patience,
 * and asks again, as browsers, apps and their users do. What one of them wanted is a `Call`; each try of it is a
 * request of its own in the ledger.
 */
import type { SeededChance } from "./chance.ts";
import { ClientSession } from "./client-session.ts";
import type { ClientWorld, SessionHabits, SessionOwner } from "./client-session.ts";
import type { RequestPlan, RequestStory } from "./ledger.ts";

export interface LoadPlan {
  /** `critical`, `route-a`: for people, and in the User-Agent. */
  readonly name: string;
  /** New calls in a second; a function of the ms of traffic so far where it changes. 0: none for now. */
  readonly perSecond: number | ((atMs: number) => number);
  readonly fromMs: number;
  readonly untilMs: number;
  readonly plan: (chance: SeededChance, number: number) => RequestPlan;
  /** A try is given up after this long. */
  readonly patienceMs: number;
  /** Tries after the first. */
  readonly repeats: number;
  /** Before a repeat, about this long; half to one and a half times. */
  readonly backoffMs: number;
  /** Waits for as long as a Retry-After says. */
  readonly obeysRetryAfter: boolean;
  /** Each call makes a connection of its own, and leaves it open. */
  readonly keepsOpen: boolean;
  /** From so many addresses, in turn. At most 250. */
  readonly addresses: number;
}

export const USUAL_LOAD: Omit<LoadPlan, "name" | "perSecond" | "untilMs"> = {
  fromMs: 0,
  plan: smallRead,
  patienceMs: 10_000,
  repeats: 0,
  backoffMs: 200,
  obeysRetryAfter: false,
  keepsOpen: false,
  addresses: 200,
};

export interface Call {
  readonly load: string;
  readonly number: number;
  /** Monotonic ms. */
  readonly at: number;
  readonly plan: RequestPlan;
  /** One for each try that found a connection. */
  readonly stories: RequestStory[];
  tries: number;
  state: "under way" | "served" | "failed";
  endedAt: number;
}

interface Try {
  readonly call: Call;
  readonly session: ClientSession;
  story: RequestStory | null;
  cancelPatience: () => void;
}

/** How often it is asked whether calls come again, while none do. */
const LOOK_AGAIN_MS = 100;
const HABITS: SessionHabits = { version: "1.1", readPauseMs: 0, pieceBytes: 64 * 1024, pieceGapMs: 0 };

export class Load implements SessionOwner {
  readonly name: string;
  readonly world: ClientWorld;
  readonly chance: SeededChance;
  readonly habits: SessionHabits = HABITS;
  readonly calls: Call[] = [];
  readonly plan: LoadPlan;
  readonly #prefix: string;
  readonly #idle: ClientSession[] = [];
  readonly #tries = new Map<ClientSession, Try>();
  #open = 0;
  #waiting = 0;
  #dialled = 0;
  #startedAt = 0;
  #over = false;

  constructor(world: ClientWorld, prefix: string, plan: LoadPlan, chance: SeededChance) {
    this.world = world;
    this.plan = plan;
    this.name = plan.name;
    this.chance = chance;
    this.#prefix = prefix;
  }

  get isDone(): boolean {
    return this.#over && this.#waiting === 0 && this.#open === 0;
  }

  /** Connections that are open or being made. */
  get connections(): number {
    return this.#open;
  }

  start(): void {
    this.#startedAt = this.world.clock.monotonic();
    this.#nextIn(this.plan.fromMs + this.chance.next() * 10);
  }

  /** All its connections break at once, as when the network of its clients is gone for a moment. */
  drop(): void {
    for (const session of this.#idle.splice(0)) session.abandon("reset");
  }

  // ------------------------------------------------------------------ its connections

  connected(session: ClientSession): void {
    const attempt = this.#tries.get(session);
    if (attempt !== undefined) this.#ask(attempt);
    else session.finish();
  }

  free(session: ClientSession): void {
    if (this.#over) session.finish();
    else this.#idle.push(session);
  }

  unreachable(session: ClientSession): void {
    const attempt = this.#tries.get(session);
    if (attempt !== undefined) this.#tried(attempt, null);
  }

  settled(story: RequestStory, session: ClientSession): void {
    const attempt = this.#tries.get(session);
    if (attempt !== undefined) this.#tried(attempt, story);
  }

  ended(session: ClientSession): void {
    this.#open -= 1;
    const at = this.#idle.indexOf(session);
    if (at !== -1) this.#idle.splice(at, 1);
    const attempt = this.#tries.get(session);
    if (attempt !== undefined) this.#tried(attempt, null);
  }

  // ------------------------------------------------------------------ its calls

  #nextIn(ms: number): void {
    this.world.clock.schedule(ms, () => {
      const atMs = this.world.clock.monotonic() - this.#startedAt;
      if (atMs >= this.plan.untilMs) {
        this.#over = true;
        for (const session of this.#idle.splice(0)) session.finish();
        return;
      }
      const { perSecond } = this.plan;
      const rate = typeof perSecond === "number" ? perSecond : perSecond(atMs);
      if (rate > 0) this.#call();
      this.#nextIn(rate > 0 ? 1000 / rate : LOOK_AGAIN_MS);
    });
  }

  #call(): void {
    const number = this.calls.length + 1;
    const plan = this.plan.plan(this.chance, number);
    const at = this.world.clock.monotonic();
    const call: Call = {
      load: this.name,
      number,
      at,
      plan,
      stories: [],
      tries: 0,
      state: "under way",
      endedAt: -1,
    };
    this.calls.push(call);
    this.#waiting += 1;
    this.#try(call);
  }

  #try(call: Call): void {
    call.tries += 1;
    const rested = this.#restedSession();
    const session = rested ?? this.#newSession();
    const attempt: Try = { call, session, story: null, cancelPatience: () => undefined };
    this.#tries.set(session, attempt);
    attempt.cancelPatience = this.world.clock.schedule(this.plan.patienceMs, () => session.abandon("reset"));
    if (rested !== null) this.#ask(attempt);
  }

  #ask(attempt: Try): void {
    const { call, session } = attempt;
    attempt.story = session.ask(call.plan);
    call.stories.push(attempt.story);
  }

  #tried(attempt: Try, story: RequestStory | null): void {
    const { call, session } = attempt;
    this.#tries.delete(session);
    attempt.cancelPatience();
    if (story?.state === "answered" && story.status === 200) {
      this.#settle(call, "served");
    } else if (call.tries <= this.plan.repeats) {
      const asked = this.plan.obeysRetryAfter ? Math.max(0, (story?.retryAfter ?? 0) * 1000) : 0;
      const wait = Math.max(asked, this.plan.backoffMs * this.chance.between(0.5, 1.5));
      this.world.clock.schedule(wait, () => this.#try(call));
    } else this.#settle(call, "failed");
  }

  #settle(call: Call, state: "served" | "failed"): void {
    call.state = state;
    call.endedAt = this.world.clock.monotonic();
    this.#waiting -= 1;
  }

  #restedSession(): ClientSession | null {
    if (this.plan.keepsOpen) return null;
    // Whoever has waited longest: so many people, and none of them a flood.
    for (let session = this.#idle.shift(); session !== undefined; session = this.#idle.shift()) {
      if (session.isOpen) return session;
    }
    return null;
  }

  #newSession(): ClientSession {
    this.#open += 1;
    this.#dialled += 1;
    return new ClientSession(this, `${this.#prefix}.${1 + (this.#dialled % this.plan.addresses)}`);
  }
}

/** A GET of a few hundred bytes: what most requests are. */
export function smallRead(chance: SeededChance): RequestPlan {
  return { ...SMALL_READ, answerBytes: chance.integer(200, 800) };
}

/** A POST of a few hundred bytes. */
export function smallWrite(chance: SeededChance): RequestPlan {
  return { ...smallRead(chance), method: "POST", bodyBytes: chance.integer(100, 400) };
}

const SMALL_READ: RequestPlan = {
  method: "GET",
  path: "",
  lines: "",
  resource: 0,
  answerBytes: 0,
  answerFraming: "length",
  bodyBytes: 0,
  bodyFraming: "length",
  expectContinue: false,
  abort: null,
};
