/**
 * May a failed attempt be repeated, where, and when? The answer is yes only when that cannot run anything twice and
 * cannot add to an overload, and either answer comes with its reason.
 *
 * What decides is how far the attempt got (the retry class of its cause):
 * - R0, never sent: the origin cannot have begun, so any method may go elsewhere.
 * - R1, sent but unanswered: the origin may have acted, so only idempotent requests (RFC 9110 §9.2.2: "A
 *   proxy MUST NOT automatically retry non-idempotent requests").
 * - R2, a response had begun to come: as R1, as long as nothing of it has been passed on.
 * - RX, repeating is no cure: never.
 *
 * An idempotency key makes a request repeatable only where the origins are known to honour it: a key alone is a
 * promise of the client's to them, not of theirs to us.
 *
 * Origins are asked one after the other without waiting. When all were asked and none could be reached, they may be
 * asked once more, after a pause with jitter (backoff.ts): most origins that refuse are starting. An origin that says
 * it is overloaded is believed. Asking another would carry the overload there; only whoever waits as long as it says
 * (RFC 9110 §10.2.3), and has a deadline that allows it, is asked for again.
 *
 * Where another Goodgate stands in front, that one repeats: two layers that each try three times try nine times.
 *
 * The order of the questions is the order of importance of the answers: first what makes a repeat
 * impossible, then what makes it unsafe, then what is used up. The budget comes last, so that nothing is
 * taken from it for a repeat that does not happen.
 */
import type { RetryClass } from "../kernel/causes.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import { backoffMs } from "./backoff.ts";
import type { BackoffOptions } from "./backoff.ts";
import { durationInWords, sizeInWords } from "./words.ts";

/** Whether the request carries an idempotency key, and what that is worth. */
export type Keyed =
  | "no"
  /** It must not run twice, and its origins are not known to see to that. */
  | "never-twice"
  /** Its route declares that its origins run one key once. */
  | "origins-honour";

/** What became of the request body: only the last two cannot be sent again. */
export type ReplayBody =
  /** There is none, or none of it was read from the client yet. */
  | "untouched"
  /** All that was read is kept. */
  | "kept"
  /** It exceeds the replay buffer of an exchange. */
  | "too-large"
  /** All replay buffers together were full. */
  | "not-kept";

export interface RetryInput {
  readonly retryClass: RetryClass;
  readonly method: string;
  /** The route declares its requests repeatable whatever the method. */
  readonly routeIdempotent: boolean;
  readonly keyed: Keyed;
  readonly body: ReplayBody;
  /** Body bytes known of (declared or seen), and the replay buffer; for the reason. */
  readonly bodyBytes: number;
  readonly replayBytes: number;
  /** Any byte of a final response was passed on. */
  readonly responseBegun: boolean;
  /** Attempts made, the failed one included. */
  readonly attempts: number;
  /** Of those, how many an origin turned away unseen because it was leaving the connection. */
  readonly leftUnseen: number;
  readonly attemptsMax: number;
  /** Usable origins that this exchange has not tried. */
  readonly othersLeft: number;
  /** The attempt failed because an idle connection had died: a new one to the same origin is another try. */
  readonly staleConnection: boolean;
  /** The connection was never made: the origin may be there in a moment. */
  readonly connectFailed: boolean;
  /** Different origins whose connection broke under this request without a byte of an answer. */
  readonly originsBroken: number;
  /** It tries, for all that are like it, whether they still break origins. */
  readonly onTrial: boolean;
  /** ms that the origin asked to wait (Retry-After); -1 when it does not say that it is overloaded. */
  readonly overloadedForMs: number;
  /** The status of the whole answer that the attempt got and that is held back; 0 when it got none. */
  readonly status: number;
  /** A Goodgate in front repeats what fails here. */
  readonly repeatedInFront: boolean;
  /** Requests are being turned away for want of room. */
  readonly shedding: boolean;
  /** ms until nobody waits for the answer any more; Infinity when there is no deadline. */
  readonly deadlineLeftMs: number;
  /** ms that an attempt of this route usually takes; 0 when that is not known. */
  readonly usualMs: number;
  readonly backoff: BackoffOptions;
  /** How often all origins have been tried, from 1. */
  readonly pass: number;
  /** Chance in [0, 1), for the pause. */
  readonly roll: number;
  /** `retriesLeft` of retry-budget.ts is at least 1. */
  readonly budgetLeft: boolean;
  /** `budgetInWords`, needed only when nothing is left. */
  readonly budgetWords: string;
}

/** What the codes mean stands in kernel/decisions.ts. */
export type RetryCode = Extract<DecisionCode, `retry.${string}`>;

export interface RetryVerdict {
  readonly retry: boolean;
  /** Where to: an `other` origin, the `same` on a new connection, or `any`, tried or not. Only meaningful when `retry`. */
  readonly target: "other" | "same" | "any";
  /** How long to wait before it, ms. */
  readonly waitMs: number;
  readonly code: RetryCode;
  /** For people, a full clause: "not retried: …". */
  readonly reason: string;
}

/** Methods that RFC 9110 §9.2.2 defines as idempotent: PUT, DELETE and the safe ones. Case matters (§9.1). */
export function isIdempotent(method: string): boolean {
  switch (method) {
    case "GET":
    case "HEAD":
    case "PUT":
    case "DELETE":
    case "OPTIONS":
    case "TRACE":
      return true;
    default:
      return false;
  }
}

/** More origins than this are not risked for one request that breaks them (failures.md calls it a poison request). */
const ORIGINS_BROKEN_MAX = 2;

/** Methods that only read: the safe ones (safe-method.ts) except TRACE, which nobody waits for. */
export function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

export function decideRetry(input: RetryInput): RetryVerdict {
  const refusal = refusalFor(input);
  if (refusal !== null) return refusal;
  const verdict = allow(input);
  const needed = verdict.waitMs + input.usualMs;
  if (input.deadlineLeftMs <= needed) {
    return refuse(
      "retry.refused.deadline",
      `${durationInWords(input.deadlineLeftMs)} are left until the deadline, and another attempt takes about ${durationInWords(needed)}`,
    );
  }
  // A pause is no repeat yet, but what comes after it is.
  if (!input.budgetLeft && !isFree(input))
    return refuse("retry.refused.budget", `the retry budget is used up (${input.budgetWords})`);
  return verdict;
}

function refusalFor(input: RetryInput): RetryVerdict | null {
  if (input.responseBegun) {
    return refuse("retry.refused.response-begun", "the response had begun");
  }
  if (input.retryClass === "RX") return refuse("retry.refused.no-cure", "repeating does not cure this failure");
  if (input.onTrial) {
    return refuse(
      "retry.refused.breaks-origins",
      "requests like it broke origins, and no other is risked to find out whether they still do",
    );
  }
  const unsafe = input.retryClass === "R0" ? null : whyUnsafe(input);
  if (unsafe !== null) return unsafe;
  if (input.body === "too-large") return refuse("retry.refused.body-too-large", tooLarge(input));
  if (input.body === "not-kept") {
    return refuse(
      "retry.refused.body-not-kept",
      "the body was not kept, because the memory for replay buffers was used up",
    );
  }
  if (input.attempts - unseen(input) >= input.attemptsMax) {
    return refuse("retry.refused.attempts", `${input.attempts} of ${input.attemptsMax} attempts were made`);
  }
  if (input.overloadedForMs >= 0) return overloaded(input);
  if (input.othersLeft < 1 && !input.staleConnection && !mayComeBack(input)) {
    return refuse("retry.refused.no-other-origin", "no usable origin is left that was not tried");
  }
  return null;
}

/**
 * What an origin did not begin with because it leaves the connection (RFC 9113 §6.8) says nothing about the request or
 * the origin, and where connections are left after few requests it happens to one exchange again and again. So it does
 * not count, as often as there are attempts: an origin that leaves whatever it is asked must come to an end too.
 */
function unseen({ leftUnseen, attemptsMax }: RetryInput): number {
  return attemptsMax > 1 ? Math.min(leftUnseen, attemptsMax) : 0;
}

/** What has been sent may have been run. */
function whyUnsafe(input: RetryInput): RetryVerdict | null {
  if (input.keyed === "never-twice") {
    return refuse(
      "retry.refused.keyed",
      "it may have reached the origin, and its route does not say that origins run one idempotency key once",
    );
  }
  if (!input.routeIdempotent && input.keyed === "no" && !isIdempotent(input.method)) {
    return refuse(
      "retry.refused.not-idempotent",
      `${input.method} is not idempotent and may have reached the origin (RFC 9110 §9.2.2)`,
    );
  }
  // A connection that had died costs one repeat and multiplies nothing.
  if (input.repeatedInFront && !input.staleConnection) {
    return refuse("retry.refused.in-front", "a Goodgate in front repeats what fails here, and one layer is enough");
  }
  if (input.shedding && !input.staleConnection) {
    return refuse(
      "retry.refused.shedding",
      "requests are being turned away for want of room; a repeat would take another's",
    );
  }
  if (input.originsBroken >= ORIGINS_BROKEN_MAX) {
    return refuse(
      "retry.refused.breaks-origins",
      `it has broken the connection to ${input.originsBroken} origins, and no other is risked for it`,
    );
  }
  return null;
}

/** Only whoever has said how long it waits is kept waiting. */
function overloaded(input: RetryInput): RetryVerdict | null {
  if (Number.isFinite(input.deadlineLeftMs) && input.overloadedForMs > 0) return null;
  return refuse("retry.refused.overloaded", "the origin says that it is overloaded");
}

/**
 * What was refused before anything was sent has cost no origin any work, so the next attempt multiplies none, and the
 * budget is not for it. With it, an outage of most of a pool would use the budget up in a second, and fail what the
 * rest could have answered.
 */
export function isFree({ connectFailed, retryClass }: Pick<RetryInput, "connectFailed" | "retryClass">): boolean {
  return connectFailed && retryClass === "R0";
}

/** Every origin was asked and could not be reached: one that is starting, or whose queue was full, may be there soon. */
function mayComeBack(input: RetryInput): boolean {
  return isFree(input) && input.backoff.backoffMaxMs > 0;
}

function allow(input: RetryInput): RetryVerdict {
  if (input.overloadedForMs >= 0) {
    // Half as long again at most, so that those who were told the same do not return as one.
    const waitMs = input.overloadedForMs * (1 + input.roll / 2);
    return {
      retry: true,
      target: "any",
      waitMs,
      code: "retry.allowed.retry-after",
      reason: `retried after ${durationInWords(waitMs)}: the origin asked to wait, and the deadline allows it`,
    };
  }
  if (input.othersLeft < 1 && input.staleConnection) {
    return {
      retry: true,
      target: "same",
      waitMs: 0,
      code: "retry.allowed.fresh-connection",
      reason:
        "retried on a new connection to the same origin: the idle connection had died, and no other origin is left",
    };
  }
  if (input.othersLeft < 1) {
    const waitMs = backoffMs(input.backoff, input.pass, input.roll);
    return {
      retry: true,
      target: "any",
      waitMs,
      code: "retry.allowed.second-pass",
      reason: `retried after ${durationInWords(waitMs)}: no origin could be reached, nothing was sent, and one may be back by then`,
    };
  }
  return { retry: true, target: "other", waitMs: 0, ...whyAllowed(input) };
}

function whyAllowed(input: RetryInput): Pick<RetryVerdict, "code" | "reason"> {
  if (input.retryClass === "R0") {
    return { code: "retry.allowed.never-sent", reason: "retried: nothing had reached the origin" };
  }
  const why = isIdempotent(input.method)
    ? `${input.method} is idempotent`
    : input.routeIdempotent
      ? "its route declares it repeatable"
      : "its route declares that origins run one idempotency key once";
  if (input.status > 0) {
    return {
      code: "retry.allowed.answer",
      reason: `retried: the answer ${input.status} is held back while another origin is asked, because ${why}`,
    };
  }
  if (!isIdempotent(input.method) && !input.routeIdempotent) {
    return { code: "retry.allowed.keyed", reason: `retried: ${why}` };
  }
  return {
    code: "retry.allowed.idempotent",
    reason: `retried: ${why} and nothing of a response had been passed on`,
  };
}

function refuse(code: RetryCode, why: string): RetryVerdict {
  return { retry: false, target: "other", waitMs: 0, code, reason: `not retried: ${why}` };
}

function tooLarge(input: RetryInput): string {
  const body = input.bodyBytes > input.replayBytes ? `body of ${sizeInWords(input.bodyBytes)}` : "body";
  return `${body} exceeds the replay buffer of ${sizeInWords(input.replayBytes)}`;
}
