/**
 * Whole answers with a 5xx: the application's own, or those of a gateway between. What decides is a mark that says who
 * made the answer; that a gateway was passed says nothing about it.
 */
import type { Evidence } from "../evidence.ts";
import type { AttemptRecord } from "../record.ts";
import { decided, undecided } from "./case.ts";
import type { Case, ExchangeVerdict } from "./case.ts";
import { citeAttempt } from "./witness.ts";

/** Statuses by which gateways speak of what is behind them (RFC 9110 §15.6.3–15.6.5). */
const OF_GATEWAYS: ReadonlySet<number> = new Set([502, 503, 504]);

export function judgeAnswer(one: Case): ExchangeVerdict | null {
  const { record, attempt, cause } = one;
  if (attempt === null || attempt.signs === null) return null;
  const own = cause === "origin.overload_reply" ? cause : "origin.app_5xx";
  const [mark] = attempt.signs.marks;
  const cite = (text: string): Evidence => citeAttempt(record, attempt, text, { of: ["status"], mark: 0 });
  if (mark === undefined) return withoutMarks(one, attempt, own);
  switch (mark.says) {
    case "made":
      return decided(one, "origin.nested_gw_5xx", [cite(`${mark.text} stands only on what that gateway made itself`)]);
    case "passed":
      return decided(one, own, [cite(`a gateway between passed it on, as ${mark.text} shows`)]);
    case "between":
      break;
  }
  if (!OF_GATEWAYS.has(attempt.status)) {
    return decided(one, own, [
      cite(`a gateway is between (${mark.text}), but ${attempt.status} is not how gateways speak of others`),
    ]);
  }
  return undecided(
    one,
    ["origin.nested_gw_5xx", own],
    [cite(`a gateway is between (${mark.text}), and does not say whether the answer is its own or was passed on`)],
    "Look for the request id in the log of the gateway behind this one: its line says whether the application answered. Ask the application past that gateway.",
  );
}

function withoutMarks(
  one: Case,
  attempt: AttemptRecord,
  own: "origin.app_5xx" | "origin.overload_reply",
): ExchangeVerdict {
  const { record } = one;
  if (attempt.signs?.leftAnswer === true) {
    const text = "the newest answer of its name no longer has that address: somebody else may answer there";
    return undecided(
      one,
      ["origin.app_5xx", "dns.wrong_tenant"],
      [citeAttempt(record, attempt, text, { of: ["address", "status"], signs: ["leftAnswer"] })],
      "Ask the address for a page that only the right origin has; `health.expect` makes the gateway do so.",
    );
  }
  return decided(one, own, [
    citeAttempt(record, attempt, "no mark of a gateway in between is on it", { of: ["status"], signs: ["end"] }),
  ]);
}
