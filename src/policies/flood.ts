/**
 * One client that asks for far more than all others is held back for a few seconds at a time, and the defence cannot
 * turn on those it defends: that is how such automation has caused outages of its own.
 *
 * - **Who is heavy.** A client whose rate is many times the mean of the others and above a floor. Both are low while
 *   the gateway is under stress, and so high otherwise that only somebody who will soon put it there is meant.
 * - **Who is never held back.** Protected identities, which the caller knows; and whoever was a good client before:
 *   good answers in twelve different stretches of ten seconds in which it was not heavy, the last of them within 36
 *   hours, so that last night's batch is known tonight. A flood earns nothing by what it got through.
 * - **What it may cost.** Clients that were good for a shorter time may be held back, but all of them together may
 *   have brought, when they were good, no more than a thousandth of what good clients bring now. That is weighed
 *   again every second; when it no longer holds, the costliest blocks are lifted.
 * - **For how long.** Ten seconds. What a client offers is counted on meanwhile: if it is still heavy then, it is held
 *   back again, if not it is let in by and by over four seconds, so that a lifted block is not a surge of its own.
 *
 * The table of clients has a fixed size. A newcomer takes the place of whoever has been quiet, never of a heavy
 * client or one that is held back, and of one known as good only where nobody else is left. Changed in place; the
 * usual path is one look into the table and a few comparisons, without allocation.
 *
 * Not here: floods from very many addresses that are each light. No bound on one client stops those; shedding by
 * class does (docs/guide/limits.md).
 */
import { durationInWords } from "./words.ts";

/** Part of the shape of `FloodSettings` in config/settings.ts. */
export interface FloodOptions {
  /** Under stress: heavy is more than so many times the mean of the others … */
  readonly stressedTimes: number;
  /** … and more than so many requests a second. */
  readonly stressedPerSecond: number;
  /** Otherwise. */
  readonly calmTimes: number;
  readonly calmPerSecond: number;
}

export interface FloodState {
  readonly rows: number;
  /** For each place: the client, 0: nobody. */
  readonly keys: number[];
  /** The second that `count` is of; `before` is of the one before it. */
  readonly second: number[];
  readonly count: number[];
  readonly before: number[];
  /** The stretch that `asked` and `well` are of: requests, and whether one was answered well. */
  readonly stretch: number[];
  readonly asked: number[];
  readonly well: number[];
  /** The last stretch in which it was heavy; -1: none. */
  readonly heavyIn: number[];
  /** Good stretches, at most `GOOD_MAX`, the last of them, and the requests a second that it brought in the best. */
  readonly good: number[];
  readonly goodIn: number[];
  readonly usual: number[];
  /** Held back until, ms; 0: it is not. After that it is let in by and by. */
  readonly until: number[];
  /** Places that are held back or being let in. */
  readonly blocks: number[];
  /** Of all clients: the second that the rest is of, requests, those of clients known as good, clients. */
  now: number;
  requests: number;
  goodRequests: number;
  clients: number;
  lastRequests: number;
  lastGoodRequests: number;
  lastClients: number;
}

export type FloodVerdict =
  | "pass"
  /** It is not heavy, or not any more, but waits its turn after a block. */
  | "refuse.returning"
  | "refuse.stressed"
  | "refuse.dominant"
  /** It is heavy and passes all the same. */
  | "spare.protected"
  | "spare.known"
  | "spare.budget";

const WAYS = 8;
const STRETCH_MS = 10_000;
const KNOWN_FROM = 12;
const GOOD_MAX = 1_000;
const REMEMBERED_STRETCHES = (36 * 3_600_000) / STRETCH_MS;
const GOOD_SHARE_MAX = 0.001;
const BLOCK_MS = 10_000;
const RETURN_MS = 4_000;
const RETURN_FROM = 0.25;
/** Below so many others there is no "everybody" to compare with: a load test and its monitor are two clients. */
const CALM_OTHERS_MIN = 10;
const BLOCKS_MAX = 1_024;
/** From here on a client is worth being watched more than remembered. */
const BUSY_PER_SECOND = 10;

export function createFloodState(clientsMax: number): FloodState {
  const rows = Math.max(1, Math.ceil(clientsMax / WAYS));
  const filled = (value: number): number[] => Array.from({ length: rows * WAYS }, () => value);
  return {
    rows,
    keys: filled(0),
    second: filled(-1),
    count: filled(0),
    before: filled(0),
    stretch: filled(-1),
    asked: filled(0),
    well: filled(0),
    heavyIn: filled(-1),
    good: filled(0),
    goodIn: filled(-1),
    usual: filled(0),
    until: filled(0),
    blocks: [],
    now: -1,
    requests: 0,
    goodRequests: 0,
    clients: 0,
    lastRequests: 0,
    lastGoodRequests: 0,
    lastClients: 0,
  };
}

/** A request of this client has come. `roll` decides who of those that return is let in. */
export function floodVerdict(
  options: FloodOptions,
  state: FloodState,
  key: number,
  isProtected: boolean,
  stressed: boolean,
  roll: number,
  now: number,
): FloodVerdict {
  const place = arrive(state, key, now);
  const verdict = judge(options, state, place, isProtected, stressed, roll, now);
  if (verdict !== "refuse.returning" && verdict !== "refuse.stressed" && verdict !== "refuse.dominant")
    countPassed(state, place);
  return verdict;
}

function judge(
  options: FloodOptions,
  state: FloodState,
  place: number,
  isProtected: boolean,
  stressed: boolean,
  roll: number,
  now: number,
): FloodVerdict {
  const rate = (state.count[place] ?? 0) + (state.before[place] ?? 0);
  const until = state.until[place] ?? 0;
  // The floor is not reached even if all of the last second's requests still counted.
  const floor = stressed ? options.stressedPerSecond : options.calmPerSecond;
  if (until === 0 && rate <= floor) return "pass";
  const heavy = isHeavy(options, state, place, stressed, now);
  if (heavy) {
    state.heavyIn[place] = stretchOf(now);
    if (now < until) return verdictOf(stressed);
    const spared = reasonToSpare(state, place, isProtected, now);
    if (spared !== null) return spared;
    if (until === 0) state.blocks.push(place);
    state.until[place] = now + BLOCK_MS;
    return verdictOf(stressed);
  }
  if (until === 0) return "pass";
  if (now < until) return "refuse.returning";
  const back = (now - until) / RETURN_MS;
  if (back < 1) return roll < RETURN_FROM + (1 - RETURN_FROM) * back ? "pass" : "refuse.returning";
  release(state, place);
  return "pass";
}

/** A request of this client was answered as it should be. */
export function answeredWell(state: FloodState, key: number, now: number): void {
  const place = find(state, key);
  if (place !== -1 && state.stretch[place] === stretchOf(now)) state.well[place] = 1;
}

/** What it offers, for people: `812 requests a second; the other 40 clients bring 3 a second each`. */
export function floodInWords(state: FloodState, key: number, now: number): string {
  const place = find(state, key);
  const rate = place === -1 ? 0 : rateAt(state, place, now);
  const others = othersOf(state);
  const mean = place === -1 ? 0 : meanOfOthers(state, place, now);
  const block = place === -1 ? 0 : (state.until[place] ?? 0) - now;
  const left = block > 0 ? `; held back for ${durationInWords(block)} more at most` : "";
  return `${Math.round(rate)} requests a second; the other ${others} clients bring ${mean < 9.5 ? Number(mean.toFixed(1)) : Math.round(mean)} a second each${left}`;
}

/** Clients held back now. */
export function heldBack(state: FloodState, now: number): number {
  return state.blocks.filter((place) => (state.until[place] ?? 0) > now).length;
}

// ---------------------------------------------------------------- who is heavy

function isHeavy(options: FloodOptions, state: FloodState, place: number, stressed: boolean, now: number): boolean {
  const others = othersOf(state);
  if (others < (stressed ? 1 : CALM_OTHERS_MIN)) return false;
  const rate = rateAt(state, place, now);
  if (rate <= (stressed ? options.stressedPerSecond : options.calmPerSecond)) return false;
  return rate > (stressed ? options.stressedTimes : options.calmTimes) * meanOfOthers(state, place, now);
}

/** Requests a second: what came of this second, and of the last one the part that a window of a second still sees. */
function rateAt(state: FloodState, place: number, now: number): number {
  const second = Math.floor(now / 1000);
  const seen = state.second[place] ?? -1;
  const count = state.count[place] ?? 0;
  const rest = 1 - (now / 1000 - second);
  if (seen === second) return count + (state.before[place] ?? 0) * rest;
  return seen === second - 1 ? count * rest : 0;
}

/** How many others there are. */
function othersOf(state: FloodState): number {
  return Math.max(0, Math.max(state.clients, state.lastClients) - 1);
}

/** Requests a second that each of them got through. Of one that is held back next to nothing is among them. */
function meanOfOthers(state: FloodState, place: number, now: number): number {
  const own = state.until[place] === 0 ? rateAt(state, place, now) : 0;
  const rest = 1 - (now / 1000 - Math.floor(now / 1000));
  const requests = state.requests + state.lastRequests * rest;
  const others = othersOf(state);
  return others === 0 ? 0 : Math.max(0, requests - own) / others;
}

function verdictOf(stressed: boolean): FloodVerdict {
  return stressed ? "refuse.stressed" : "refuse.dominant";
}

// ---------------------------------------------------------------- who is spared

function reasonToSpare(state: FloodState, place: number, isProtected: boolean, now: number): FloodVerdict | null {
  if (isProtected) return "spare.protected";
  if (isKnown(state, place, now)) return "spare.known";
  if (state.blocks.length >= BLOCKS_MAX) return "spare.budget";
  const cost = costOf(state, place, now);
  if (cost === 0) return null;
  const spent = state.blocks.reduce((sum, block) => sum + (block === place ? 0 : costOf(state, block, now)), 0);
  return spent + cost > budgetAt(state) ? "spare.budget" : null;
}

function isKnown(state: FloodState, place: number, now: number): boolean {
  return (state.good[place] ?? 0) >= KNOWN_FROM && isRemembered(state, place, now);
}

function isRemembered(state: FloodState, place: number, now: number): boolean {
  return stretchOf(now) - (state.goodIn[place] ?? -1) <= REMEMBERED_STRETCHES;
}

/** Requests a second of good traffic that are lost while this client is held back. */
function costOf(state: FloodState, place: number, now: number): number {
  return (state.good[place] ?? 0) > 0 && isRemembered(state, place, now) ? (state.usual[place] ?? 0) : 0;
}

function budgetAt(state: FloodState): number {
  return GOOD_SHARE_MAX * Math.max(state.goodRequests, state.lastGoodRequests);
}

/** Once a second: blocks that cost more good traffic than they may are lifted, the costliest first. */
function reconsider(state: FloodState, now: number): void {
  const { blocks } = state;
  let cost = 0;
  for (const place of blocks) cost += costOf(state, place, now);
  while (cost > budgetAt(state)) {
    let costliest = blocks[0] ?? 0;
    for (const place of blocks) if (costOf(state, place, now) > costOf(state, costliest, now)) costliest = place;
    cost -= costOf(state, costliest, now);
    release(state, costliest);
    if (blocks.length === 0) return;
  }
}

function release(state: FloodState, place: number): void {
  state.until[place] = 0;
  const index = state.blocks.indexOf(place);
  if (index !== -1) state.blocks.splice(index, 1);
}

// ---------------------------------------------------------------- counting

/** Counts one request and gives the place of its client. */
function arrive(state: FloodState, key: number, now: number): number {
  const second = Math.floor(now / 1000);
  if (second > state.now) beginSecond(state, second, now);
  let place = find(state, key);
  if (place === -1) place = admit(state, key, now);
  const seen = state.second[place] ?? -1;
  if (seen < second) {
    state.before[place] = seen === second - 1 ? (state.count[place] ?? 0) : 0;
    state.count[place] = 0;
    state.second[place] = second;
    state.clients += 1;
    // A stretch begins with a second.
    const stretch = stretchOf(now);
    if ((state.stretch[place] ?? -1) < stretch) beginStretch(state, place, stretch);
  }
  state.count[place] = (state.count[place] ?? 0) + 1;
  state.asked[place] = (state.asked[place] ?? 0) + 1;
  return place;
}

/** What is refused is nobody's measure: otherwise one flood would hide the next. */
function countPassed(state: FloodState, place: number): void {
  state.requests += 1;
  if ((state.good[place] ?? 0) > 0) state.goodRequests += 1;
}

function beginSecond(state: FloodState, second: number, now: number): void {
  const follows = second === state.now + 1;
  state.lastRequests = follows ? state.requests : 0;
  state.lastGoodRequests = follows ? state.goodRequests : 0;
  state.lastClients = follows ? state.clients : 0;
  state.requests = 0;
  state.goodRequests = 0;
  state.clients = 0;
  state.now = second;
  // Whoever was let in again and has not come since is no longer of interest.
  for (let i = state.blocks.length - 1; i >= 0; i -= 1) {
    const place = state.blocks[i] ?? 0;
    if (now - (state.until[place] ?? 0) > RETURN_MS) release(state, place);
  }
  reconsider(state, now);
}

/** What the last stretch was worth: only a whole one in which it was never heavy counts. */
function beginStretch(state: FloodState, place: number, stretch: number): void {
  const last = state.stretch[place] ?? -1;
  if (state.well[place] === 1 && state.heavyIn[place] !== last) {
    const perSecond = (state.asked[place] ?? 0) / (STRETCH_MS / 1000);
    const isOld = last - (state.goodIn[place] ?? -1) > REMEMBERED_STRETCHES;
    state.good[place] = isOld ? 1 : Math.min(GOOD_MAX, (state.good[place] ?? 0) + 1);
    state.usual[place] = isOld ? perSecond : Math.max(state.usual[place] ?? 0, perSecond);
    state.goodIn[place] = last;
  }
  state.stretch[place] = stretch;
  state.asked[place] = 0;
  state.well[place] = 0;
}

function stretchOf(now: number): number {
  return Math.floor(now / STRETCH_MS);
}

// ---------------------------------------------------------------- the table

function find(state: FloodState, key: number): number {
  const { keys } = state;
  const first = firstOfRow(state, key);
  for (let place = first; place < first + WAYS; place += 1) if (keys[place] === key) return place;
  return -1;
}

/** By the low half of the key: the remainder of a number beyond 32 bits is a call, and this runs for every request. */
function firstOfRow(state: FloodState, key: number): number {
  return ((key >>> 0) % state.rows) * WAYS;
}

/** In place of whoever matters least. */
function admit(state: FloodState, key: number, now: number): number {
  const first = firstOfRow(state, key);
  let least = first;
  let worth = Number.POSITIVE_INFINITY;
  for (let place = first; place < first + WAYS; place += 1) {
    const other = worthAt(state, place, now);
    if (other >= worth) continue;
    worth = other;
    least = place;
  }
  release(state, least);
  state.keys[least] = key;
  state.second[least] = -1;
  state.count[least] = 0;
  state.before[least] = 0;
  state.stretch[least] = -1;
  state.asked[least] = 0;
  state.well[least] = 0;
  state.heavyIn[least] = -1;
  state.good[least] = 0;
  state.goodIn[least] = -1;
  state.usual[least] = 0;
  return least;
}

/** Held back, then known, then busy, then good for a while. */
function worthAt(state: FloodState, place: number, now: number): number {
  if (state.keys[place] === 0) return -1;
  if (state.until[place] !== 0) return 1e9;
  const rate = Math.min(99_999, rateAt(state, place, now));
  const good = isRemembered(state, place, now) ? (state.good[place] ?? 0) : 0;
  if (good >= KNOWN_FROM) return 1e7 + good;
  return (rate >= BUSY_PER_SECOND ? 1e6 : 0) + good * 1_000 + rate;
}
