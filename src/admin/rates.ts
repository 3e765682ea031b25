/**
 * What happened lately, from counters that only know what happened since the start: the difference between
 * now and an earlier look. The looks are those of whoever asks (the dashboard does every two seconds); nothing runs
 * while nobody looks, and the window is told with the figures, whatever it turns out to be.
 *
 * These are the gateway's own figures: they are there while the control plane is not.
 */
import type { MetricsView } from "../contract/view.ts";
import { createHistogram, quantileUs } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";

export interface RateWindow {
  /** How much time the figures cover. */
  readonly seconds: number;
  /** True when there was no earlier look, so that they cover everything. */
  readonly isSinceStart: boolean;
  readonly services: readonly Rate[];
  readonly routes: readonly RouteRate[];
}

export interface RouteRate extends Rate {
  readonly route: string;
}

/** Of a service or of one of its routes. Durations: 0 when nothing ended. */
export interface Rate {
  readonly service: string;
  readonly exchanges: number;
  readonly perSecond: number;
  readonly failed: number;
  readonly rescued: number;
  /** Refused or aborted: not answered by an origin, and not for want of one. */
  readonly refusedOrAborted: number;
  readonly retries: number;
  readonly p50Us: number;
  readonly p95Us: number;
  readonly p99Us: number;
}

/** Looks are kept this far apart, so that six of them reach back ten seconds however often somebody asks. */
const LOOK_EVERY_MS = 1_900;
const LOOKS_MAX = 6;
const WINDOW_MS = 10_000;
/** Two people who look at once must not make each other see a window of nothing. Less than the dashboard's 2 s. */
const APART_MS_MIN = 1_500;

interface Look {
  /** Monotonic ms. */
  readonly at: number;
  readonly routes: ReadonlyMap<string, RouteCounters>;
}

interface RouteCounters {
  readonly byOutcome: MetricsView["routes"][number]["byOutcome"];
  readonly retries: number;
  readonly duration: Histogram;
}

export interface RateMemory {
  /** The rates up to now; remembers this look for later ones. `now`: monotonic ms. */
  look(metrics: MetricsView, now: number): RateWindow;
}

export function createRateMemory(): RateMemory {
  const looks: Look[] = [];
  return {
    look(metrics, now) {
      const before = lookToCompare(looks, now);
      const seconds = before === null ? metrics.process.uptimeSeconds : (now - before.at) / 1000;
      const changes = metrics.routes.map((route) => changeOf(route, before?.routes.get(keyOf(route)) ?? null));
      const services = [...new Set(changes.map((change) => change.service))];
      const window: RateWindow = {
        seconds,
        isSinceStart: before === null,
        services: services.map((service) => {
          const own = changes.filter((change) => change.service === service);
          return rateOf(service, own, seconds);
        }),
        routes: changes.map((change) => ({ ...rateOf(change.service, [change], seconds), route: change.route })),
      };
      const latest = looks.at(-1);
      if (latest === undefined || now - latest.at >= LOOK_EVERY_MS) {
        looks.push({ at: now, routes: new Map(metrics.routes.map((route) => [keyOf(route), copyOf(route)])) });
        if (looks.length > LOOKS_MAX) looks.shift();
      }
      return window;
    },
  };
}

/** The oldest within the window; failing that the newest before it. */
function lookToCompare(looks: readonly Look[], now: number): Look | null {
  const distant = looks.filter((look) => now - look.at >= APART_MS_MIN);
  return distant.find((look) => now - look.at <= WINDOW_MS) ?? distant.at(-1) ?? null;
}

/** What was added to a route's counters. */
interface Change extends RouteCounters {
  readonly service: string;
  readonly route: string;
}

function changeOf(route: MetricsView["routes"][number], before: RouteCounters | null): Change {
  const { service, route: name, byOutcome, retries, duration } = route;
  if (before === null) return { service, route: name, byOutcome, retries, duration };
  const { served, rescued, failed, refused, aborted } = byOutcome;
  return {
    service,
    route: name,
    byOutcome: {
      served: served - before.byOutcome.served,
      rescued: rescued - before.byOutcome.rescued,
      failed: failed - before.byOutcome.failed,
      refused: refused - before.byOutcome.refused,
      aborted: aborted - before.byOutcome.aborted,
    },
    retries: retries - before.retries,
    duration: difference(duration, before.duration),
  };
}

function rateOf(service: string, changes: readonly Change[], seconds: number): Rate {
  const count = (outcome: keyof RouteCounters["byOutcome"]): number =>
    changes.reduce((sum, { byOutcome }) => sum + byOutcome[outcome], 0);
  const failed = count("failed");
  const rescued = count("rescued");
  const refusedOrAborted = count("refused") + count("aborted");
  const exchanges = count("served") + rescued + failed + refusedOrAborted;
  const duration = sumOf(changes.map((change) => change.duration));
  return {
    service,
    exchanges,
    perSecond: seconds > 0 ? exchanges / seconds : 0,
    failed,
    rescued,
    refusedOrAborted,
    retries: changes.reduce((sum, { retries }) => sum + retries, 0),
    p50Us: quantileUs(duration, 0.5),
    p95Us: quantileUs(duration, 0.95),
    p99Us: quantileUs(duration, 0.99),
  };
}

function sumOf(histograms: readonly Histogram[]): Histogram {
  const [only] = histograms;
  if (only !== undefined && histograms.length === 1) return only;
  const all = createHistogram();
  for (const { counts, count, sumUs, maxUs } of histograms) {
    for (let index = 0; index < counts.length; index += 1) {
      all.counts[index] = (all.counts[index] ?? 0) + (counts[index] ?? 0);
    }
    all.count += count;
    all.sumUs += sumUs;
    all.maxUs = Math.max(all.maxUs, maxUs);
  }
  return all;
}

/** The maximum of the difference is not known; that of the whole bounds it. */
function difference(now: Histogram, before: Histogram): Histogram {
  const lately = createHistogram();
  for (let index = 0; index < now.counts.length; index += 1) {
    lately.counts[index] = (now.counts[index] ?? 0) - (before.counts[index] ?? 0);
  }
  lately.count = now.count - before.count;
  lately.sumUs = now.sumUs - before.sumUs;
  lately.maxUs = now.maxUs;
  return lately;
}

/** The view hands out a copy taken when asked, yet its histograms may be the living ones: those are copied here. */
function copyOf(route: MetricsView["routes"][number]): RouteCounters {
  return {
    byOutcome: { ...route.byOutcome },
    retries: route.retries,
    duration: { ...route.duration, counts: route.duration.counts.slice() },
  };
}

function keyOf(route: { readonly service: string; readonly route: string }): string {
  return `${route.service}\n${route.route}`;
}
