/**
 * The verdict on one exchange: what went wrong and who is at fault, each sentence with what it stands on, or between
 * what it cannot be decided and what would tell the one from the other.
 *
 * The cause on a record is what the gateway acts by, at once and by what that one attempt showed. A verdict has time: it
 * sees the later attempts, how the process was, and other exchanges of the same minutes. Where those do not decide
 * between causes that look alike it says so, because a wrong party costs more than no answer: somebody restarts what
 * is well.
 *
 * A function of its arguments and of nothing else.
 */
import type { CauseId } from "../../kernel/causes.ts";
import type { DecisionCode } from "../../kernel/decisions.ts";
import type { Evidence } from "../evidence.ts";
import type { AttemptRecord, ExchangeRecord } from "../record.ts";
import { judgeAnswer } from "./answers.ts";
import { decided, titleOf } from "./case.ts";
import type { Case, ExchangeVerdict } from "./case.ts";
import { judgeConnecting, judgeMidReset, judgeUnroutable } from "./connecting.ts";
import { judgeNoSuchName, judgeStaleAddress, judgeStranger } from "./names.ts";
import { judgeClosed, judgeUnframed } from "./closing.ts";
import { judgeCertificateTime, judgeHandshakeSilence } from "./handshakes.ts";
import type { Surroundings } from "./surroundings.ts";
import { NOTHING_AROUND } from "./surroundings.ts";
import { judgeAbort, judgeHalfOpen, judgeSilence } from "./waiting.ts";
import { citeAttempt, citeDecision, citeRecord } from "./witness.ts";

/** Null: nothing went wrong. */
export function verdictOn(record: ExchangeRecord, around: Surroundings = NOTHING_AROUND): ExchangeVerdict | null {
  const found = causeAndAttempt(record);
  if (found === null) return null;
  const one: Case = { record, ...found, around, seen: whatWasSeen(record, found.attempt) };
  return JUDGES[one.cause]?.(one) ?? decided(one, one.cause, speakingDecisions(one));
}

/** Decisions on the way that lead to a cause. */
const SPEAKING: Partial<Record<CauseId, readonly DecisionCode[]>> = {
  "gw.pool_wait": ["attempt.waited-for-connection"],
  "gw.deadline": ["admit.queued", "key.waited", "attempt.waited-for-connection"],
  "gw.shed": ["admit.waited-before"],
  "origin.poison": ["poison.refused", "poison.trial"],
};

function speakingDecisions({ record, cause }: Case): Evidence[] {
  return (SPEAKING[cause] ?? []).map((code) => citeDecision(record, code)).filter((evidence) => evidence !== null);
}

/** Those that have look-alikes. Null: the record holds nothing about the difference, so its cause stands. */
const JUDGES: Partial<Record<CauseId, (one: Case) => ExchangeVerdict | null>> = {
  "origin.keepalive_race": judgeClosed,
  "origin.reset_before_response": judgeClosed,
  "origin.truncated_unframed": judgeUnframed,
  "net.mid_reset": judgeMidReset,
  "net.connect_timeout": judgeConnecting,
  "net.unroutable": judgeUnroutable,
  "net.half_open": judgeHalfOpen,
  "origin.ttfb_timeout": judgeSilence,
  "origin.write_stall": judgeSilence,
  "origin.stall_mid_body": judgeSilence,
  "gw.loop_stall": judgeSilence,
  "tls.cert_time": judgeCertificateTime,
  "tls.handshake_timeout": judgeHandshakeSilence,
  "client.abort_wait": judgeAbort,
  "dns.nxdomain": judgeNoSuchName,
  "dns.stale_ip": judgeStaleAddress,
  "dns.wrong_tenant": judgeStranger,
  "origin.app_5xx": judgeAnswer,
  "origin.nested_gw_5xx": judgeAnswer,
  "origin.overload_reply": judgeAnswer,
};

/** The exchange's own cause with the attempt that ended by it; of a rescued one that of the first that failed. */
function causeAndAttempt(record: ExchangeRecord): { cause: CauseId; attempt: AttemptRecord | null } | null {
  if (record.cause !== null) {
    const { cause } = record;
    return { cause, attempt: record.attempts.findLast((attempt) => attempt.cause === cause) ?? abandoned(record) };
  }
  const attempt = record.attempts.find(({ cause }) => cause !== null);
  return attempt === undefined || attempt.cause === null ? null : { cause: attempt.cause, attempt };
}

/** A client that leaves ends the attempt that was under way without a cause of its own. */
function abandoned(record: ExchangeRecord): AttemptRecord | null {
  if (record.cause !== "client.abort_wait") return null;
  return record.attempts.findLast((attempt) => attempt.cause === null) ?? null;
}

function whatWasSeen(record: ExchangeRecord, attempt: AttemptRecord | null): Evidence {
  if (attempt !== null && attempt.cause !== null && attempt.evidence !== "") {
    const signs = attempt.signs === null ? [] : (["end", "detail"] as const);
    return citeAttempt(record, attempt, attempt.evidence, { of: ["cause", "evidence"], signs });
  }
  const text = record.evidence === "" ? titleOf(record.cause ?? attempt?.cause ?? "gw.internal") : record.evidence;
  return record.cause === null && attempt !== null
    ? citeAttempt(record, attempt, text, { of: ["cause"] })
    : citeRecord(record, text, "cause", "evidence");
}
