/** Time that ran out, or clients that did not wait: an origin that is slow, this process, a lost connection, or nobody. */
import type { Evidence } from "../evidence.ts";
import { countText, durationText } from "../quantities.ts";
import type { AttemptRecord } from "../record.ts";
import { decided, undecided } from "./case.ts";
import type { Case, ExchangeVerdict } from "./case.ts";
import { othersWhere, wallOf } from "./surroundings.ts";
import { citeAttempt, citeOthers, citeOwn, citeRecord } from "./witness.ts";

/** From this part of a limit on, our own standing still is a reason that it ran out. */
const STALL_RATIO = 0.2;
/** A loop that is so late on average makes everything look slow. */
const LOOP_LATE_MS = 100;
/** Patience below this ends nobody's wait for a slow origin. */
const SHORT_WAIT_MS = 1_000;
/** So many times the usual is slow. */
const SLOW_RATIO = 3;
const SLOW_MORE_MS = 200;

/** Own loop stall or slow origin. */
export function judgeSilence(one: Case): ExchangeVerdict | null {
  const { record, attempt, cause } = one;
  if (attempt === null || attempt.signs === null) return null;
  const { signs } = attempt;
  const stall = citeAttempt(
    record,
    attempt,
    `this process stood still for ${durationText(signs.stallMs * 1000)} of the ${durationText(signs.limitMs * 1000)} that ran out`,
    { signs: ["stallMs", "limitMs"], own: ["loopLateMs"] },
  );
  if (cause === "gw.loop_stall") return decided(one, cause, [stall]);
  const tellApart =
    "Compare with the origin's own time for this request. Look whether other origins were slow in the same second: then it is the gateway's loop.";
  if (signs.limitMs > 0 && signs.stallMs >= signs.limitMs * STALL_RATIO) {
    return undecided(one, [cause, "gw.starved"], [stall], tellApart);
  }
  if (signs.own.loopLateMs >= LOOP_LATE_MS) {
    const text = `this process was late by ${durationText(signs.own.loopLateMs * 1000)} on average`;
    return undecided(
      one,
      [cause, "gw.starved"],
      [citeAttempt(record, attempt, text, { own: ["loopLateMs"] })],
      tellApart,
    );
  }
  const free = citeAttempt(record, attempt, "this process was not late itself", {
    signs: ["stallMs"],
    own: ["loopLateMs"],
  });
  const because = [free];
  if (signs.answeredAgoMs >= 0 && signs.answeredAgoMs < signs.limitMs) {
    const text = `${attempt.address} answered others meanwhile, so it is not all of it that is slow`;
    because.push(citeAttempt(record, attempt, text, { signs: ["answeredAgoMs", "limitMs"] }));
  }
  return decided(one, cause, because);
}

/** An idle connection that something between had forgotten, or an origin that is slow. */
export function judgeHalfOpen(one: Case): ExchangeVerdict | null {
  const { record, attempt } = one;
  if (attempt === null) return null;
  const fresh = record.attempts.find(
    (other) => other.number > attempt.number && !other.reused && other.origin === attempt.origin && other.status > 0,
  );
  const limitMs = attempt.signs?.limitMs ?? 0;
  if (fresh !== undefined && (limitMs === 0 || (fresh.firstByteUs - fresh.startedUs) / 1000 < limitMs / 2)) {
    return decided(one, "net.half_open", [
      citeAttempt(record, fresh, "the same request was answered at once on a new connection to the same origin", {
        of: ["reused", "status", "startedUs", "firstByteUs"],
      }),
    ]);
  }
  const text = `the connection had been idle for ${durationText(attempt.connectionIdleMs * 1000)}, and the request was not tried on a new one`;
  return undecided(
    one,
    ["net.half_open", "origin.ttfb_timeout"],
    [citeAttempt(record, attempt, text, { of: ["connectionIdleMs", "reused"], signs: ["answeredAgoMs"] })],
    "Send the same request on a new connection: if it is answered, the old one had been dropped on the way. If it is slow as well, it is the origin.",
  );
}

/** Clients that leave by themselves, or because the origin is slow. */
export function judgeAbort(one: Case): ExchangeVerdict | null {
  const { record, attempt, around } = one;
  const { own } = record;
  if (own !== null && own.loopLateMs >= LOOP_LATE_MS) {
    const text = `this process was late by ${durationText(own.loopLateMs * 1000)} on average`;
    return undecided(one, ["client.abort_wait", "gw.starved"], [citeOwn(record, text, "loopLateMs")], COMPARE_WAITS);
  }
  if (attempt === null) return judgeAbortBeforeAttempt(one);
  const waitedMs = (attempt.endedUs - attempt.startedUs) / 1000;
  const waited = durationText(waitedMs * 1000);
  if (attempt.connectedUs === -1 && waitedMs >= SHORT_WAIT_MS) {
    const text = `no connection to ${attempt.address} had been made within ${waited}`;
    const because = citeAttempt(record, attempt, text, { of: ["connectedUs", "startedUs", "endedUs"] });
    return undecided(one, ["net.connect_timeout", "client.abort_wait"], [because], COMPARE_WAITS);
  }
  const usualMs = around.usualFirstByteMs;
  if (usualMs === null) {
    const text = `it had waited ${waited} for the origin`;
    const because = citeAttempt(record, attempt, text, { of: ["startedUs", "endedUs"] });
    if (waitedMs < SHORT_WAIT_MS) return decided(one, "client.abort_wait", [because]);
    return undecided(one, ["client.abort_wait", "origin.slow"], [because], COMPARE_WAITS);
  }
  const slowFromMs = Math.max(usualMs * SLOW_RATIO, usualMs + SLOW_MORE_MS);
  const against = citeUsual(one, attempt, waited, usualMs);
  if (waitedMs < slowFromMs) return decided(one, "client.abort_wait", [against, ...wave(one)]);
  const meanwhile = othersMeanwhile(one, attempt);
  const slow = meanwhile.filter(({ attempt: other }) => isSlow(other, slowFromMs));
  const [first, ...more] = slow;
  if (first !== undefined && slow.length * 2 >= meanwhile.length) {
    const text = `${countText(slow.length, "other request")} of the route waited as long there meanwhile, of ${meanwhile.length}`;
    return decided(one, "origin.slow", [against, citeOthers(text, first, ...more)]);
  }
  return undecided(one, ["origin.slow", "client.abort_wait"], [against, ...wave(one)], COMPARE_WAITS);
}

/** Of the same route at the same origin, while this one waited: those who were answered, or whose time ran out. */
function othersMeanwhile({ record, around }: Case, attempt: AttemptRecord): ReturnType<typeof othersWhere> {
  const from = wallOf(record, attempt.startedUs);
  const to = wallOf(record, attempt.endedUs);
  return othersWhere(around, (other, its) => {
    if (other.origin !== attempt.origin || its.route !== record.route) return false;
    if (other.status === 0 && other.cause !== "origin.ttfb_timeout") return false;
    return wallOf(its, other.startedUs) <= to && wallOf(its, other.endedUs) >= from;
  });
}

function isSlow(attempt: AttemptRecord, slowFromMs: number): boolean {
  return attempt.cause === "origin.ttfb_timeout" || (attempt.firstByteUs - attempt.startedUs) / 1000 >= slowFromMs;
}

const COMPARE_WAITS =
  "Compare how long the others waited: if those who stayed were answered as quickly as ever, the client left by itself; if they waited as long, look behind the gateway.";

/** It waited inside the gateway, for room or for an answer of the cache. */
function judgeAbortBeforeAttempt(one: Case): ExchangeVerdict {
  const { record } = one;
  const text = `it had waited ${durationText(record.doneUs)}, and no origin had been asked yet`;
  const because = citeRecord(record, text, "doneUs", "queuedUs");
  if (record.doneUs < SHORT_WAIT_MS * 1000) return decided(one, "client.abort_wait", [because]);
  return undecided(one, ["origin.overload", "client.abort_wait"], [because], COMPARE_WAITS);
}

function citeUsual({ record, around }: Case, attempt: AttemptRecord, waited: string, usualMs: number): Evidence {
  const text = `it left after ${waited}; half of all answers of ${attempt.address} begin within ${durationText(usualMs * 1000)}`;
  const { cites } = citeAttempt(record, attempt, text, { of: ["address", "startedUs", "endedUs"] });
  const usual = {
    kind: "figure",
    figure: "time to first byte p50",
    where: { origin: attempt.origin, address: attempt.address },
    from: around.startedAt,
    to: Math.round(record.startedAt + record.doneUs / 1000),
    value: usualMs,
    usual: null,
    unit: "ms",
  } as const;
  return { text, cites: [...cites, usual] };
}

/** Others who left after the same time: somebody's timeout, not somebody's mood. */
function wave({ record, around }: Case): Evidence[] {
  const alike = around.others.filter(
    (other) => other.cause === "client.abort_wait" && Math.abs(other.doneUs - record.doneUs) <= record.doneUs * 0.05,
  );
  const [first, ...more] = alike.map((other) => ({ record: other, attempt: null }));
  if (first === undefined || more.length < 2) return [];
  return [
    citeOthers(`${countText(alike.length, "other client")} left after the same time in that minute`, first, ...more),
  ];
}
