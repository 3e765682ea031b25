/**
 * Everything that was seen while a disturbance lasts, added up: what the diagnosis reads instead of the facts
 * themselves. Bounded in every direction, so a disturbance may last for days. All services are in it, not only
 * the disturbed ones: those that are well are what the others are compared with.
 */
import type {
  ChangeFact,
  EventFact,
  FailureRow,
  OriginRow,
  OwnRow,
  ProbeFact,
  SecondFact,
  TrafficRow,
} from "../contract/facts.ts";
import type { ExchangeRecord, Outcome } from "../contract/record.ts";
import { createHistogram } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";
import type { CauseId } from "../kernel/causes.ts";
import { addSparse, countAbove, countOf } from "./sparse-histogram.ts";
import { exchangesOf, failuresOf, wallOf } from "./fact-sums.ts";
import type { Watches } from "./watches.ts";

export type CauseCounts = Partial<Record<CauseId, number>>;

export interface AddressCase {
  readonly service: string;
  readonly pool: string;
  readonly provider: string;
  readonly origin: string;
  readonly address: string;
  readonly family: string;
  attempts: number;
  failures: number;
  readonly byCause: CauseCounts;
  readonly firstByte: Histogram;
  slow: number;
  measured: number;
  /** Epoch ms; 0: none. */
  firstFailureAt: number;
  lastFailureAt: number;
  firstSlowAt: number;
  /** Turns between failing for a while and working for a while, and what it does now. */
  turns: number;
  isFailing: boolean;
  /** Seconds that say otherwise. */
  otherwise: number;
  /** Seconds without a first byte while requests waited for one, in a row, and stretches of such that ended in a burst. */
  /** Seconds in which the balancer sent it next to nothing though it was in use. */
  shunnedSeconds: number;
  dumbSeconds: number;
  dumbMost: number;
  bursts: number;
  /** Attempts that went well between its first and its last failure, and since that. */
  wellBetween: number;
  wellAfter: number;
  /** Attempts since nothing of its service has failed any more: they say nothing about where it was. */
  quietAttempts: number;
  state: OriginRow["state"];
  secondsOut: number;
  checksFailed: number;
  checksWell: number;
  /** Attempts while its check failed, and how many of them failed as well. */
  uncheckedAttempts: number;
  uncheckedFailures: number;
  heldMax: number;
  atLimitSeconds: number;
  connectionsMade: number;
  seconds: number;
}

export interface RouteCase {
  readonly service: string;
  readonly route: string;
  readonly class: string;
  readonly byOutcome: Record<Outcome, number>;
  readonly byCause: CauseCounts;
  readonly duration: Histogram;
  slow: number;
  measured: number;
  retries: number;
  retriesRefused: number;
  firstFailureAt: number;
  /** The last second in which a good part of the answers was slow. */
  lastSlowAt: number;
}

export interface TellerCase {
  readonly node: string;
  readonly worker: number;
  readonly revisions: Set<string>;
  /** By service and route: workers do not have the same clients, and so not the same work. */
  readonly routes: Map<string, { exchanges: number; bad: number }>;
  exchanges: number;
  bad: number;
  stallSeconds: number;
  /** Failures in seconds that stood still or follow one that did. */
  badWhileStalled: number;
  loopDelayMaxMs: number;
  wallSeconds: number;
  wall: string;
}

/** One second of a service, for what only order tells. */
export interface SecondCase {
  readonly at: number;
  readonly service: string;
  readonly exchanges: number;
  readonly bad: number;
  readonly failed: number;
  readonly retries: number;
  readonly revision: string;
  readonly stalled: boolean;
}

export interface Case {
  /** Epoch ms of its first second. */
  readonly from: number;
  to: number;
  readonly addresses: Map<string, AddressCase>;
  readonly routes: Map<string, RouteCase>;
  readonly tellers: Map<string, TellerCase>;
  /** Failures with all dimensions but network and class. */
  readonly rows: Map<string, FailureRow & { count: number }>;
  readonly networks: Map<string, { bad: number; left: number; refused: number }>;
  networksMore: boolean;
  readonly clients: Map<string, { exchanges: number; failed: number }>;
  readonly failedByClass: Map<string, number>;
  readonly seconds: SecondCase[];
  readonly events: EventFact[];
  readonly changes: ChangeFact[];
  readonly probes: ProbeFact[];
  readonly samples: ExchangeRecord[];
  lost: number;
}

const ROWS_MAX = 400;
const NETWORKS_MAX = 1_000;
const SECONDS_MAX = 3_000;
const EVENTS_MAX = 200;
const CHANGES_MAX = 50;
const SAMPLES_MAX = 80;
const SAMPLES_OF_A_CAUSE = 12;
const PLACES_MAX = 2_000;

export function createCase(from: number): Case {
  return {
    from,
    to: from,
    addresses: new Map(),
    routes: new Map(),
    tellers: new Map(),
    rows: new Map(),
    networks: new Map(),
    networksMore: false,
    clients: new Map(),
    failedByClass: new Map(),
    seconds: [],
    events: [],
    changes: [],
    probes: [],
    samples: [],
    lost: 0,
  };
}

export function addSecond(to: Case, fact: SecondFact, watches: Watches): void {
  to.to = Math.max(to.to, fact.at + fact.lengthMs);
  to.lost += fact.lost;
  const stalled = fact.own.loopDelayMaxMs >= STALL_MS;
  for (const row of fact.origins) addOrigin(to, row, fact.at, watches);
  endQuiet(to, fact.origins);
  let exchanges = 0;
  let bad = 0;
  const services = new Map<string, { exchanges: number; bad: number; failed: number; retries: number }>();
  for (const row of fact.traffic) {
    addTraffic(to, row, fact.at, watches);
    exchanges += exchangesOf(row);
    bad += row.byOutcome.failed + row.byOutcome.rescued;
    const sum = services.get(row.service) ?? { exchanges: 0, bad: 0, failed: 0, retries: 0 };
    sum.exchanges += exchangesOf(row);
    sum.bad += row.byOutcome.failed + row.byOutcome.rescued;
    sum.failed += row.byOutcome.failed;
    sum.retries += row.retries;
    services.set(row.service, sum);
  }
  for (const [service, sum] of services)
    keep(to.seconds, { at: fact.at, service, ...sum, revision: fact.revision, stalled }, SECONDS_MAX);
  addTeller(to, fact, exchanges, bad, stalled, fact.own);
  for (const row of fact.failures) addFailure(to, row);
  for (const { network, exchanges: asked, failed } of fact.clients) {
    const client = to.clients.get(network);
    if (client !== undefined) {
      client.exchanges += asked;
      client.failed += failed;
    } else if (to.clients.size < NETWORKS_MAX) to.clients.set(network, { exchanges: asked, failed });
  }
  for (const sample of fact.samples) addSample(to, sample);
}

const STALL_MS = 250;

function addOrigin(to: Case, row: OriginRow, at: number, watches: Watches): void {
  const key = `${row.service}\n${row.pool}\n${row.address}`;
  let sum = to.addresses.get(key);
  if (sum === undefined) {
    if (to.addresses.size >= PLACES_MAX) return;
    sum = createAddress(row);
    to.addresses.set(key, sum);
  }
  const failures = failuresOf(row);
  sum.seconds += 1;
  sum.attempts += row.attempts;
  sum.quietAttempts += row.attempts;
  sum.failures += failures;
  addCounts(sum.byCause, row.byCause);
  addSparse(sum.firstByte, row.firstByte);
  const watch = watches.addresses.get(key);
  if (watch?.isShunned === true) sum.shunnedSeconds += 1;
  const slowUs = watch?.normal.slowUs ?? 0;
  if (slowUs > 0) {
    const slow = countAbove(row.firstByte, slowUs);
    sum.slow += slow;
    sum.measured += countOf(row.firstByte);
    if (slow > 0 && sum.firstSlowAt === 0) sum.firstSlowAt = at;
  }
  if (failures > 0) {
    if (sum.firstFailureAt === 0) sum.firstFailureAt = at;
    sum.lastFailureAt = at;
  }
  countTurns(sum, row, failures);
  countPauses(sum, row);
  // One failure after a hundred that went well is no part of it: there is always one somewhere.
  if (failures > 1 || (failures === 1 && sum.wellAfter < STRAY_AFTER)) {
    sum.wellBetween += sum.wellAfter;
    sum.wellAfter = 0;
  }
  if (sum.firstFailureAt > 0) sum.wellAfter += Math.max(0, row.attempts - failures);
  sum.state = row.state;
  if (row.state === "down" || row.state === "ejected" || row.state === "probation") sum.secondsOut += 1;
  if (row.checkOk === true) sum.checksWell += 1;
  if (row.checkOk === false) {
    sum.checksFailed += 1;
    sum.uncheckedAttempts += row.attempts;
    sum.uncheckedFailures += failures;
  }
  sum.heldMax = Math.max(sum.heldMax, row.held);
  if (row.limit > 0 && row.held >= row.limit) sum.atLimitSeconds += 1;
  sum.connectionsMade += row.connectionsMade;
}

/** A second in which a service fails is no quiet one for any of its addresses. */
function endQuiet(to: Case, rows: readonly OriginRow[]): void {
  const failures = new Map<string, number>();
  for (const row of rows) {
    const count = failuresOf(row);
    if (count > 0) failures.set(row.service, (failures.get(row.service) ?? 0) + count);
  }
  if (failures.size === 0) return;
  for (const address of to.addresses.values()) {
    const count = failures.get(address.service) ?? 0;
    if (count > 1 || (count === 1 && address.quietAttempts < STRAY_AFTER)) address.quietAttempts = 0;
  }
}

/** Three seconds in a row make a turn; a second without attempts and checks says nothing. */
const TURN_S = 3;

function countTurns(sum: AddressCase, row: OriginRow, failures: number): void {
  const fails = row.checkOk === false || (row.attempts > 1 && failures >= row.attempts * 0.8);
  const works = row.checkOk !== false && row.attempts > 0 && failures === 0;
  if (!fails && !works) return;
  if (fails === sum.isFailing) {
    sum.otherwise = 0;
    return;
  }
  sum.otherwise += 1;
  if (sum.otherwise < TURN_S) return;
  sum.isFailing = fails;
  sum.otherwise = 0;
  sum.turns += 1;
}

function countPauses(sum: AddressCase, row: OriginRow): void {
  const answers = countOf(row.firstByte);
  if (answers === 0 && row.inFlight > 0) {
    sum.dumbSeconds += 1;
    sum.dumbMost = Math.max(sum.dumbMost, sum.dumbSeconds);
    return;
  }
  const perSecond = sum.seconds > 0 ? sum.firstByte.count / sum.seconds : 0;
  if (sum.dumbSeconds >= 2 && answers >= 3 && answers >= perSecond * 2) sum.bursts += 1;
  sum.dumbSeconds = 0;
}

function createAddress({ service, pool, provider, origin, address, family, state }: OriginRow): AddressCase {
  return {
    service,
    pool,
    provider,
    origin,
    address,
    family,
    attempts: 0,
    failures: 0,
    byCause: {},
    firstByte: createHistogram(),
    slow: 0,
    measured: 0,
    firstFailureAt: 0,
    lastFailureAt: 0,
    firstSlowAt: 0,
    turns: 0,
    isFailing: false,
    otherwise: 0,
    shunnedSeconds: 0,
    dumbSeconds: 0,
    dumbMost: 0,
    bursts: 0,
    wellBetween: 0,
    wellAfter: 0,
    quietAttempts: 0,
    state,
    secondsOut: 0,
    checksFailed: 0,
    checksWell: 0,
    uncheckedAttempts: 0,
    uncheckedFailures: 0,
    heldMax: 0,
    atLimitSeconds: 0,
    connectionsMade: 0,
    seconds: 0,
  };
}

function addTraffic(to: Case, row: TrafficRow, at: number, watches: Watches): void {
  const key = `${row.service}\n${row.route}`;
  let sum = to.routes.get(key);
  if (sum === undefined) {
    if (to.routes.size >= PLACES_MAX) return;
    sum = {
      service: row.service,
      route: row.route,
      class: row.class,
      byOutcome: { served: 0, rescued: 0, failed: 0, refused: 0, aborted: 0 },
      byCause: {},
      duration: createHistogram(),
      slow: 0,
      measured: 0,
      retries: 0,
      retriesRefused: 0,
      firstFailureAt: 0,
      lastSlowAt: 0,
    };
    to.routes.set(key, sum);
  }
  for (const outcome of OUTCOMES) sum.byOutcome[outcome] += row.byOutcome[outcome];
  addCounts(sum.byCause, row.byCause);
  addSparse(sum.duration, row.duration);
  const slowUs = watches.routes.get(key)?.normal.slowUs ?? 0;
  if (slowUs > 0) {
    const [slow, measured] = [countAbove(row.duration, slowUs), countOf(row.duration)];
    sum.slow += slow;
    sum.measured += measured;
    if (slow > 0 && slow >= measured * SLOW_SECOND) sum.lastSlowAt = at;
  }
  sum.retries += row.retries;
  sum.retriesRefused += row.retriesRefusedByBudget;
  if (row.byOutcome.failed > 0) {
    if (sum.firstFailureAt === 0) sum.firstFailureAt = at;
    to.failedByClass.set(row.class, (to.failedByClass.get(row.class) ?? 0) + row.byOutcome.failed);
  }
}

const STRAY_AFTER = 100;
const SLOW_SECOND = 0.1;
const OUTCOMES: readonly Outcome[] = ["served", "rescued", "failed", "refused", "aborted"];

function addTeller(to: Case, fact: SecondFact, exchanges: number, bad: number, stalled: boolean, own: OwnRow): void {
  const key = `${fact.node}/${fact.worker}`;
  let sum = to.tellers.get(key);
  if (sum === undefined) {
    sum = {
      node: fact.node,
      worker: fact.worker,
      revisions: new Set(),
      routes: new Map(),
      exchanges: 0,
      bad: 0,
      stallSeconds: 0,
      badWhileStalled: 0,
      loopDelayMaxMs: 0,
      wallSeconds: 0,
      wall: "",
    };
    to.tellers.set(key, sum);
  }
  if (sum.revisions.size < 10) sum.revisions.add(fact.revision);
  sum.exchanges += exchanges;
  sum.bad += bad;
  for (const row of fact.traffic) addTellerRoute(sum, row);
  if (stalled) sum.stallSeconds += 1;
  if (stalled) sum.badWhileStalled += bad;
  sum.loopDelayMaxMs = Math.max(sum.loopDelayMaxMs, own.loopDelayMaxMs);
  const wall = wallOf(own);
  if (wall !== "") {
    sum.wallSeconds += 1;
    sum.wall = wall;
  }
}

function addTellerRoute({ routes }: TellerCase, row: TrafficRow): void {
  const key = `${row.service}\n${row.route}`;
  const known = routes.get(key);
  if (known === undefined && routes.size >= PLACES_MAX) return;
  const sum = known ?? { exchanges: 0, bad: 0 };
  sum.exchanges += exchangesOf(row);
  sum.bad += row.byOutcome.failed + row.byOutcome.rescued;
  if (known === undefined) routes.set(key, sum);
}

function addFailure(to: Case, row: FailureRow): void {
  const { count } = row;
  const key = [row.outcome, row.cause, row.service, row.route, row.pool, row.address, row.innerGateway].join("\n");
  const sum = to.rows.get(key);
  if (sum !== undefined) sum.count += count;
  else if (to.rows.size < ROWS_MAX) to.rows.set(key, { ...row, count });
  else to.lost += count;
  const isBad = row.outcome === "failed" || row.outcome === "rescued";
  let network = to.networks.get(row.clientNetwork);
  if (network === undefined) {
    if (to.networks.size >= NETWORKS_MAX) {
      to.networksMore = true;
      return;
    }
    network = { bad: 0, left: 0, refused: 0 };
    to.networks.set(row.clientNetwork, network);
  }
  if (isBad) network.bad += count;
  else if (row.outcome === "aborted") network.left += count;
  else network.refused += count;
}

function addSample(to: Case, sample: ExchangeRecord): void {
  if (to.samples.length >= SAMPLES_MAX || sample.outcome === "served") return;
  // A few of each cause say as much as a hundred of one.
  const alike = to.samples.filter(({ cause, pool }) => cause === sample.cause && pool === sample.pool);
  if (alike.length < SAMPLES_OF_A_CAUSE) to.samples.push(sample);
}

export function addEvent(to: Case, event: EventFact): void {
  keep(to.events, event, EVENTS_MAX);
}

export function addChange(to: Case, change: ChangeFact): void {
  keep(to.changes, change, CHANGES_MAX);
}

export function addProbe(to: Case, probe: ProbeFact): void {
  keep(to.probes, probe, CHANGES_MAX);
}

export function addCounts(to: CauseCounts, counts: Readonly<CauseCounts>): void {
  for (const [cause, count] of Object.entries(counts)) {
    const id = cause as CauseId; // Object.entries widens keys.
    to[id] = (to[id] ?? 0) + count;
  }
}

/** The first ones say how it began and the last ones how it goes: what is dropped is the middle. */
function keep<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.splice(Math.floor(most / 2), 1);
}
