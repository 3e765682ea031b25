/**
 * The rows of the fault bench: what is done to the origins and when, and what the clients ask meanwhile. Each begins
 * with some calm seconds, then comes the fault, then the time after it: a gateway is judged by all three.
 */
import type { Asked, LoadPlan } from "./clients.ts";
import type { Origins } from "./origins.ts";

export interface FaultRow {
  readonly title: string;
  /** What is done, in a sentence. */
  readonly what: string;
  readonly calmSeconds: number;
  readonly faultSeconds: number;
  readonly afterSeconds: number;
  readonly load: Pick<LoadPlan, "rate" | "ask"> &
    Partial<Pick<LoadPlan, "patienceMs" | "clientRetries" | "connections">>;
  /** Before anything is asked. */
  readonly prepare?: (origins: Origins) => Promise<void> | void;
  readonly fault: (origins: Origins, stop: AbortSignal) => Promise<void> | void;
  readonly clear: (origins: Origins) => Promise<void> | void;
  /** What counts as not good enough though it was answered, ms. */
  readonly slowMs: number;
}

const RATE = 150;

function page(): Asked {
  return { method: "GET", path: "/page", class: "normal" };
}

/** Nine reads, one payment. */
function mixed(number: number): Asked {
  return number % 10 === 9 ? { method: "POST", path: "/pay", class: "normal" } : page();
}

function byClass(number: number): Asked {
  const tenth = number % 10;
  if (tenth < 1) return { method: "GET", path: "/critical/page", class: "critical" };
  return tenth < 6 ? page() : { method: "GET", path: "/background/page", class: "background" };
}

const steady = { rate: (): number => RATE };
const usual = { calmSeconds: 3, faultSeconds: 8, afterSeconds: 5, slowMs: 1_000 };
const PER_ORIGIN = 50;

export const FAULT_ROWS = {
  crash: {
    ...usual,
    title: "crash",
    what: "one origin of three is killed with SIGKILL and comes back",
    load: { ...steady, ask: page },
    fault: ({ a }) => a.kill(),
    clear: ({ a }) => a.start(),
  },
  deploy: {
    ...usual,
    title: "rolling deploy",
    what: "each origin in turn finishes its requests, is gone for a second and comes back; one in ten requests is a POST",
    load: { ...steady, ask: mixed },
    async fault({ all }, stop) {
      for (const origin of all) {
        if (stop.aborted) return;
        await origin.leave();
        await pause(1_000);
        await origin.start();
        await pause(800);
      }
    },
    clear: () => undefined,
  },
  "black-hole": {
    ...usual,
    title: "black hole",
    what: "one origin takes connections and requests and never answers (SIGSTOP)",
    load: { ...steady, ask: page },
    fault: ({ a }) => a.freeze(),
    clear: ({ a }) => a.thaw(),
  },
  reset: {
    ...usual,
    title: "reset after request",
    what: "one origin reads every request and resets the connection; one in ten is a POST, which must not run twice",
    load: { ...steady, ask: mixed },
    fault: ({ a }) => a.behave({ reset: 1 }),
    clear: ({ a }) => a.behave({}),
  },
  "keep-alive": {
    ...usual,
    title: "keep-alive race",
    what: "the origins close connections that were idle for a second, without a word, at about the pace of the requests",
    // Bursts a second apart: each finds connections that have been idle for about the origins' second.
    load: { rate: (second) => (second % 1 < 0.1 ? 2_000 : 0), ask: mixed },
    prepare: ({ all }) => all.forEach((origin) => origin.behave({ idleMs: 1_000, serviceMs: 5 })),
    fault: () => undefined,
    clear: () => undefined,
  },
  "gray-errors": {
    ...usual,
    title: "gray errors",
    what: "one origin passes its checks and answers half of the requests with 500, in a millisecond",
    load: { ...steady, ask: page },
    prepare: ({ all }) => all.forEach((origin) => origin.behave({ serviceMs: 10 })),
    fault: ({ a }) => a.behave({ error: 0.5 }),
    clear: ({ a }) => a.behave({ serviceMs: 10 }),
  },
  "gray-slow": {
    ...usual,
    title: "gray slowness",
    what: "one origin passes its checks and takes 3 s for one request in five",
    load: { ...steady, ask: page },
    prepare: ({ all }) => all.forEach((origin) => origin.behave({ serviceMs: 10 })),
    fault: ({ a }) => a.behave({ serviceMs: 10, slow: 0.2, slowMs: 3_000 }),
    clear: ({ a }) => a.behave({ serviceMs: 10 }),
  },
  cut: {
    ...usual,
    title: "body cut",
    what: "every origin breaks off one download in five, anywhere in its 256 KiB",
    load: { rate: () => 40, ask: () => ({ method: "GET", path: "/file", class: "normal" }) },
    fault: ({ all }) => all.forEach((origin) => origin.behave({ cut: 0.2 })),
    clear: ({ all }) => all.forEach((origin) => origin.behave({})),
  },
  overload: {
    ...usual,
    faultSeconds: 10,
    afterSeconds: 10,
    title: "overload ×4",
    what: "three origins for 50 requests a second each; 80 a second are asked, then 600, then 80 again; clients wait 2 s and ask once more; one in ten is critical",
    load: {
      rate: (second) => (second >= 3 && second < 13 ? 600 : 80),
      ask: byClass,
      patienceMs: 2_000,
      clientRetries: 1,
    },
    prepare: ({ all }) => all.forEach((origin) => origin.behave({ perSecond: PER_ORIGIN, serviceMs: 10 })),
    fault: () => undefined,
    clear: () => undefined,
  },
  herd: {
    ...usual,
    faultSeconds: 6,
    afterSeconds: 14,
    title: "herd",
    what: "all origins are down for 6 s while clients keep asking again; they come back cold, at 10 a second each for 5 s, then 70",
    load: { rate: () => 60, ask: page, patienceMs: 3_000, clientRetries: 2 },
    prepare: ({ all }) => all.forEach((origin) => origin.behave({ perSecond: 70, serviceMs: 10 })),
    fault: ({ all }) => all.forEach((origin) => origin.kill()),
    async clear({ all }) {
      for (const origin of all) origin.behave({ perSecond: 10, serviceMs: 10 });
      await Promise.all(all.map((origin) => origin.start()));
      await pause(5_000);
      for (const origin of all) origin.behave({ perSecond: 70, serviceMs: 10 });
    },
  },
  provider: {
    ...usual,
    title: "provider loss",
    what: "both origins of the preferred pool are killed; the other pool has one, which can carry everything",
    load: { ...steady, ask: page },
    fault({ a, b }) {
      a.kill();
      b.kill();
    },
    async clear({ a, b }) {
      await Promise.all([a.start(), b.start()]);
    },
  },
} as const satisfies Record<string, FaultRow>;

export type FaultRowName = keyof typeof FAULT_ROWS;
export const FAULT_ROW_NAMES: readonly FaultRowName[] = Object.keys(FAULT_ROWS) as FaultRowName[];

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
