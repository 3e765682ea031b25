/**
 * What happened lately, from counters that only know what happened since the start: the difference between
 * now and an earlier look. The looks are the page's own (it refreshes itself); nothing runs while nobody
 * looks, and the window is told with the figures, whatever it turns out to be.
 */
import type { MetricsView } from "../contract/view.ts";
import { createHistogram, quantileUs } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";

export interface RateWindow {
  /** How much time the figures cover. */
  readonly seconds: number;
  /** True when there was no earlier look, so that they cover everything. */
  readonly isSinceStart: boolean;
  readonly routes: readonly RouteRate[];
}

export interface RouteRate {
  readonly service: string;
  readonly route: string;
  readonly exchanges: number;
  readonly perSecond: number;
  readonly failed: number;
  readonly rescued: number;
  /** Refused or aborted: not answered by an origin, and not for want of one. */
  readonly refusedOrAborted: number;
  readonly retries: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Looks are kept this far apart, so that three of them reach back a minute however often the page is opened. */
const LOOK_EVERY_MS = 20_000;
const LOOKS_MAX = 4;
const WINDOW_MS = 60_000;
/** Two people who look at once must not make each other see a window of nothing. Less than the page's 5 s. */
const APART_MS_MIN = 4000;

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
      const window: RateWindow = {
        seconds,
        isSinceStart: before === null,
        routes: metrics.routes.map((route) => rateOf(route, before?.routes.get(keyOf(route)) ?? null, seconds)),
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

function rateOf(route: MetricsView["routes"][number], before: RouteCounters | null, seconds: number): RouteRate {
  const count = (outcome: keyof RouteCounters["byOutcome"]): number =>
    route.byOutcome[outcome] - (before?.byOutcome[outcome] ?? 0);
  const failed = count("failed");
  const rescued = count("rescued");
  const refusedOrAborted = count("refused") + count("aborted");
  const exchanges = count("served") + rescued + failed + refusedOrAborted;
  const duration = before === null ? route.duration : difference(route.duration, before.duration);
  return {
    service: route.service,
    route: route.route,
    exchanges,
    perSecond: seconds > 0 ? exchanges / seconds : 0,
    failed,
    rescued,
    refusedOrAborted,
    retries: route.retries - (before?.retries ?? 0),
    p50Us: quantileUs(duration, 0.5),
    p99Us: quantileUs(duration, 0.99),
  };
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
