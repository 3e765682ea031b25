/**
 * The whole gateway on a network in memory with a clock that a test moves: clients and origins are peers played by
 * hand, so that each situation of an exchange is a few lines and happens the same way every time.
 */
import type { Settings } from "../../src/config/settings.ts";
import type { Fact } from "../../src/contract/facts.ts";
import type { ExchangeRecord } from "../../src/contract/record.ts";
import type { Revision } from "../../src/contract/revision.ts";
import { createHttp2Dial } from "../../src/net/h2-dial.ts";
import { createGateway } from "../../src/gateway/gateway.ts";
import type { CertificateView, OwnUse } from "../../src/contract/view.ts";
import type { ApplyResult, Gateway } from "../../src/gateway/gateway.ts";
import type { GatewayPorts } from "../../src/gateway/gateway-ports.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import type { CacheShelf } from "../../src/kernel/cache-shelf.ts";
import type { Ledger } from "../../src/kernel/ledger.ts";
import type { Resolution, ResolutionFailure, Resolver } from "../../src/kernel/resolver.ts";
import { NO_PROCESS, settingsFrom, useOf } from "./gateway-parts.ts";
import { manualSchedule } from "./manual-schedule.ts";
import type { ManualSchedule } from "./manual-schedule.ts";
import { memoryNetwork } from "./memory-socket.ts";
import type { MemoryNetwork, Peer } from "./memory-socket.ts";

export interface MemoryGatewayOptions {
  /** One pool with these; default one origin, `http://10.0.0.1`. */
  readonly origins?: readonly string[];
  /** Merged into the only service. */
  readonly service?: Readonly<Record<string, unknown>>;
  /** Merged into the only listener. */
  readonly listener?: Readonly<Record<string, unknown>>;
  /** Merged into the file. */
  readonly rest?: Readonly<Record<string, unknown>>;
  /** Keeps what Idempotency-Key promises; default none. */
  readonly ledger?: Ledger;
  readonly cacheShelf?: CacheShelf;
  /** What the gateway is told that it has in use; default: nothing is known. */
  readonly ownUse?: () => OwnUse;
  /** What the files of fallbacks hold. */
  readonly fallbackFiles?: ReadonlyMap<string, Buffer>;
  /** What its listeners show; default: nobody knows. */
  readonly certificates?: () => readonly CertificateView[];
  /** Drawn again and again; default 0: the first of two that are alike. */
  readonly chance?: () => number;
  /** What it has of other workers; default: it is alone. */
  readonly ofWorker?: (time: ManualSchedule) => Partial<GatewayPorts>;
}

export interface MemoryGateway {
  readonly gateway: Gateway;
  readonly network: MemoryNetwork;
  readonly clock: Clock;
  readonly names: MemoryResolver;
  /** What was contained; a test that expects no defect looks that it is empty. */
  readonly faults: readonly unknown[];
  /** What it told a control plane. */
  readonly facts: readonly Fact[];
  /** What a collector of traces is told, by message. */
  readonly traces: readonly { readonly records: readonly ExchangeRecord[]; readonly leftOut: number }[];
  /** In the order in which they ended. */
  readonly records: readonly ExchangeRecord[];
  /** Puts other options into effect. */
  apply(options: MemoryGatewayOptions, revision?: Partial<Revision>): Promise<ApplyResult>;
  /** Timers that wait. */
  timers(): number;
  /** A client that has connected. */
  client(from?: string, port?: number): Peer;
  /** The connection to an origin with this number, from 1; throws when there is none. */
  origin(number: number): Peer;
  /** Moves the clock and everything that waits for it. */
  advance(ms: number): void;
  /** Moves the clock alone: the gateway's process stood still. */
  stall(ms: number): void;
}

export async function memoryGateway(options: MemoryGatewayOptions = {}): Promise<MemoryGateway> {
  const network = memoryNetwork();
  const time = manualSchedule();
  const names = memoryResolver(time.clock);
  const faults: unknown[] = [];
  const records: ExchangeRecord[] = [];
  const facts: Fact[] = [];
  const traces: { readonly records: readonly ExchangeRecord[]; readonly leftOut: number }[] = [];
  let ids = 0;
  let number = 1;

  const gateway = createGateway(memorySettings(options), {
    clock: time.clock,
    chance: options.chance ?? (() => 0),
    newId: () => (ids += 1).toString(16).padStart(32, "0"),
    dial: createHttp2Dial({ dial: network.dial, clock: time.clock, schedule: time.schedule }),
    listen: network.listen,
    // A handshake in memory is what a test says of it.
    secureContexts: () => ({ choose: () => null }),
    resolver: names,
    ledger: options.ledger ?? null,
    cacheShelf: options.cacheShelf ?? null,
    every(ms, run) {
      let cancel = time.schedule(ms, again);
      function again(): void {
        cancel = time.schedule(ms, again);
        run();
      }
      return () => cancel();
    },
    soon: network.later,
    processView: () => NO_PROCESS,
    ownUse: () => options.ownUse?.() ?? useOf(NO_PROCESS),
    log: (record) => records.push(structuredClone(record)),
    accessLogDropped: () => 0,
    facts: {
      node: "test-node",
      worker: 0,
      revision: "0123456789ab",
      // A record may be written to as long as its exchange goes on; a fact is done.
      tell: (fact) => facts.push(structuredClone(fact)),
      tellTraces: (records, leftOut) => traces.push(structuredClone({ records, leftOut })),
      machine: () => ({ portsMax: 0, diskFreeBytes: 0, diskBytes: 0 }),
    },
    fallbackFiles: options.fallbackFiles ?? new Map(),
    ...(options.certificates === undefined ? {} : { certificates: options.certificates }),
    version: "0.0.0",
    onFault: (error) => faults.push(error),
    ...options.ofWorker?.(time),
  });
  const state = { isStarted: false };
  const started = gateway.start().finally(() => {
    state.isStarted = true;
  });
  // Names are waited for, and then addresses that have to show who they are.
  while (!state.isStarted) {
    // In steps, as below.
    for (let step = 0; step < 22; step += 1) {
      time.advance(50);
      network.settle();
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  await started;

  return {
    gateway,
    network,
    clock: time.clock,
    names,
    faults,
    records,
    facts,
    traces,
    async apply(next, revision = {}) {
      number += 1;
      const applied = gateway.apply({
        settings: memorySettings(next),
        fallbackFiles: next.fallbackFiles ?? new Map(),
        revision: {
          number,
          hash: `hash-${number}`,
          at: time.clock.wall(),
          by: "",
          reason: "",
          changes: [],
          ...revision,
        },
      });
      const state = { isOver: false };
      const over = applied.finally(() => {
        state.isOver = true;
      });
      // Names that are new are waited for.
      for (let turns = 0; !state.isOver && turns < 40; turns += 1) {
        if (turns > 2) {
          time.advance(50);
          network.settle();
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
      return over;
    },
    timers: time.waiting,
    client(from, port) {
      const peer = network.connect(from, port);
      if (peer === null) throw new Error("the connection was turned away");
      return peer;
    },
    origin(number) {
      const peer = network.dialled[number - 1];
      if (peer === undefined) throw new Error(`only ${network.dialled.length} connections were dialled`);
      return peer;
    },
    stall: time.stall,
    advance(ms) {
      // In steps, because a clock that jumps is a process that stood still, and that is judged differently.
      for (let left = ms; left > 0; left -= 50) {
        time.advance(Math.min(left, 50));
        network.settle();
      }
    },
  };
}

/** Chance that is the same in every run. */
export function seededChance(seed = 1): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

export function memorySettings(options: MemoryGatewayOptions): Settings {
  return settingsFrom({
    listeners: [{ bind: "127.0.0.1:8080", ...options.listener }],
    admin: false,
    accessLog: false,
    records: { sample: "100%", sampled: 1000 },
    services: {
      test: {
        health: false,
        pools: [{ name: "main", origins: options.origins ?? ["http://10.0.0.1"] }],
        ...options.service,
      },
    },
    ...options.rest,
  });
}

export interface MemoryResolver extends Resolver {
  /** The name has these addresses from now on; whoever waits hears it first and whoever watches then. */
  answer(name: string, ips: readonly string[]): void;
  fail(name: string, cause: ResolutionFailure["cause"], code: string): void;
  /** How many watch a name. */
  watchers(): number;
}

function memoryResolver(clock: Clock): MemoryResolver {
  const known = new Map<string, Resolution>();
  const waiting = new Map<string, ((resolution: Resolution) => void)[]>();
  const watching = new Map<string, Set<(resolution: Resolution) => void>>();

  function tell(resolution: Resolution): void {
    known.set(resolution.name, resolution);
    const waiters = waiting.get(resolution.name) ?? [];
    waiting.delete(resolution.name);
    for (const done of waiters) done(resolution);
    for (const onChange of watching.get(resolution.name) ?? []) onChange(resolution);
  }

  function addressesOf(ips: readonly string[]): Resolution["addresses"] {
    return ips.map((ip) => ({ ip, port: 0, family: ip.includes(":") ? 6 : 4 }));
  }

  function peek(name: string): Resolution | null {
    const literal = /^[\d.]+$|:/.test(name);
    if (literal) return { name, addresses: addressesOf([name]), failure: null, learnedAt: 0 };
    return known.get(name) ?? null;
  }

  return {
    peek,
    resolve(name, done) {
      const resolution = peek(name);
      if (resolution !== null && resolution.addresses.length > 0) done(resolution);
      else waiting.set(name, [...(waiting.get(name) ?? []), done]);
    },
    watch(name, onChange) {
      const listeners = watching.get(name) ?? new Set();
      watching.set(name, listeners.add(onChange));
      const resolution = peek(name);
      if (resolution !== null) queueMicrotask(() => onChange(resolution));
      return () => listeners.delete(onChange);
    },
    close: () => undefined,
    watchers: () => [...watching.values()].reduce((sum, listeners) => sum + listeners.size, 0),
    answer: (name, ips) => tell({ name, addresses: addressesOf(ips), failure: null, learnedAt: clock.monotonic() }),
    fail(name, cause, code) {
      const before = known.get(name);
      const failure = { cause, code, since: before?.failure?.since ?? clock.monotonic() };
      tell({ name, addresses: before?.addresses ?? [], failure, learnedAt: before?.learnedAt ?? -1 });
    },
  };
}
