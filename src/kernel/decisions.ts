/**
 * The codes of decisions: what the gateway chose to do about an exchange beyond the usual way, and what it
 * chose not to do. A record carries the code with a sentence about that case; this table says what the code
 * means in general, and docs/reference/decisions.md is made from it.
 *
 * A code is a promise to whoever filters by it: it may be added, not renamed.
 */
interface Row {
  /** The step of the exchange in which it is decided (contract/record.ts, `Step`). */
  readonly step: "admit" | "look up" | "pick" | "attempt" | "relay" | "rescue" | "reply" | "judge";
  readonly meaning: string;
}

export const DECISIONS = {
  "admit.queued": {
    step: "admit",
    meaning: "Every usable origin had as many requests as it can take, so this one waited until there was room.",
  },
  "admit.no-room-to-repeat": {
    step: "admit",
    meaning:
      "It was to be repeated, and no room came in time at an origin that is left: told is what the last attempt failed of.",
  },
  "admit.rate-limit-shadow": {
    step: "admit",
    meaning: "A rate limit in shadow would have refused this request; it passed.",
  },
  "admit.waited-before": {
    step: "admit",
    meaning:
      "Its visitor was turned away before and asked to wait (a signed ticket says so), and goes before newcomers.",
  },
  "admit.flood-shadow": {
    step: "admit",
    meaning: "The flood guard, which is in shadow, would have held this client back; its request passed.",
  },
  "admit.flood-spared": {
    step: "admit",
    meaning:
      "The client asks for far more than the others and was not held back: it is protected, was good before, or holding it back would have hit good traffic.",
  },
  "admit.challenge": {
    step: "admit",
    meaning:
      "A certificate authority asked for the proof that a name is this gateway's, and got it: a certificate is being obtained (`acme`).",
  },
  "admit.to-https": {
    step: "admit",
    meaning: "The request came without TLS, and the listener sends such requests to the same place with it.",
  },
  "cache.stale-while-revalidate": {
    step: "look up",
    meaning:
      "A stored response answered though it was stale, as its origin or the route allows, and a new one was fetched without anybody waiting for it.",
  },
  "cache.waited-too-long": {
    step: "look up",
    meaning:
      "The same response was being fetched for another request and took longer than requests wait for that, so this one asked an origin by itself.",
  },
  "cache.last-good": {
    step: "rescue",
    meaning:
      "No origin gave a usable answer, so a stored response was given instead, within what its origin and the route allow.",
  },
  "key.begun": {
    step: "look up",
    meaning: "The request's Idempotency-Key was recorded as started, durably, before a byte of it was sent.",
  },
  "key.waited": {
    step: "look up",
    meaning: "A request with the same Idempotency-Key was under way, so this one waited for its answer.",
  },
  "key.replayed": {
    step: "look up",
    meaning: "The answer to an earlier request with the same Idempotency-Key was given again; no origin was asked.",
  },
  "key.again": {
    step: "look up",
    meaning:
      "What became of an earlier request with the same Idempotency-Key is not known, and the route's origins honour keys: it was sent again to learn it.",
  },
  "key.unprotected": {
    step: "look up",
    meaning:
      "The Idempotency-Key could not be kept and the route does not require it, so the request was passed on without the promise of its key.",
  },
  "key.stored": {
    step: "relay",
    meaning: "The answer was stored under the request's Idempotency-Key, durably, before any of it was given.",
  },
  "key.not-kept": {
    step: "relay",
    meaning:
      "The answer is too large or too slow to be stored. That there was one is stored, so that the request is not carried out again.",
  },
  "key.unstored": {
    step: "relay",
    meaning:
      "The answer was given and could not be stored under its Idempotency-Key. The key stays as started, which later means uncertain.",
  },
  "key.freed": {
    step: "rescue",
    meaning:
      "Nothing was carried out, provably or by the origin's own word, so the Idempotency-Key may be used as if it were new.",
  },
  "key.uncertain": {
    step: "rescue",
    meaning:
      "The request was sent and may have been carried out, so its Idempotency-Key is kept as uncertain and is not used for sending again.",
  },
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
      "Every usable origin has been tried for this exchange; an ejected one whose checks do not fail was picked, because nothing else was left. For the rest of a body also one whose checks fail, if its beginning came from there.",
  },
  "pick.other-pool": {
    step: "pick",
    meaning: "The pool in use has no origin left that this exchange has not tried, so one of another pool was picked.",
  },
  "pick.spill": {
    step: "pick",
    meaning:
      "The first pool has less capacity than is needed, or has had it back for too short a time to count on, so a part of the exchanges, this one among them, goes to the next.",
  },
  "pick.silent-pool": {
    step: "pick",
    meaning:
      "No address of the pool in use has said anything for longer than its answers take, while requests wait there, so another pool was picked. The first byte that is heard ends that.",
  },
  "pick.overflow": {
    step: "pick",
    meaning:
      "The origins of the pool in use had as many requests to answer as they can in time, so this one went to the next pool, as far as that has room.",
  },
  "pick.spared": {
    step: "pick",
    meaning:
      "The request may not be sent twice, so an origin whose last request had got no answer a moment ago was left out while another one's had.",
  },
  "pick.standby": {
    step: "pick",
    meaning: "A pool that is not first got this exchange as a part of its continuous share, so that it is proven.",
  },
  "attempt.reduced-mode": {
    step: "attempt",
    meaning:
      "The service is strained, and the origin was told so (`Goodgate-Mode: reduced`): it may leave out what is costly.",
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
  "relay.tunnel-reset": {
    step: "relay",
    meaning: "The origin ended a tunnel by a reset, so the client's side was reset too: what was said is not complete.",
  },
  "relay.tunnel-told": {
    step: "relay",
    meaning:
      "The gateway ends or gives its place on, so both sides of a WebSocket were sent a Close frame (1001, going away) as soon as a frame had ended.",
  },
  "breaker.opened": {
    step: "judge",
    meaning:
      "One route fails at one origin, and not elsewhere, while the origin's other routes work: the route is sent to other origins for a while.",
  },
  "breaker.stays-open": {
    step: "judge",
    meaning: "The one request that tried a route again at an origin that fails on it failed; it is spared for longer.",
  },
  "breaker.fails-open": {
    step: "judge",
    meaning: "The route fails alike on every origin, so it is the application's fault and no origin is spared it.",
  },
  "breaker.closed": {
    step: "judge",
    meaning: "A request of the route succeeded at the origin that had failed on it; it is sent there again.",
  },
  "pick.breaker-trial": {
    step: "pick",
    meaning: "This request is the one that tries its route again at an origin that had failed on it alone.",
  },
  "hedge.sent": {
    step: "attempt",
    meaning:
      "Sent to a second origin although the first had not failed: it was later than nearly all answers of its route. Whoever answers first wins.",
  },
  "hedge.silent-pool": {
    step: "attempt",
    meaning:
      "Sent to an origin of another pool as well, because no address of its own pool has said anything for longer than its answers take. Whoever answers first wins.",
  },
  "hedge.won": {
    step: "relay",
    meaning: "The second of two origins that were asked at once answered first; the other was let go, without blame.",
  },
  "hedge.cancelled": {
    step: "relay",
    meaning:
      "The first of two origins that were asked at once answered first after all; the second was let go, without blame.",
  },
  "hedge.goes-on": {
    step: "rescue",
    meaning: "One of two origins that were asked at once failed; the other one is waited for.",
  },
  "hedge.refused.stressed": {
    step: "attempt",
    meaning: "Late, and not sent to a second origin: the service turns requests away, and a second one is more load.",
  },
  "hedge.refused.attempts": {
    step: "attempt",
    meaning: "Late, and not sent to a second origin: the exchange has had all the attempts that it may have.",
  },
  "hedge.refused.no-other-origin": {
    step: "attempt",
    meaning: "Late, and not sent to a second origin: its pool has no other usable one that was not tried.",
  },
  "hedge.refused.deadline": {
    step: "attempt",
    meaning: "Late, and not sent to a second origin: it could not answer before the deadline.",
  },
  "hedge.refused.budget": {
    step: "attempt",
    meaning:
      "Late, and not sent to a second origin: what is left of the retry budget is kept for requests that failed.",
  },
  "poison.refused": {
    step: "pick",
    meaning:
      "Not sent to any origin: requests like it broke the connection to two origins without an answer and none has succeeded, or kept two so busy that nobody else was answered there. So it is kept away for a while.",
  },
  "poison.trial": {
    step: "pick",
    meaning:
      "The quarantine of requests like this is over, and this one tries, once and at an origin where they did harm before, whether they still do.",
  },
  "held.given": {
    step: "rescue",
    meaning:
      "Another origin was asked because of a 5xx and had nothing better, so the answer that was held back is passed on as it came.",
  },
  "held.same-everywhere": {
    step: "rescue",
    meaning:
      "A 5xx is passed on without asking another origin: on this route that has brought nothing better lately, so it is the application.",
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
  "retry.allowed.keyed": {
    step: "rescue",
    meaning:
      "Repeated at another origin: it carries an idempotency key, and its route declares that origins run one key once.",
  },
  "retry.allowed.second-pass": {
    step: "rescue",
    meaning:
      "Repeated after a pause with jitter: every origin was asked and none could be reached, so nothing was sent, and one may be back.",
  },
  "retry.allowed.retry-after": {
    step: "rescue",
    meaning:
      "Repeated after as long as the origin asked to wait (Retry-After, RFC 9110 §10.2.3): the request's deadline allows it.",
  },
  "retry.allowed.answer": {
    step: "rescue",
    meaning:
      "Another origin is asked because of a 5xx of the first, whose answer is held back meanwhile and passed on if there is no better one.",
  },
  "retry.refused.overloaded": {
    step: "rescue",
    meaning: "Not repeated: the origin says that it is overloaded, and asking another would carry the overload there.",
  },
  "retry.refused.keyed": {
    step: "rescue",
    meaning:
      "Not repeated: it carries an idempotency key, may have reached an origin, and its route does not say that origins run one key once.",
  },
  "retry.refused.shedding": {
    step: "rescue",
    meaning:
      "Not repeated: the origin may have begun with it, and requests are being turned away for want of room; a repeat would take the place of another.",
  },
  "retry.refused.in-front": {
    step: "rescue",
    meaning:
      "Not repeated: a Goodgate in front of this one repeats what fails here (it says so in `Goodgate-Attempt`), and two layers multiply.",
  },
  "retry.refused.breaks-origins": {
    step: "rescue",
    meaning: "Not repeated: the request has broken the connections to two origins, and no third is risked for it.",
  },
  "retry.refused.deadline": {
    step: "rescue",
    meaning: "Not repeated: less time is left until the deadline than another attempt usually takes.",
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
  "resume.allowed.broken": {
    step: "rescue",
    meaning:
      "A response broke in its body, and what was missing was asked for at another origin, which goes on only if it has the same bytes.",
  },
  "resume.allowed.same-origin": {
    step: "rescue",
    meaning:
      "A response broke in its body, and what was missing was asked for on a new connection to the origin that its beginning came from, because no other is left, or because only that one is known to have it and the retry budget is used up.",
  },
  "resume.allowed.stalled": {
    step: "rescue",
    meaning:
      "A response stood still in its body. The rest was asked for at another origin besides, or on a new connection where no other has it; whichever goes on first is kept.",
  },
  "resume.continued": {
    step: "relay",
    meaning: "The answer is the rest of the very body that the client is getting, so its bytes follow.",
  },
  "resume.went-on": {
    step: "relay",
    meaning: "The origin that had stood still went on before another one answered, so the other one was let go.",
  },
  "resume.given-up": {
    step: "rescue",
    meaning:
      "An origin that was asked for the rest did not begin to answer in time, and another one is left to be asked instead.",
  },
  "resume.mismatch.range": {
    step: "rescue",
    meaning: "The answer is not the range that was asked for, or contradicts itself about it; nothing of it was used.",
  },
  "resume.mismatch.range-ignored": {
    step: "rescue",
    meaning: "The origin sent everything again, and what the client has of it is too much to be thrown away.",
  },
  "resume.mismatch.validator": {
    step: "rescue",
    meaning:
      "The origin has another version than the one that the client is getting: its ETag or Last-Modified differs. Nothing of it was used.",
  },
  "resume.mismatch.coding": {
    step: "rescue",
    meaning: "The answer has another Content-Encoding under the same validator, so its bytes are others.",
  },
  "resume.mismatch.type": {
    step: "rescue",
    meaning: "The answer has another Content-Type, such as several ranges in one body; nothing of it was used.",
  },
  "resume.mismatch.status": {
    step: "rescue",
    meaning: "The origin answered the question for the rest with neither 206 nor 200.",
  },
  "resume.refused.off": {
    step: "rescue",
    meaning: "Not resumed: `resume` is off for this route.",
  },
  "resume.refused.request": {
    step: "rescue",
    meaning: "Not resumed: only what a GET without a body asks for can be asked for in part.",
  },
  "resume.refused.layer": {
    step: "rescue",
    meaning: "Not resumed: a Goodgate in front makes the attempts, and two layers that repeat multiply each other.",
  },
  "resume.refused.status": {
    step: "rescue",
    meaning: "Not resumed: the response was neither a whole representation (200) nor one known part of one (206).",
  },
  "resume.refused.no-length": {
    step: "rescue",
    meaning: "Not resumed: the response had no Content-Length, so nobody knows what is missing.",
  },
  "resume.refused.no-validator": {
    step: "rescue",
    meaning:
      "Not resumed: the response had no strong validator (ETag, or a Last-Modified that is old enough), so another origin's bytes might be others.",
  },
  "resume.refused.no-cure": {
    step: "rescue",
    meaning: "Not resumed: the cause of the break would break the rest as well.",
  },
  "resume.refused.attempts": {
    step: "rescue",
    meaning:
      "Not resumed: the service makes one attempt only, or twice as many in a row as it makes for a request brought next to nothing.",
  },
  "resume.refused.silence": {
    step: "rescue",
    meaning: "Not resumed: the client has waited in the middle of the body for as long as any silence may last.",
  },
  "resume.refused.times": {
    step: "rescue",
    meaning: "Not resumed: this body has been continued as often as the route allows.",
  },
  "resume.refused.no-origin": {
    step: "rescue",
    meaning: "Not resumed: every origin has failed or has other bytes.",
  },
  "resume.refused.budget": {
    step: "rescue",
    meaning:
      "Not resumed: the newest attempt brought little, the service's retry budget is used up, and nothing is owed to a good part that came before.",
  },
  "reply.fallback": {
    step: "reply",
    meaning: "The client got what the operator prepared for this route (`fallback`) instead of a failure page.",
  },
  "reply.waiting-page": {
    step: "reply",
    meaning: "There was no room, and the browser got a page that waits and asks again by itself.",
  },
} as const satisfies Record<string, Row>;

export type DecisionCode = keyof typeof DECISIONS;
