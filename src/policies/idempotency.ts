/**
 * What an Idempotency-Key promises (draft-ietf-httpapi-idempotency-key-header): a request that is sent several times
 * with one key is carried out once, and every try gets the answer of that once.
 *
 * The promise is "at most once, or you are told that nobody knows". So the machine has a state for not knowing,
 * and no way leads from there back to sending, but three: the origin itself honours the key (then sending again only
 * asks it what became of it), a person says what happened, or the key expires.
 *
 * Absent → started → answered, or uncertain, or absent again when provably nothing was carried out. This file
 * decides; gateway/keyed-exchange.ts acts, and the ledger keeps the state before anybody acts on it.
 */
import type { KeyState } from "../kernel/ledger.ts";

export interface KnownKey {
  readonly fingerprint: string;
  readonly state: KeyState;
}

export type KeyVerdict =
  /** `because`: why its fate is uncertain. */
  | { readonly kind: "send"; readonly because: string; readonly reason: string }
  /** The same request is under way: its answer will do for both. */
  | { readonly kind: "wait" }
  | { readonly kind: "replay"; readonly status: number }
  /** It was carried out, and its answer is not at hand. */
  | { readonly kind: "answer not kept"; readonly reason: string }
  /** The key belongs to another request. */
  | { readonly kind: "other request" }
  | { readonly kind: "uncertain"; readonly reason: string };

/** How the one try that was sent ended. */
export type KeyOutcome =
  | {
      readonly kind: "response";
      readonly status: number;
      readonly retryAfter: boolean;
      /** Its whole body was received and is at hand. */
      readonly kept: boolean;
      /** Why not, otherwise empty. */
      readonly because: string;
    }
  /** `sent`: a byte of the request may have reached an origin. */
  | { readonly kind: "failed"; readonly sent: boolean; readonly because: string };

/** What has to be kept; null: the key is free again. */
export interface KeyConclusion {
  readonly state: Exclude<KeyState, { kind: "started" }> | null;
  readonly reason: string;
}

/**
 * A request with a key that is known already. `inFlight`: an exchange of this process works on it now; a started key
 * without one was left behind by a process that ended, or by an exchange that gave up.
 */
export function judgeKnownKey(
  known: KnownKey,
  fingerprint: string,
  inFlight: boolean,
  originsHonour: boolean,
): KeyVerdict {
  if (known.fingerprint !== fingerprint) return { kind: "other request" };
  const { state } = known;
  switch (state.kind) {
    case "answered":
      return state.kept ? { kind: "replay", status: state.status } : { kind: "answer not kept", reason: state.because };
    case "started":
      if (inFlight) return { kind: "wait" };
      return unknownOutcome("the gateway was interrupted after it had begun to send the request", originsHonour);
    case "uncertain":
      return unknownOutcome(state.because, originsHonour);
  }
}

function unknownOutcome(because: string, originsHonour: boolean): KeyVerdict {
  if (!originsHonour) return { kind: "uncertain", reason: because };
  return {
    kind: "send",
    because,
    reason: `sent again with its key, which the route's origins honour, to learn what became of it: ${because}`,
  };
}

/**
 * What the end of a try means for its key. `before`: why its fate was uncertain before this try, otherwise empty; that
 * this try did nothing says nothing about the one before.
 */
export function concludeKey(outcome: KeyOutcome, originsHonour: boolean, before: string): KeyConclusion {
  const conclusion = concludeTry(outcome, originsHonour);
  return conclusion.state === null && before !== "" ? uncertain(before) : conclusion;
}

function concludeTry(outcome: KeyOutcome, originsHonour: boolean): KeyConclusion {
  if (outcome.kind === "failed") {
    if (!outcome.sent)
      return { state: null, reason: "nothing of the request reached an origin; the key is free again" };
    return uncertain(outcome.because);
  }
  const { status, kept, because } = outcome;
  if (refused(status, outcome.retryAfter)) {
    return { state: null, reason: `the origin turned the request away (${status}); the key is free again` };
  }
  if (status === 502 || status === 504) return uncertain(`a gateway behind this one answered ${status}`);
  // The draft's own answer of an origin that still works on the first try: not the answer of the request.
  if (status === 409 && originsHonour) return uncertain("the origin answered 409: it may still be at work on it");
  return {
    state: { kind: "answered", status, kept, because },
    reason: kept
      ? `the answer (${status}) was stored before any of it was sent`
      : `the request was carried out (${status}) and its answer is not kept: ${because}`,
  };
}

function uncertain(because: string): KeyConclusion {
  return {
    state: { kind: "uncertain", because },
    reason: `it may have been carried out: ${because}`,
  };
}

/**
 * Answers that say that nothing was done: rate limits (RFC 6585 §4), overload with an invitation to come back (RFC
 * 9110 §15.6.4), a request that did not arrive whole (§15.5.9), too early (RFC 8470 §5.2), or at the wrong place
 * (RFC 9110 §15.5.20). A 503 without Retry-After says nothing of the kind: it may stand for a crash on the way.
 */
function refused(status: number, retryAfter: boolean): boolean {
  return status === 429 || status === 408 || status === 425 || status === 421 || (status === 503 && retryAfter);
}
