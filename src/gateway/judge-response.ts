/**
 * Judge, for responses that are whole: whether a 5xx is the origin's own, another gateway's behind it, or a sign of
 * overload. The response is passed on untouched either way; this only decides who is named.
 */
import { FIELD } from "../http1/field-ids.ts";
import type { GatewayMark } from "../contract/record.ts";
import type { MessageHead } from "../http1/head.ts";
import { parseRetryAfter } from "../policies/retry-after.ts";
import { marksOf } from "./gateway-marks.ts";
import type { Judgement } from "./judge.ts";

export interface AnswerJudgement extends Judgement {
  /** What the head shows of gateways behind this one. */
  readonly marks: readonly GatewayMark[];
  /** What decides whether another origin is asked; that of HTTP, also where gRPC says it in another way. */
  readonly status: number;
}

/** Null: nothing went wrong. Only 5xx are judged: anything else is an answer. */
export function judgeResponse(head: MessageHead): AnswerJudgement | null {
  const { status } = head;
  if (status < 500) return null;
  const marks = marksOf(head);
  const [mark] = marks;
  if (mark !== undefined && isAnothers(mark, status)) {
    return {
      cause: "origin.nested_gw_5xx",
      evidence: `status ${status} with ${mark.text}: ${mark.says === "made" ? "made by a gateway behind this one" : "a gateway behind this one answered"}`,
      marks,
      status,
    };
  }
  if (status === 503 && head.find(FIELD.RETRY_AFTER) !== -1) {
    return {
      cause: "origin.overload_reply",
      evidence: `status 503 with Retry-After: ${(head.valueOf(FIELD.RETRY_AFTER) ?? "").slice(0, 60)}`,
      marks,
      status,
    };
  }
  const passed = mark?.says === "passed" ? `, passed on by a gateway in between (${mark.text})` : "";
  return { cause: "origin.app_5xx", evidence: `a complete response with status ${status}${passed}`, marks, status };
}

/** Where a gateway is between and shows no more, these three are what gateways answer with (RFC 9110 §15.6.3–15.6.5). */
function isAnothers(mark: GatewayMark, status: number): boolean {
  return mark.says === "made" || (mark.says === "between" && (status === 502 || status === 503 || status === 504));
}

/** How long an origin that says it is overloaded asks to wait, ms; -1: it does not say so. `wallNow`: epoch ms. */
export function overloadedForMs(head: MessageHead, wallNow: number): number {
  if (head.status !== 503) return -1;
  const value = head.valueOf(FIELD.RETRY_AFTER);
  return value === null ? -1 : parseRetryAfter(value, wallNow);
}
