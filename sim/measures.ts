/**
 * What a run is measured by: shares of calls that failed, how long they took, how much was served and when, and how
 * much more origins were asked than clients asked. Seen by clients and origins alone, whatever gateway is between.
 */
import type { Call, Load } from "./load.ts";
import type { World } from "./world.ts";

/** Calls of these loads that came in a span of the traffic, ms from its beginning. */
export function callsOf(world: World, loads: readonly Load[], fromMs = 0, untilMs = Infinity): Call[] {
  const from = world.trafficBeganAt + fromMs;
  const until = world.trafficBeganAt + untilMs;
  return loads.flatMap((load) => load.calls.filter(({ at }) => at >= from && at < until));
}

/** Of none none failed. */
export function failedShare(calls: readonly Call[]): number {
  return calls.length === 0 ? 0 : calls.filter(({ state }) => state !== "served").length / calls.length;
}

/** From the call to the end of its answer, ms, of those that were served. */
export function latenciesMs(calls: readonly Call[]): number[] {
  return calls.filter(({ state }) => state === "served").map(({ at, endedAt }) => endedAt - at);
}

/** From a try to its refusal by the gateway itself, ms. */
export function refusalsMs(calls: readonly Call[]): number[] {
  return calls
    .flatMap(({ stories }) => stories)
    .filter(({ state, answeredBy, status }) => state === "answered" && answeredBy === "gateway" && status === 503)
    .map(({ sentAt, endedAt }) => endedAt - sentAt);
}

/** The value that `share` of them do not exceed; 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/** Calls served in each second of the traffic, by when their answers came. */
export function servedBySecond(world: World, loads: readonly Load[]): number[] {
  const seconds: number[] = Array.from(
    { length: Math.ceil((world.trafficEndedAt - world.trafficBeganAt) / 1000) + 1 },
    () => 0,
  );
  for (const { state, endedAt } of callsOf(world, loads)) {
    if (state !== "served") continue;
    const second = Math.floor((endedAt - world.trafficBeganAt) / 1000);
    seconds[second] = (seconds[second] ?? 0) + 1;
  }
  return seconds;
}

const RECOVERED_SHARE = 0.95;
const RECOVERED_FOR_S = 5;

/**
 * How long after `fromMs` it took until of the calls that came in five seconds at least 95 % were served at once, within
 * `withinMs` of their coming (the common harness of failures.md, part 3). Infinity: they never were.
 */
export function recoveredAfterMs(world: World, loads: readonly Load[], fromMs: number, withinMs: number): number {
  const began = world.trafficBeganAt + fromMs;
  const calls = callsOf(world, loads, fromMs).toSorted((one, other) => one.at - other.at);
  const isGood = ({ state, at, endedAt }: Call): boolean => state === "served" && endedAt - at <= withinMs;
  for (let from = 0; ; from += 250) {
    const span = calls.filter(({ at }) => at >= began + from && at < began + from + RECOVERED_FOR_S * 1000);
    if (began + from + RECOVERED_FOR_S * 1000 > world.trafficEndedAt || span.length === 0) return Infinity;
    if (span.filter(isGood).length >= RECOVERED_SHARE * span.length) return from;
  }
}

/** Requests that origins got for each that clients made. */
export function amplification(world: World): number {
  const got = world.origins.reduce((sum, origin) => sum + origin.requestsAt.length, 0);
  return got / Math.max(1, world.ledger.stories.size);
}

/** Requests that clients may not repeat and that were received whole more than once. */
export function duplicates(world: World): number {
  let count = 0;
  for (const { plan, runs } of world.ledger.stories.values()) if (plan.method === "POST" && runs.length > 1) count += 1;
  return count;
}

/** Requests that an origin got in a span of the traffic. */
export function arrivals(world: World, origin: string, fromMs: number, untilMs: number): number {
  const { requestsAt } = world.origin(origin);
  const from = world.trafficBeganAt + fromMs;
  const until = world.trafficBeganAt + untilMs;
  return requestsAt.filter((at) => at >= from && at < until).length;
}

/** The mark is met, or a sentence that says by how much it is not. */
export function* atMost(what: string, value: number, most: number, unit = ""): Generator<string> {
  if (!(value <= most)) yield `${what}: ${inWords(value)}${unit}, at most ${inWords(most)}${unit} is the mark`;
}

export function* atLeast(what: string, value: number, least: number, unit = ""): Generator<string> {
  if (!(value >= least)) yield `${what}: ${inWords(value)}${unit}, at least ${inWords(least)}${unit} is the mark`;
}

function inWords(value: number): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "never";
}
