/**
 * What has to hold at the end of every run, whatever the scenario: the promises of the gateway, each as a function
 * from the evidence of a run to what breaks it. `checkers.test.ts` shows for each of them that it can fail.
 */
import type { AttemptRecord, ExchangeRecord } from "../src/contract/record.ts";
import type { CauseId } from "../src/kernel/causes.ts";
import { isOutsideBudget, splitAttempts } from "./continuations.ts";
import { idOf } from "./ledger.ts";
import type { RequestStory, Sighting } from "./ledger.ts";
import { callsOf, failedShare } from "./measures.ts";
import type { Scenario } from "./scenario.ts";
import { GATEWAY_IP } from "./world.ts";
import type { Rest, World } from "./world.ts";

export interface Found {
  /** The request it is about; 0: none in particular. */
  readonly id: number;
  readonly what: string;
}

export interface Finding extends Found {
  readonly checker: string;
}

export interface Checker {
  readonly name: string;
  readonly check: (world: World, scenario: Scenario) => Found[];
}

export const CHECKERS: readonly Checker[] = [
  { name: "runs to its end", check: runsToItsEnd },
  { name: "answered once", check: answeredOnce },
  { name: "own response", check: (world) => sightings(world, "own response") },
  { name: "no false end", check: (world) => sightings(world, "no false end") },
  { name: "request intact", check: (world) => sightings(world, "request intact") },
  { name: "run at most once", check: runAtMostOnce },
  { name: "attempts in bounds", check: attemptsInBounds },
  { name: "retries in budget", check: retriesInBudget },
  { name: "one record", check: oneRecord },
  { name: "true record", check: trueRecord },
  { name: "explained", check: explained },
  { name: "nothing left", check: nothingLeft },
  { name: "memory in bounds", check: memoryInBounds },
  { name: "pool never empty", check: poolNeverEmpty },
  { name: "traffic returns", check: trafficReturns },
  { name: "goodput returns", check: goodputReturns },
  { name: "origins spared", check: originsSpared },
  { name: "port contract", check: portContract },
];

function runsToItsEnd(world: World): Found[] {
  const found = world.faults.map((text): Found => ({ id: 0, what: `an exception that nobody caught: ${text}` }));
  if (world.gaveUp !== "") found.push({ id: 0, what: world.gaveUp });
  return found;
}

function sightings(world: World, checker: Sighting["checker"]): Found[] {
  return world.ledger.sightings.filter((sighting) => sighting.checker === checker);
}

/** Every request is answered, or its connection visibly ended. */
function answeredOnce(world: World): Found[] {
  const found = sightings(world, "answered once");
  for (const story of world.ledger.stories.values()) {
    if (story.state === "waiting") found.push({ id: story.id, what: "neither answered nor cut" });
  }
  return found;
}

function runAtMostOnce(world: World): Found[] {
  const found: Found[] = [];
  for (const { id, plan, runs } of world.ledger.stories.values()) {
    if (plan.method !== "POST" || runs.length < 2) continue;
    found.push({
      id,
      what: `a POST was received whole ${runs.length} times: ${runs.map((run) => run.origin).join(", ")}`,
    });
  }
  return found;
}

/** The default of `resume.times`. */
const CONTINUATIONS_MAX = 50;

function attemptsInBounds(world: World): Found[] {
  const found: Found[] = [];
  for (const { id, record } of recordsOf(world)) {
    const most = retryOf(world)?.attemptsMax ?? 1;
    const { before, continuations, decisions } = splitAttempts(record);
    if (before.length > most) found.push({ id, what: `${before.length} attempts, ${most} are allowed` });
    if (continuations.length !== decisions.length)
      found.push({ id, what: `${continuations.length} continuations, ${decisions.length} decisions to continue` });
    if (continuations.length > CONTINUATIONS_MAX) found.push({ id, what: `${continuations.length} continuations` });
    if (record.decisions.some(({ code }) => MAY_ASK_AGAIN.has(code))) continue;
    const addresses = new Set(before.map((attempt) => attempt.address));
    if (addresses.size < before.length) found.push({ id, what: "two attempts at one address" });
  }
  return found;
}

/** Found out at once, before an origin had anything of it: the next try multiplies nothing, and takes no token. */
const COST_NOTHING: ReadonlySet<CauseId | null> = new Set<CauseId | null>([
  "origin.refused",
  "origin.socket_missing",
  "net.unroutable",
  "dns.stale_ip",
  "origin.h2_refused",
]);

/** In no nine seconds more repeats than the budget of the ten around them. What was refused at the door is none. */
function retriesInBudget(world: World): Found[] {
  const options = retryOf(world);
  if (options === null) return [];
  const exchanges: number[] = [];
  const retries: number[] = [];
  for (const record of world.records) {
    const { before, continuations, decisions } = splitAttempts(record);
    const at = ({ startedUs }: AttemptRecord): number => record.startedAt + startedUs / 1000;
    before.forEach((attempt, index) => {
      if (index === 0) exchanges.push(at(attempt));
      else if (!COST_NOTHING.has(before[index - 1]?.cause ?? null)) retries.push(at(attempt));
    });
    continuations.forEach((attempt, index) => {
      const decision = decisions[index];
      if (decision === undefined || !isOutsideBudget(decision)) retries.push(at(attempt));
    });
  }
  exchanges.sort((one, other) => one - other);
  retries.sort((one, other) => one - other);
  for (const at of retries) {
    const repeated = countWithin(retries, at - 9_000, at);
    const allowed = options.budgetRatio * countWithin(exchanges, at - 10_001, at + 1) + options.budgetPerSecond * 10;
    if (repeated > allowed + 1)
      return [{ id: 0, what: `${repeated} repeats within 9 s, the budget had ${allowed.toFixed(1)}` }];
  }
  return [];
}

/** So long an exchange with a key may go on when its client was answered by the gateway. */
const GOES_ON_MS = 10_000;

function oneRecord(world: World): Found[] {
  const counts = new Map<number, number>();
  for (const { id } of recordsOf(world)) counts.set(id, (counts.get(id) ?? 0) + 1);
  const found: Found[] = [];
  for (const story of world.ledger.stories.values()) {
    const { id, state, seenBy } = story;
    const count = counts.get(id) ?? 0;
    // What was under way when the gateway's process ended left none.
    const mayEndAt = story.answeredBy === "gateway" ? story.sentAt + GOES_ON_MS : story.endedAt;
    if (count === 0 && world.gatewayCrashes.some(({ at }) => story.sentAt <= at && at <= mayEndAt)) continue;
    // A request that was cut may never have reached the gateway whole; one that an origin saw has.
    const isKnown = state === "answered" || seenBy.length > 0;
    if (count > 1 || (isKnown && count === 0)) found.push({ id, what: `${count} records` });
  }
  const { exchangesTotal } = world.gateway.view.status();
  const logged = world.records.length - (world.gatewayCrashes.at(-1)?.records ?? 0);
  if (exchangesTotal !== logged) {
    found.push({ id: 0, what: `${logged} records were logged, ${exchangesTotal} exchanges counted` });
  }
  return found;
}

/** Records against what clients and origins saw; with more gateways between the two, each knows only its neighbours. */
function trueRecord(world: World, { layers = 1 }: Scenario): Found[] {
  const found: Found[] = [];
  for (const { id, record } of recordsOf(world)) {
    const story = world.ledger.stories.get(id);
    if (story === undefined) continue;
    for (const what of [
      ...(layers === 1 ? againstClient(record, story) : []),
      ...(layers === 1 ? againstOrigins(world, record, story) : []),
      ...againstTime(record),
    ])
      found.push({ id, what });
  }
  return found;
}

function* againstClient(record: ExchangeRecord, story: RequestStory): Generator<string> {
  if (story.state === "answered") {
    if (record.status !== story.status) yield `the client got ${story.status}, the record says ${record.status}`;
    // What is stored is an origin's answer to another request.
    const isReplayed = decisionsOf(record, "key.replayed") > 0;
    // An answer that comes after the gateway's own, to be kept for the next try, is nobody's.
    const cameLate = record.status !== record.originStatus && decisionsOf(record, "key.stored") > 0;
    const isOrigins = (record.originStatus !== 0 || FROM_STORE.has(record.cache) || isReplayed) && !cameLate;
    if (isOrigins !== (story.answeredBy === "origin"))
      yield `answered by the ${story.answeredBy}, the record has origin status ${record.originStatus}`;
    if (record.responseBytes !== story.bodyBytes)
      yield `${story.bodyBytes} body bytes came, the record says ${record.responseBytes}`;
    const isGood = record.outcome === "served" || record.outcome === "rescued";
    const shouldBe = story.answeredBy === "origin" && story.status < 500;
    // A client that closed its side may have been counted as gone while its answer was on the way.
    if (isGood !== shouldBe && !(record.outcome === "aborted" && story.plan.abort !== null))
      yield `a ${story.status} of the ${story.answeredBy}, the record says ${record.outcome}`;
  }
  // A response that was handed to the kernel whole counts as served, also when the client does not take the rest of
  // it before its time is up.
  const isHandedOver = story.plan.method === "HEAD" || record.responseBytes === story.plan.answerBytes;
  const isGood = record.outcome === "served" || record.outcome === "rescued";
  if (story.state === "cut" && isGood && !isHandedOver)
    yield `the client's response was cut, the record says ${record.outcome}`;
}

function* againstOrigins(world: World, record: ExchangeRecord, story: RequestStory): Generator<string> {
  const nameOf = ({ address }: AttemptRecord): string => world.nameAt(address);
  const asked = record.attempts.map(nameOf);
  // A stale answer is fetched anew behind its back, with the fields of the request that it answered.
  for (const name of record.cache === "stale" ? [] : story.seenBy)
    if (!asked.includes(name)) yield `${name} got the request, the record knows no attempt there`;
  for (const attempt of record.attempts) {
    const name = nameOf(attempt);
    if (attempt.status !== 0 && !story.answersBegun.includes(name))
      yield `the record has a ${attempt.status} of ${name}, which sent none`;
    if (attempt.connectedUs === -1 && attempt.sentBytes > 0)
      yield "bytes were sent on a connection that was never made";
  }
  if (record.originStatus !== 0 && story.answersBegun.length === 0) yield "an origin status that no origin sent";
}

function* againstTime(record: ExchangeRecord): Generator<string> {
  if (!isAscending([0, record.headUs, record.routedUs, record.replyUs, record.doneUs]))
    yield "its times are out of order";
  let from = record.routedUs;
  const mayOverlap = hadTwoAtOnce(record);
  for (const attempt of record.attempts) {
    const { startedUs, connectedUs, sentUs, firstByteUs, headUs, endedUs } = attempt;
    if (!isAscending([from, startedUs, connectedUs, sentUs, firstByteUs, headUs, endedUs, record.doneUs])) {
      yield `the times of attempt ${attempt.number} are out of order`;
    }
    if (endedUs === -1) yield `attempt ${attempt.number} has no end`;
    from = mayOverlap ? startedUs : endedUs;
  }
}

/** What did not go well has a cause, somebody at fault and evidence; what went well has none. */
function explained(world: World): Found[] {
  const found: Found[] = [];
  for (const { id, record } of recordsOf(world)) {
    const { outcome, cause, party, evidence, attempts } = record;
    const isGood = outcome === "served" || outcome === "rescued";
    if (!isGood && (cause === null || party === null || evidence === "")) {
      found.push({ id, what: `${outcome} with cause ${cause}, party ${party}, evidence "${evidence}"` });
    }
    if (isGood && cause !== null && cause !== "origin.early_reply")
      found.push({ id, what: `${outcome}, and yet ${cause}` });
    // The slower of two at once did not fail, nor one that was left because it was silent: a decision says so.
    const wasLeft = hadTwoAtOnce(record) || decisionsOf(record, "resume.given-up") > 0;
    if (
      (outcome === "rescued" && attempts.length < 2 && record.cache !== "last-good") ||
      (outcome === "served" && attempts.length > 1 && !wasLeft)
    ) {
      found.push({ id, what: `${outcome} with ${attempts.length} attempts` });
    }
    for (const attempt of wasLeft ? [] : attempts.slice(0, -1)) {
      if (attempt.cause === null || attempt.evidence === "")
        found.push({ id, what: `attempt ${attempt.number} failed without a cause or evidence` });
    }
    const repeated = REPEATING.reduce((sum, code) => sum + decisionsOf(record, code), 0);
    if (attempts.length > 1 && repeated === 0) {
      found.push({ id, what: "repeated without a decision to" });
    }
  }
  return found;
}

function nothingLeft(world: World): Found[] {
  return world.rests.flatMap((rest) =>
    [...leftAt(rest)].map((what): Found => ({ id: 0, what: `${rest.when}: ${what}` })),
  );
}

function* leftAt({ when, status, metrics, sockets, timers }: Rest): Generator<string> {
  if (status.exchangesActive !== 0) yield `${status.exchangesActive} exchanges active`;
  if (status.connections !== 0) yield `${status.connections} client connections open`;
  if (metrics.replayBytes !== 0) yield `${metrics.replayBytes} bytes in replay buffers`;
  for (const { address, inFlight, connectionsOpen, connectionsIdle } of metrics.origins) {
    if (inFlight !== 0) yield `${inFlight} in flight at ${address}`;
    const left = when === "after the end" ? connectionsOpen : connectionsOpen - connectionsIdle;
    if (left !== 0) yield `${left} connections to ${address} that nobody uses`;
  }
  if (when !== "after the end") return;
  if (sockets.length > 0) yield `sockets open: ${sockets.slice(0, 5).join(", ")}`;
  if (timers > 0) yield `${timers} timers wait`;
}

/** A read with the head that goes before it, what was kept of a body for a repeat, and framing. */
const WAITING_MAX_BYTES = 160 * 1024;

function memoryInBounds(world: World): Found[] {
  const waited = world.network.waitedMost(GATEWAY_IP);
  return waited <= WAITING_MAX_BYTES
    ? []
    : [{ id: 0, what: `${waited} bytes waited on one socket, at most ${WAITING_MAX_BYTES} may` }];
}

/** A pool that has addresses always has one that may be used, unless they have to show who they are first. */
function poolNeverEmpty(world: World): Found[] {
  if ((world.settings.services[0]?.health?.expect ?? null) !== null) return [];
  const sample = world.samples.find(({ addresses, available }) => addresses > 0 && available === 0);
  return sample === undefined ? [] : [{ id: 0, what: `pool ${sample.pool} had nothing to use at ${sample.atMs} ms` }];
}

/** Longer than the longest ejection, and a ramp. */
const RETURNS_WITHIN_MS = 75_000;
const REQUESTS_TO_JUDGE = 20;

function trafficReturns(world: World, scenario: Scenario): Found[] {
  const found: Found[] = [];
  for (const name of scenario.returning ?? []) {
    const origin = world.origin(name);
    const { wellSince } = origin;
    let asked = 0;
    for (const story of world.ledger.stories.values()) if (story.sentAt > wellSince + RETURNS_WITHIN_MS) asked += 1;
    if (asked < REQUESTS_TO_JUDGE || origin.requestsAt.some((at) => at > wellSince)) continue;
    found.push({
      id: 0,
      what: `${name} has been well for ${Math.round((world.trafficEndedAt - wellSince) / 1000)} s and got no request`,
    });
  }
  return found;
}

/** As mechanism 8 has it, the slowest of them all to come back. */
const GOODPUT_WITHIN_MS = 30_000;
const GOODPUT_MIN = 0.95;

/** Once the trigger is gone what is served returns by itself: an overload must not live on. */
function goodputReturns(world: World): Found[] {
  const calls = callsOf(world, world.loads, world.wellFromMs + GOODPUT_WITHIN_MS);
  const share = 1 - failedShare(calls);
  if (calls.length < REQUESTS_TO_JUDGE || share >= GOODPUT_MIN) return [];
  const what = `30 s after all was well again ${Math.round(share * 100)} % of ${calls.length} calls were served`;
  return [{ id: 0, what }];
}

/** What origins get beyond what clients ask, counted by the origins, is what the retry budget gives. */
function originsSpared(world: World): Found[] {
  const options = retryOf(world);
  const asked = world.ledger.stories.size;
  const got = world.origins.reduce((sum, { requestsAt }) => sum + requestsAt.length, 0);
  const seconds = (world.trafficEndedAt - world.trafficBeganAt) / 1000;
  // What a client has of a body is not asked for again: continuing one is no repeat.
  const continued = world.records.reduce((sum, record) => sum + decisionsOf(record, "resume.allowed."), 0);
  const budget = options === null ? 0 : options.budgetRatio * asked + options.budgetPerSecond * (seconds + 10);
  return got <= asked + continued + budget
    ? []
    : [
        {
          id: 0,
          what: `origins got ${got} requests for ${asked} of clients, ${Math.floor(budget)} repeats are allowed`,
        },
      ];
}

function portContract(world: World): Found[] {
  return world.network.breaches.map(({ socket, what }): Found => ({ id: 0, what: `${socket} ${what}` }));
}

// -------------------------------------------------------------------- inside

/** Records of requests that simulated clients made; a head that was cut has none of their targets. */
function recordsOf(world: World): { id: number; record: ExchangeRecord }[] {
  return world.records
    .map((record) => ({ id: idOf(record.target, record.userAgent), record }))
    .filter(({ id }) => id !== 0);
}

/** Answers that no origin gave to this very request. */
const FROM_STORE: ReadonlySet<string> = new Set(["hit", "stale", "collapsed", "revalidated", "last-good"]);

/** Decisions after which an address that was tried may be tried again. */
const MAY_ASK_AGAIN: ReadonlySet<string> = new Set([
  "retry.allowed.fresh-connection",
  "retry.allowed.second-pass",
  "retry.allowed.retry-after",
]);

/** Codes of decisions to make one more attempt. */
const REPEATING = ["retry.allowed", "resume.allowed", "hedge."];

/** How many decisions of this kind a record has. */
function decisionsOf({ decisions }: ExchangeRecord, code: string): number {
  return decisions.filter((decision) => decision.code.startsWith(code)).length;
}

/** A second origin was asked while the first one was silent, or its answer held back. */
function hadTwoAtOnce(record: ExchangeRecord): boolean {
  return ["resume.allowed.stalled", "retry.allowed.answer", "hedge."].some((code) => decisionsOf(record, code) > 0);
}

function retryOf(world: World): { attemptsMax: number; budgetRatio: number; budgetPerSecond: number } | null {
  return world.settings.services[0]?.retry ?? null;
}

/** Steps that were not reached are left out; a µs of rounding is no disorder. */
function isAscending(times: readonly number[]): boolean {
  let last = -Infinity;
  for (const time of times) {
    if (time === -1) continue;
    if (time < last - 1) return false;
    last = Math.max(last, time);
  }
  return true;
}

/** How many of some ascending numbers are in (after, upTo]. */
function countWithin(ascending: readonly number[], after: number, upTo: number): number {
  return firstAbove(ascending, upTo) - firstAbove(ascending, after);
}

function firstAbove(ascending: readonly number[], limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] ?? 0) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
