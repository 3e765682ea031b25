/**
 * The codes of decisions: what the gateway chose to do about an exchange beyond the usual way, and what it
 * chose not to do. A record carries the code with a sentence about that case; this table says what the code
 * means in general, and docs/reference/decisions.md is made from it.
 *
 * A code is a promise to whoever filters by it: it may be added, not renamed.
 */
interface Row {
  /** The step of the exchange in which it is decided (contract/record.ts, `Step`). */
  readonly step: "pick" | "attempt" | "relay" | "rescue";
  readonly meaning: string;
}

export const DECISIONS = {
  "available.fail-open.held": {
    step: "pick",
    meaning: "An origin that fails is used all the same: its peers fail alike, or as many are out already as may be.",
  },
  "available.fail-open.checks": {
    step: "pick",
    meaning: "Checks alone would take out too much of the pool, so whom only checks accuse is used all the same.",
  },
  "available.fail-open.all": {
    step: "pick",
    meaning: "Nothing in the pool is known to work, so all its origins are used all the same.",
  },
  "pick.probation": {
    step: "pick",
    meaning: "This request is the one that tries an ejected origin again; its outcome decides whether traffic returns.",
  },
  "pick.last-resort": {
    step: "pick",
    meaning:
      "Every usable origin has been tried for this exchange; an ejected one whose checks do not fail was picked, because nothing else was left.",
  },
  "pick.other-pool": {
    step: "pick",
    meaning: "The pool in use has no origin left that this exchange has not tried, so one of another pool was picked.",
  },
  "attempt.waited-for-connection": {
    step: "attempt",
    meaning: "Every connection that the origin may have was in use, so the attempt waited for one to become free.",
  },
  "relay.extra-bytes": {
    step: "relay",
    meaning:
      "Bytes followed the end of the response. They were thrown away and the connection was closed, so that they reach no other exchange.",
  },
  "relay.early-reply": {
    step: "relay",
    meaning:
      "The origin answered before the request was complete; the answer was passed on and the client's connection is closed after it.",
  },
  "retry.allowed.never-sent": {
    step: "rescue",
    meaning: "Repeated at another origin: nothing of the request had reached the first, so any method may go again.",
  },
  "retry.allowed.idempotent": {
    step: "rescue",
    meaning:
      "Repeated at another origin: it may have been run, but running it twice does no harm, and nothing of a response had been passed on.",
  },
  "retry.allowed.fresh-connection": {
    step: "rescue",
    meaning: "Repeated at the same origin on a new connection: an idle one had died, and no other origin is left.",
  },
  "retry.refused.response-begun": {
    step: "rescue",
    meaning: "Not repeated: the response had begun, and a second one cannot replace it.",
  },
  "retry.refused.no-cure": {
    step: "rescue",
    meaning: "Not repeated: another attempt does not cure the cause of the failure.",
  },
  "retry.refused.not-idempotent": {
    step: "rescue",
    meaning: "Not repeated: the origin may have run it, and running it twice could do harm (RFC 9110 §9.2.2).",
  },
  "retry.refused.body-too-large": {
    step: "rescue",
    meaning: "Not repeated: the request body exceeds the replay buffer and was passed on without being kept.",
  },
  "retry.refused.body-not-kept": {
    step: "rescue",
    meaning: "Not repeated: the memory for all replay buffers was used up, so the request body was not kept.",
  },
  "retry.refused.attempts": {
    step: "rescue",
    meaning: "Not repeated: the exchange has had all the attempts that it may have.",
  },
  "retry.refused.no-other-origin": {
    step: "rescue",
    meaning: "Not repeated: every origin that can be picked has been tried for this exchange.",
  },
  "retry.refused.budget": {
    step: "rescue",
    meaning: "Not repeated: the service's retry budget is used up, and more repeats would make an overload worse.",
  },
} as const satisfies Record<string, Row>;

export type DecisionCode = keyof typeof DECISIONS;
