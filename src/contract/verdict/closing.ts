/** Connections that ended too early: used too late, or ended by the request; a body without a length that broke. */
import type { Evidence } from "../evidence.ts";
import { durationText } from "../quantities.ts";
import type { AttemptRecord, ExchangeRecord } from "../record.ts";
import { decided, undecided } from "./case.ts";
import type { Case, ExchangeVerdict } from "./case.ts";
import { othersWhere } from "./surroundings.ts";
import { citeAttempt, citeOthers } from "./witness.ts";

/** A connection in steady use has not gone stale. */
const STALE_FROM_MS = 100;
/** Later than this after the request, somebody had read it. */
const ROUND_TRIP_MS = 500;
/** What an idle time is measured too short by, here, of what it is there. */
const NEAR_MS = 1_500;
/** A pause of ours that ended so shortly before the request hid the origin's FIN from us. */
const STALLED_JUST_NOW_MS = 100;
/** Idle times are alike within this. */
const ALIKE_RATIO = 1.25;

/**
 * Keep-alive race or crash on request. Both close the connection without a byte. What decides: whether a new connection
 * breaks on the same request as well, and whether the origin is known to close connections of that age.
 */
export function judgeClosed(one: Case): ExchangeVerdict | null {
  const { record, attempt } = one;
  if (attempt === null) return null;
  if (!attempt.reused) {
    const text = "the connection was new, so it cannot have gone stale";
    return decided(one, "origin.reset_before_response", [
      citeAttempt(record, attempt, text, { of: ["reused", "receivedBytes"] }),
    ]);
  }
  const crash = readingOfCrash(one, attempt);
  if (crash !== null) return decided(one, "origin.reset_before_response", [crash]);
  const stall = stallBefore(record, attempt);
  if (stall !== null) return decided(one, "gw.loop_stall", [stall]);
  const forRace = signsOfRace(one, attempt);
  const crashes = othersWhere(
    one.around,
    (other) => other.origin === attempt.origin && !other.reused && other.cause === "origin.reset_before_response",
  );
  const [crashed, ...more] = crashes;
  if (crashed === undefined && forRace.length > 0) return decided(one, "origin.keepalive_race", forRace);
  const against =
    crashed === undefined
      ? [
          citeAttempt(record, attempt, "nothing tells how long this origin keeps idle connections", {
            signs: ["keepAliveMs"],
            of: ["connectionIdleMs"],
          }),
        ]
      : [citeOthers("new connections to the same origin broke without an answer in the same minute", crashed, ...more)];
  return undecided(
    one,
    crashed === undefined
      ? ["origin.keepalive_race", "origin.reset_before_response"]
      : ["origin.reset_before_response", "origin.keepalive_race"],
    [...forRace, ...against],
    `Send the same request on a new connection: if that breaks as well, it is the request or the process. If it works, compare the origin's idle timeout with ${durationText(attempt.connectionIdleMs * 1000)}, and see whether the origin's log has the request at all.`,
  );
}

/** What rules a race out. */
function readingOfCrash({ record }: Case, attempt: AttemptRecord): Evidence | null {
  const broken = record.attempts.find((other) => !other.reused && other.cause === "origin.reset_before_response");
  if (broken !== undefined) {
    return citeAttempt(record, broken, "the same request broke a new connection as well", {
      of: ["reused", "cause", "address"],
    });
  }
  if (attempt.connectionIdleMs < STALE_FROM_MS) {
    const text = `the connection had been in use ${durationText(attempt.connectionIdleMs * 1000)} before, so it had not gone stale`;
    return citeAttempt(record, attempt, text, { of: ["connectionIdleMs"] });
  }
  const tookMs = (attempt.endedUs - attempt.sentUs) / 1000;
  if (attempt.sentUs === -1 || tookMs <= ROUND_TRIP_MS) return null;
  const text = `the origin kept the request for ${durationText(tookMs * 1000)} before it closed: a closed socket says so within a round trip`;
  return citeAttempt(record, attempt, text, { of: ["sentUs", "endedUs"] });
}

/** The FIN lay there unread while this process stood still (measured: a blocked loop meets it every time). */
function stallBefore(record: ExchangeRecord, attempt: AttemptRecord): Evidence | null {
  const own = attempt.signs?.own;
  if (own === undefined || own.stallAgoMs === -1 || own.lastStallMs === 0) return null;
  const sinceSentMs = (attempt.endedUs - attempt.sentUs) / 1000;
  if (own.stallAgoMs > sinceSentMs + STALLED_JUST_NOW_MS) return null;
  const text = `this process stood still for ${durationText(own.lastStallMs * 1000)} until just before it sent the request, so it could not see that the origin had closed`;
  return citeAttempt(record, attempt, text, { own: ["lastStallMs", "stallAgoMs"], of: ["sentUs", "endedUs"] });
}

function signsOfRace({ record, around }: Case, attempt: AttemptRecord): Evidence[] {
  const found: Evidence[] = [];
  const idleMs = attempt.connectionIdleMs;
  const keepAliveMs = attempt.signs?.keepAliveMs ?? -1;
  if (keepAliveMs >= 0 && idleMs >= keepAliveMs - NEAR_MS && idleMs >= keepAliveMs / 2) {
    const text = `the origin closes connections that were idle for ${durationText(keepAliveMs * 1000)}, and this one had been for ${durationText(idleMs * 1000)}`;
    found.push(citeAttempt(record, attempt, text, { of: ["connectionIdleMs"], signs: ["keepAliveMs"] }));
  }
  const fresh = record.attempts.find((other) => !other.reused && other.origin === attempt.origin && other.status > 0);
  if (fresh !== undefined) {
    found.push(
      citeAttempt(record, fresh, "the same request worked on a new connection to the same origin", {
        of: ["reused", "status", "address"],
      }),
    );
  }
  const alike = othersWhere(
    around,
    (other) =>
      other.origin === attempt.origin &&
      other.cause === "origin.keepalive_race" &&
      Math.max(other.connectionIdleMs, idleMs) <= Math.min(other.connectionIdleMs, idleMs) * ALIKE_RATIO,
  );
  const [first, ...more] = alike;
  if (first !== undefined && more.length > 0) {
    found.push(citeOthers("others of that origin ended so after the same idle time", first, ...more));
  }
  return found;
}

/**
 * A body without length that ended by an error is no whole one, unless it ended so because the origin had not read the
 * request to its end: closing then sends RST whatever had been said before.
 */
export function judgeUnframed(one: Case): ExchangeVerdict | null {
  const { record, attempt } = one;
  if (attempt === null || attempt.signs === null) return null;
  if (attempt.signs.requestSent) {
    const text = "only a clean end could have said that all had come, and the connection failed instead";
    return decided(one, "origin.truncated_unframed", [
      citeAttempt(record, attempt, text, { signs: ["end", "framing", "requestSent"] }),
    ]);
  }
  return undecided(
    one,
    ["origin.truncated_unframed", "origin.early_reply"],
    [
      citeAttempt(record, attempt, "the request had not been sent to its end, and closing with unread bytes resets", {
        signs: ["end", "framing", "requestSent"],
      }),
    ],
    "See in the origin's log whether it had sent all it wanted to. Content-Length or chunks would have told.",
  );
}
