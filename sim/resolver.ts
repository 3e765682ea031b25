/**
 * Names of a simulated world, behind the resolver port: answers can be changed, can fail, and come after a while. It
 * keeps the promises of `src/kernel/resolver.ts` that `src/net/resolver.ts` keeps: a failure never empties an answer,
 * and watchers hear of each new set of addresses and of each new failure, and of nothing else.
 */
import type { Address } from "../src/kernel/socket.ts";
import type { Resolution, ResolutionFailure, Resolver } from "../src/kernel/resolver.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";

interface Name {
  readonly name: string;
  /** What the name servers would say now. */
  truth: readonly string[] | Pick<ResolutionFailure, "cause" | "code">;
  resolution: Resolution;
  answered: boolean;
  asking: boolean;
  waiting: ((resolution: Resolution) => void)[];
  readonly watchers: Set<(resolution: Resolution) => void>;
  cancelRefresh: () => void;
}

const UNKNOWN = { cause: "dns.nxdomain", code: "ENOTFOUND" } as const;

export class SimResolver implements Resolver {
  /** How long a question takes, and how long an answer is fresh. */
  askMs = 5;
  ttlMs = 2_000;
  readonly #clock: VirtualClock;
  readonly #trace: Trace;
  readonly #names = new Map<string, Name>();
  #closed = false;

  constructor(clock: VirtualClock, trace: Trace) {
    this.#clock = clock;
    this.#trace = trace;
  }

  /** From now on, for whoever asks. */
  setAnswer(name: string, truth: Name["truth"]): void {
    this.#nameOf(name).truth = truth;
    this.#trace.note("resolver", `${name} is ${"cause" in truth ? truth.code : truth.join(" ")}`);
  }

  peek(name: string): Resolution | null {
    const known = this.#names.get(name);
    return known?.answered === true ? known.resolution : null;
  }

  resolve(name: string, done: (resolution: Resolution) => void): void {
    const entry = this.#nameOf(name);
    if (entry.resolution.addresses.length > 0) {
      done(entry.resolution);
      return;
    }
    entry.waiting.push(done);
    this.#ask(entry);
  }

  watch(name: string, onChange: (resolution: Resolution) => void): () => void {
    const entry = this.#nameOf(name);
    // A function of its own for each watch, so that one function may watch twice.
    const watcher = (resolution: Resolution): void => onChange(resolution);
    entry.watchers.add(watcher);
    if (entry.answered) this.#clock.schedule(0, () => entry.watchers.has(watcher) && watcher(entry.resolution));
    this.#ask(entry);
    return () => {
      entry.watchers.delete(watcher);
      if (entry.watchers.size === 0) entry.cancelRefresh();
    };
  }

  close(): void {
    this.#closed = true;
    for (const entry of this.#names.values()) entry.cancelRefresh();
  }

  #nameOf(name: string): Name {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const entry: Name = {
      name,
      truth: UNKNOWN,
      resolution: { name, addresses: [], failure: null, learnedAt: -1 },
      answered: false,
      asking: false,
      waiting: [],
      watchers: new Set(),
      cancelRefresh: () => undefined,
    };
    this.#names.set(name, entry);
    return entry;
  }

  #ask(entry: Name): void {
    if (entry.asking || this.#closed) return;
    entry.asking = true;
    entry.cancelRefresh();
    this.#clock.schedule(this.askMs, () => {
      entry.asking = false;
      if (!this.#closed) this.#hear(entry);
    });
  }

  #hear(entry: Name): void {
    const now = this.#clock.monotonic();
    const before = entry.resolution;
    const { truth } = entry;
    if ("cause" in truth) {
      const failure: ResolutionFailure = { ...truth, since: before.failure?.since ?? now };
      entry.resolution = { ...before, failure };
    } else {
      entry.resolution = { name: entry.name, addresses: truth.map(toAddress), failure: null, learnedAt: now };
    }
    entry.answered = true;
    for (const done of entry.waiting.splice(0)) done(entry.resolution);
    if (!isSame(before, entry.resolution)) for (const watcher of entry.watchers) watcher(entry.resolution);
    if (entry.watchers.size > 0) entry.cancelRefresh = this.#clock.schedule(this.ttlMs, () => this.#ask(entry));
  }
}

function toAddress(ip: string): Address {
  return { ip, port: 0, family: ip.includes(":") ? 6 : 4 };
}

function isSame(one: Resolution, other: Resolution): boolean {
  if (one.failure?.cause !== other.failure?.cause || one.addresses.length !== other.addresses.length) return false;
  return one.addresses.every(({ ip }, index) => other.addresses[index]?.ip === ip);
}
