/** Names: a missing one or a missing descriptor; an old address or a dead origin; a stranger or a changed origin. */
import { durationText } from "../quantities.ts";
import { decided, undecided } from "./case.ts";
import type { Case, ExchangeVerdict } from "./case.ts";
import { othersWhere } from "./surroundings.ts";
import { citeAttempt, citeOthers, citeOwn, citeRecord } from "./witness.ts";

/** With fewer left, the one that a question needs may have been missing: the count is up to a quarter of a second old. */
const FEW_DESCRIPTORS = 8;
/** So long after a change of a name's answer, what goes wrong there may be that change. */
const CHANGED_LATELY_MS = 600_000;

/** A name that does not exist, or a question that could not be asked. */
export function judgeNoSuchName(one: Case): ExchangeVerdict | null {
  const { record } = one;
  const left = record.own?.descriptorsLeft ?? -1;
  const [exhausted, ...more] = othersWhere(one.around, ({ cause }) => cause === "gw.fd_exhausted");
  const tellApart =
    "Ask the resolver for the name by hand, and look at the process's open files: with none free the name is not to blame.";
  if (left >= 0 && left < FEW_DESCRIPTORS) {
    const text = `only ${left} file descriptors were left, and without one no question can be asked`;
    return undecided(one, ["gw.fd_exhausted", "dns.nxdomain"], [citeOwn(record, text, "descriptorsLeft")], tellApart);
  }
  if (exhausted !== undefined) {
    const text = "other exchanges found no file descriptor in the same minute";
    return undecided(one, ["dns.nxdomain", "gw.fd_exhausted"], [citeOthers(text, exhausted, ...more)], tellApart);
  }
  if (left < 0) return null;
  const text = `${left} file descriptors were free, so the question was asked and answered`;
  return decided(one, "dns.nxdomain", [citeOwn(record, text, "descriptorsLeft")]);
}

/** An address that its name has left, or an origin that is down at its new addresses as well. */
export function judgeStaleAddress(one: Case): ExchangeVerdict | null {
  const { record, attempt, around } = one;
  if (attempt === null) return null;
  const left = citeAttempt(record, attempt, "the newest answer of its name no longer has that address", {
    of: ["address"],
    signs: ["leftAnswer"],
  });
  const isSibling = (other: typeof attempt): boolean =>
    other.origin === attempt.origin && other.address !== attempt.address && other.signs?.leftAnswer === false;
  const failing = [
    ...record.attempts.filter(isSibling).map((other) => ({ record, attempt: other })),
    ...othersWhere(around, isSibling),
  ].filter((other) => other.attempt.cause !== null && UNREACHABLE.has(other.attempt.cause));
  const [first, ...more] = failing;
  if (first === undefined) return decided(one, "dns.stale_ip", [left]);
  return undecided(
    one,
    ["origin.down", "dns.stale_ip"],
    [left, citeOthers("addresses that the name still has could not be reached either", first, ...more)],
    "See whether the addresses of the newest answer can be reached: if not, the old one is not the reason.",
  );
}

const UNREACHABLE: ReadonlySet<string> = new Set(["origin.refused", "net.connect_timeout", "net.unroutable"]);

/** Somebody else at the address, or the origin itself, which no longer shows what is expected of it. */
export function judgeStranger(one: Case): ExchangeVerdict | null {
  const { record, around } = one;
  const { answerChangedAt } = around;
  const agoMs = answerChangedAt === null ? Infinity : record.startedAt - answerChangedAt;
  if (answerChangedAt !== null && agoMs >= 0 && agoMs <= CHANGED_LATELY_MS) {
    const text = `the addresses of the name had changed ${durationText(agoMs * 1000)} before`;
    return decided(one, "dns.wrong_tenant", [
      { text, cites: [{ kind: "event", at: answerChangedAt, code: "resolution.applied", text }] },
    ]);
  }
  return undecided(
    one,
    ["dns.wrong_tenant", "change.bad_deploy"],
    [
      citeRecord(
        record,
        "no change of the name's addresses is known that would have brought somebody else",
        "service",
        "startedAt",
      ),
    ],
    "Ask the address for the check's path: another's page means another tenant. The right page without the expected word means that the origin was changed.",
  );
}
