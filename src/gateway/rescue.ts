/**
 * Rescue: whether a failed attempt is repeated. Gathers what policies/retry.ts needs to decide, and takes the token
 * from the budget when it said yes; the decision and its reason go to the record.
 */
import type { AttemptRecord, ExchangeRecord } from "../contract/record.ts";
import type { CauseId } from "../kernel/causes.ts";
import { CAUSES } from "../kernel/causes.ts";
import { budgetInWords, retriesLeft, takeRetry } from "../policies/retry-budget.ts";
import { decideRetry, isFree } from "../policies/retry.ts";
import type { ReplayBody, RetryInput, RetryVerdict } from "../policies/retry.ts";
import type { ClientRequest } from "./client-request.ts";
import type { ReplayBuffer } from "./replay-buffer.ts";
import type { ServiceRuntime } from "./service-runtime.ts";

export interface FailedAttempt {
  readonly cause: CauseId;
  readonly request: ClientRequest;
  readonly record: ExchangeRecord;
  readonly routeIdempotent: boolean;
  /** Of the class that is shed last: it is repeated also while others are turned away. */
  readonly isCritical: boolean;
  /** A part of a response has been passed on to the client. */
  readonly responseBegun: boolean;
  /** The attempt brought a whole answer, which can be held back; null: it brought none. */
  readonly answer: { readonly status: number; readonly overloadedForMs: number } | null;
  readonly service: ServiceRuntime;
  /** It was a used connection, and it ended without a byte: a new one to the same origin is another try. */
  readonly staleConnection: boolean;
  /** Usable origins that were not tried. */
  readonly othersLeft: number;
  /** How often all origins have been tried, this time included. */
  readonly pass: number;
  /** Chance in [0, 1). */
  readonly roll: number;
  readonly now: number;
}

export function rescue(failed: FailedAttempt): RetryVerdict {
  const { service, request, record, answer, now } = failed;
  const options = service.settings.retry;
  const budgetLeft = retriesLeft(options, service.budget, now) >= 1;
  const input: RetryInput = {
    // Whatever an answer says, as long as it is held back it is one of which nothing was passed on.
    retryClass: answer === null ? CAUSES[failed.cause].retryClass : "R2",
    method: record.method,
    routeIdempotent: failed.routeIdempotent,
    keyed: request.keyed,
    body: bodyOf(request.replay, request.bodyBytes),
    bodyBytes: request.bodyBytes,
    replayBytes: options.replayBytes,
    responseBegun: failed.responseBegun,
    attempts: record.attempts.length,
    leftUnseen: record.attempts.filter(isLeftUnseen).length,
    attemptsMax: options.attemptsMax,
    othersLeft: failed.othersLeft,
    staleConnection: failed.staleConnection,
    connectFailed: COMES_BACK.has(failed.cause),
    originsBroken: originsBroken(failed),
    onTrial: request.onTrial,
    overloadedForMs: answer === null ? -1 : answer.overloadedForMs,
    status: answer === null ? 0 : answer.status,
    repeatedInFront: request.repeatedInFront,
    shedding: !failed.isCritical && service.isShedding(now),
    deadlineLeftMs: request.deadline === null ? Infinity : request.deadline.leftMs(now),
    usualMs: 0,
    backoff: options,
    pass: failed.pass,
    roll: failed.roll,
    budgetLeft,
    budgetWords: budgetLeft ? "" : budgetInWords(options, service.budget, now),
  };
  const verdict = decideRetry(input);
  if (verdict.retry && !isFree(input)) takeRetry(options, service.budget, now);
  return verdict;
}

/**
 * What passes by itself within a second, such as a restart, and shows at once. Not an address that swallows the
 * attempt to connect: finding that out a second time would cost the client as long again.
 */
const COMES_BACK: ReadonlySet<CauseId> = new Set([
  "origin.refused",
  "origin.socket_missing",
  "net.unroutable",
  "dns.stale_ip",
  "origin.h2_refused",
]);

function isLeftUnseen({ cause, signs }: AttemptRecord): boolean {
  return cause === "origin.h2_refused" && signs?.detail === "GOAWAY";
}

/**
 * Different addresses whose connection broke under this exchange. One that lay idle may have been stale and counts for
 * nothing by itself; where another broke after it, that is no accident. Nor is it the doing of a request that many ask
 * and that has just been answered: a pool that loses all its origins breaks two connections under many of those.
 */
function originsBroken({ service: { poison }, request, record, now }: FailedAttempt): number {
  if (poison === null || !record.attempts.some(({ cause }) => cause === "origin.reset_before_response")) return 0;
  const broken = record.attempts.filter(({ cause }) => cause !== null && BREAKS.has(cause));
  const origins = new Set(broken.map((attempt) => attempt.address)).size;
  return origins > 1 && poison.clears(request, record, now) ? 0 : origins;
}

const BREAKS: ReadonlySet<CauseId> = new Set(["origin.reset_before_response", "origin.keepalive_race"]);

/** What has been received can be sent again when every byte of it is still here, however large it is. */
function bodyOf(replay: ReplayBuffer | null, requestBytes: number): ReplayBody {
  if (requestBytes === 0) return "untouched";
  if (replay !== null && replay.bytes === requestBytes) return "kept";
  return replay?.replayable === "buffers-full" ? "not-kept" : "too-large";
}
