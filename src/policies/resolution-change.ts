/**
 * What to do with a new answer of the name system. Names do not decide alone: large outages began with
 * answers that were empty, stale or cut short, obeyed at once by every client.
 *
 * - A failure, an empty answer and "there is no such name" change nothing at first: the last good addresses
 *   stay, and if they really are dead, health checks and ejection see it on the traffic. They stay until the last
 *   good answer is older than the bound that the configuration states (RFC 8767 suggests one to three days),
 *   because an address that is not renewed may become somebody else's.
 * - An answer that lost more than half of the addresses is held: its new addresses are added, none is
 *   taken away, until a second answer, asked for after the first had run out, says the same.
 * - Everything else is applied: also a move to entirely different addresses, which is how providers
 *   replace machines.
 *
 * A held answer needs a second one to be confirmed. A resolver that reports only changes will not repeat
 * itself, so the owner judges the newest answer once more when `confirmAt` has come.
 *
 * Pure: the given state is not changed. Addresses are told apart by `ip` (names carry no ports).
 */
import { durationInWords } from "./words.ts";

export interface Addressed {
  readonly ip: string;
}

export type ResolutionChangeState =
  | { readonly kind: "steady" }
  /** A sharp loss, heard first at `since`, is believed from `confirmAt` on if it is heard again. Monotonic ms. */
  | { readonly kind: "held"; readonly since: number; readonly confirmAt: number };

export type ResolutionAnswer<A extends Addressed> =
  /** `ttlMs`: how long it counts as fresh; 0 when that is not known. */
  | { readonly kind: "addresses"; readonly addresses: readonly A[]; readonly ttlMs: number }
  /** `detail`: "NXDOMAIN", "no answer in 2 s". `ageMs`: since the last good answer. */
  | { readonly kind: "failure"; readonly detail: string; readonly ageMs: number };

/** Every code of this policy with its meaning. */
export const RESOLUTION_CODES = {
  "resolution.unchanged": "The answer names the addresses that are in use.",
  "resolution.applied": "The answer changed the addresses in use.",
  "resolution.applied.confirmed": "A second answer confirmed that most addresses are gone; it was applied.",
  "resolution.kept.failure": "The question failed; the last good addresses stay in use.",
  "resolution.kept.empty": "The answer was empty; the last good addresses stay in use.",
  "resolution.dropped.too-old":
    "The question has failed for so long that the last good addresses are not used any more.",
  "resolution.held.shrink":
    "The answer lost more than half of the addresses; they stay in use until a second answer confirms it.",
  "resolution.none": "The name has never been resolved, and this answer did not help.",
} as const satisfies Record<string, string>;

export interface ResolutionVerdict<A extends Addressed> {
  readonly kind: "apply" | "keep";
  /** The addresses to use from now on. */
  readonly addresses: readonly A[];
  readonly code: keyof typeof RESOLUTION_CODES;
  readonly because: string;
}

export interface ResolutionStep<A extends Addressed> {
  readonly state: ResolutionChangeState;
  readonly verdict: ResolutionVerdict<A>;
}

export const STEADY: ResolutionChangeState = { kind: "steady" };
/** No more addresses of a name are used than this; a pool is not a telephone book. */
export const ADDRESSES_MAX = 64;
/** A second answer within this time of the first may come from the same cache. */
const CONFIRM_MIN_MS = 1_000;
/** A TTL of a day must not keep dead addresses for a day. */
const CONFIRM_MAX_MS = 300_000;
const SHRINK_RATIO = 0.5;

/** `keepMs`: how old the last good answer may become. */
export function judgeResolution<A extends Addressed>(
  state: ResolutionChangeState,
  inUse: readonly A[],
  answer: ResolutionAnswer<A>,
  keepMs: number,
  now: number,
): ResolutionStep<A> {
  if (answer.kind === "failure" && answer.ageMs >= keepMs && inUse.length > 0) {
    const because = `the name could not be resolved for ${durationInWords(answer.ageMs)} (${answer.detail}); ${count(inUse)} of the last good answer dropped`;
    return apply([], "resolution.dropped.too-old", because);
  }
  if (answer.kind === "failure")
    return keep(state, inUse, "resolution.kept.failure", `the name could not be resolved (${answer.detail})`);
  const found = distinct(answer.addresses).slice(0, ADDRESSES_MAX);
  if (found.length === 0) return keep(state, inUse, "resolution.kept.empty", "the answer was empty");
  if (inUse.length === 0) return apply(found, "resolution.applied", `${count(found)} found`);
  if (found.length === inUse.length && found.every((address) => holds(inUse, address))) {
    return {
      state: STEADY,
      verdict: { kind: "keep", addresses: inUse, code: "resolution.unchanged", because: "nothing changed" },
    };
  }
  // While held, what is in use includes what the first answer wanted gone, so it is the right measure.
  if (found.length >= inUse.length * SHRINK_RATIO)
    return apply(found, "resolution.applied", changeInWords(inUse, found));
  if (state.kind === "held" && now >= state.confirmAt) {
    return apply(
      found,
      "resolution.applied.confirmed",
      `two answers ${durationInWords(now - state.since)} apart agree: ${changeInWords(inUse, found)}`,
    );
  }
  return holdShrink(state, inUse, found, answer.ttlMs, now);
}

function holdShrink<A extends Addressed>(
  state: ResolutionChangeState,
  inUse: readonly A[],
  found: readonly A[],
  ttlMs: number,
  now: number,
): ResolutionStep<A> {
  const added = found.filter((address) => !holds(inUse, address));
  const addresses = [...inUse, ...added].slice(0, ADDRESSES_MAX);
  const waitMs = Math.min(CONFIRM_MAX_MS, ttlMs > CONFIRM_MIN_MS ? ttlMs : CONFIRM_MIN_MS);
  const held: ResolutionChangeState =
    state.kind === "held" ? state : { kind: "held", since: now, confirmAt: now + waitMs };
  return {
    state: held,
    verdict: {
      kind: added.length > 0 ? "apply" : "keep",
      addresses,
      code: "resolution.held.shrink",
      because: `the answer has ${found.length} of ${inUse.length} addresses; none is dropped until another answer says the same`,
    },
  };
}

function keep<A extends Addressed>(
  state: ResolutionChangeState,
  inUse: readonly A[],
  code: keyof typeof RESOLUTION_CODES,
  what: string,
): ResolutionStep<A> {
  if (inUse.length === 0)
    return { state, verdict: { kind: "keep", addresses: inUse, code: "resolution.none", because: what } };
  const because = `${what}; the last good answer (${count(inUse)}) stays in use`;
  return { state, verdict: { kind: "keep", addresses: inUse, code, because } };
}

function apply<A extends Addressed>(
  addresses: readonly A[],
  code: keyof typeof RESOLUTION_CODES,
  because: string,
): ResolutionStep<A> {
  return { state: STEADY, verdict: { kind: "apply", addresses, code, because } };
}

function changeInWords<A extends Addressed>(inUse: readonly A[], found: readonly A[]): string {
  const added = found.filter((address) => !holds(inUse, address)).length;
  const gone = inUse.filter((address) => !holds(found, address)).length;
  return `${added} added, ${gone} gone, ${count(found)} now`;
}

function count(addresses: readonly Addressed[]): string {
  return addresses.length === 1 ? "1 address" : `${addresses.length} addresses`;
}

function distinct<A extends Addressed>(addresses: readonly A[]): A[] {
  return addresses.filter((address, index) => addresses.findIndex(({ ip }) => ip === address.ip) === index);
}

function holds(addresses: readonly Addressed[], wanted: Addressed): boolean {
  return addresses.some(({ ip }) => ip === wanted.ip);
}
