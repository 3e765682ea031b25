/**
 * What is known now, as signals: pages read them and are drawn again when they change. Everything comes from the API;
 * nothing is concluded here.
 */
import { batch, computed, signal } from "@preact/signals";
import type { FiguresResponse, OriginsResponse, StatusResponse } from "../../src/contract/api-responses.ts";
import { CONTROL_OFF } from "../../src/contract/control-port.ts";
import type { AlertsView, ControlState, News } from "../../src/contract/control-port.ts";
import type { ForecastsResponse, HealthResponse, IncidentsResponse } from "../../src/contract/control-responses.ts";
import type { Forecast, Incident } from "../../src/contract/incident.ts";
import type { ServiceHealth } from "../../src/contract/series.ts";
import { access, answeredAt, ask, clockAheadMs, isFailing } from "./api.ts";
import { diagnosisOf, freshnessOf } from "./freshness.ts";
import type { Diagnosis, Freshness } from "./freshness.ts";
import { remember } from "./history.ts";
import type { Sample } from "./history.ts";
import { place, pageOf } from "./router.ts";
import type { ServerEvent } from "./sse.ts";
import { followEvents, streamDownSince } from "./stream.ts";

export const status = signal<StatusResponse | null>(null);
export const origins = signal<OriginsResponse | null>(null);
/** Of each origin, attempts per second: the difference of the last two answers. */
export const originRates = signal<ReadonlyMap<string, number>>(new Map());
/** Of each worker, exchanges per second, in the same way. */
export const workerRates = signal<ReadonlyMap<number, number>>(new Map());
export const figures = signal<FiguresResponse | null>(null);
export const history = signal<readonly Sample[]>([]);
export const health = signal<readonly ServiceHealth[] | null>(null);
export const control = signal<ControlState | null>(null);
/** Gateway's clock. */
const pulseAt = signal<number | null>(null);
/** Null: not known, because nobody could say. */
export const incidents = signal<readonly Incident[] | null>(null);
export const forecasts = signal<readonly Forecast[] | null>(null);
export const alerts = signal<AlertsView | null>(null);
/** Changes with everything that happens at origins; pages that show lists ask again. */
export const happened = signal(0);

/** Browser's clock, once a second: ages grow while nothing comes. */
const tick = signal(Date.now());
/** Epoch ms by the gateway's clock. */
export const now = computed(() => tick.value + clockAheadMs.value);

export const freshness = computed((): Freshness => {
  const ahead = clockAheadMs.value;
  const down = streamDownSince.value;
  return freshnessOf({
    now: now.value,
    answeredAt: answeredAt.value === null || status.value === null ? null : answeredAt.value + ahead,
    isFailing: isFailing.value,
    streamDownSince: down === null ? null : down + ahead,
  });
});

export const diagnosis = computed((): Diagnosis => diagnosisOf(control.value, pulseAt.value, now.value));

export const openIncidents = computed(() =>
  (incidents.value ?? []).filter(({ state }) => state === "open" || state === "recovering"),
);

/** While somebody looks at figures, and otherwise. */
const LIVE_MS = 2_000;
const QUIET_MS = 5_000;
/** News come by the stream; this finds what a stream lost. */
const DIAGNOSIS_MS = 15_000;

export function startFacts(): void {
  setInterval(() => {
    tick.value = Date.now();
  }, 1_000);
  // Who comes back to the tab wants to see how it is, and not how it was.
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void refreshGateway(true);
  });
  void askAgainAndAgain();
  void followEvents(refreshAll, onEvent);
}

async function askAgainAndAgain(): Promise<never> {
  for (let diagnosedAt = Date.now(); ;) {
    const { page } = pageOf(place.value.path);
    const isLive = page === "now" || page === "origins";
    if (access.value === "granted" && !document.hidden) await refreshGateway(isLive);
    if (access.value === "granted" && Date.now() - diagnosedAt >= DIAGNOSIS_MS) {
      diagnosedAt = Date.now();
      await refreshDiagnosis();
    }
    await new Promise((resolve) => setTimeout(resolve, isLive ? LIVE_MS : QUIET_MS));
  }
}

export async function refreshGateway(isLive: boolean): Promise<void> {
  const [one, two, three] = await Promise.all([
    ask<StatusResponse>("/status"),
    isLive ? ask<OriginsResponse>("/origins") : null,
    isLive ? ask<FiguresResponse>("/figures") : null,
  ]);
  batch(() => {
    if (one.ok) {
      workerRates.value = workerRatesBetween(status.value, one.value, workerRates.value);
      status.value = one.value;
    }
    if (two?.ok === true) {
      originRates.value = ratesBetween(origins.value, two.value, originRates.value);
      origins.value = two.value;
    }
    if (three?.ok === true) {
      figures.value = three.value;
      if (!three.value.isSinceStart) history.value = remember(history.value, sampleOfFigures(three.value));
    }
  });
}

/** The control plane, and what it concluded. */
export async function refreshDiagnosis(): Promise<void> {
  const [one, two, three, four] = await Promise.all([
    ask<HealthResponse>("/health"),
    ask<IncidentsResponse>("/incidents?limit=50"),
    ask<ForecastsResponse>("/forecasts"),
    ask<AlertsView>("/alerts"),
  ]);
  batch(() => {
    if (one.ok) {
      control.value = one.value.control;
      health.value = one.value.services;
      if (one.value.control.state === "running") pulseAt.value = one.value.now;
    } else if (one.status === 404) {
      control.value = { ...CONTROL_OFF, because: "this gateway has none" };
    } else if (one.code === "control-unavailable" && control.value === null) {
      control.value = { ...CONTROL_OFF, state: "dead", because: one.detail };
    }
    if (two.ok) incidents.value = two.value.incidents;
    if (three.ok) forecasts.value = three.value.forecasts;
    if (four.ok) alerts.value = four.value;
  });
}

function refreshAll(): void {
  void refreshGateway(true);
  void refreshDiagnosis();
}

let soon: ReturnType<typeof setTimeout> | undefined;

function onEvent({ name, data }: ServerEvent): void {
  switch (name) {
    case "pulse":
    case "incident":
    case "forecast":
    case "control":
    case "probe":
      onNews(JSON.parse(data) as News);
      return;
    case "lost":
      refreshAll();
      return;
    default:
      // Many come at once when a pool dies: one look shows them all.
      clearTimeout(soon);
      soon = setTimeout(() => {
        happened.value += 1;
        void refreshGateway(true);
      }, 150);
  }
}

function onNews(news: News): void {
  switch (news.kind) {
    case "pulse":
      batch(() => {
        health.value = news.services;
        pulseAt.value = Date.now() + clockAheadMs.value;
      });
      return;
    case "incident":
      incidents.value = [
        news.incident,
        ...(incidents.value ?? []).filter(({ id }) => id !== news.incident.id),
      ].toSorted((one, other) => other.firstFailureAt - one.firstFailureAt);
      return;
    case "forecast": {
      const others = (forecasts.value ?? []).filter(({ id }) => id !== news.forecast.id);
      forecasts.value = news.over ? others : [news.forecast, ...others];
      return;
    }
    case "control":
      control.value = news.state;
      // What it concluded while nobody could ask is asked for when it is back.
      if (news.state.state === "running") void refreshDiagnosis();
      return;
    case "probe":
      happened.value += 1;
  }
}

export const originKey = (service: string, pool: string, origin: string): string => `${service}\n${pool}\n${origin}`;

function ratesBetween(
  before: OriginsResponse | null,
  after: OriginsResponse,
  known: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  if (before === null || after.now <= before.now) return known;
  const counts = new Map(before.origins.map((one) => [originKey(one.service, one.pool, one.origin), attemptsOf(one)]));
  return new Map(
    after.origins.map((one) => {
      const key = originKey(one.service, one.pool, one.origin);
      const count = attemptsOf(one) - (counts.get(key) ?? attemptsOf(one));
      return [key, calmer(known.get(key), count, after.now - before.now)];
    }),
  );
}

function workerRatesBetween(
  before: StatusResponse | null,
  after: StatusResponse,
  known: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> {
  if (before === null || after.now <= before.now) return known;
  const counts = new Map(before.workers.map(({ worker, exchanges }) => [worker, exchanges]));
  return new Map(
    after.workers.map(({ worker, exchanges }) => {
      const count = exchanges - (counts.get(worker) ?? exchanges);
      return [worker, calmer(known.get(worker), count, after.now - before.now)];
    }),
  );
}

/** Two seconds of little traffic are a coin's toss: the eye wants a calmer figure. */
function calmer(earlier: number | undefined, count: number, ms: number): number {
  const perSecond = Math.max(0, (1_000 * count) / ms);
  return earlier === undefined ? perSecond : earlier + (perSecond - earlier) / 3;
}

function attemptsOf({ addresses }: OriginsResponse["origins"][number]): number {
  return addresses.reduce((sum, address) => sum + address.attempts, 0);
}

function sampleOfFigures({ now, seconds, services }: FiguresResponse): Sample {
  const sum = (pick: (one: FiguresResponse["services"][number]) => number): number =>
    services.reduce((total, one) => total + pick(one), 0);
  // Percentiles of several services cannot be put together; the slowest is what somebody feels.
  const worst = (pick: (one: FiguresResponse["services"][number]) => number | null): number | null => {
    const known = services.map(pick).filter((one) => one !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  return {
    at: now,
    perSecond: sum((one) => one.perSecond),
    failedPerSecond: sum((one) => one.failed) / seconds,
    rescuedPerSecond: sum((one) => one.rescued) / seconds,
    p50Ms: worst((one) => one.p50Ms),
    p95Ms: worst((one) => one.p95Ms),
    p99Ms: worst((one) => one.p99Ms),
  };
}
