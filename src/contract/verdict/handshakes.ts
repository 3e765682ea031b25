/**
 * Handshakes that came to nothing. A certificate that is out of date is so by this machine's clock, and a clock that is
 * wrong makes all of them so; silence in a handshake is a busy machine, a port that waits for plain text, or a path that
 * loses large packets, of which certificates are the first.
 */
import { countText } from "../quantities.ts";
import { decided, undecided } from "./case.ts";
import type { Case, ExchangeVerdict } from "./case.ts";
import { othersWhere } from "./surroundings.ts";
import { citeOthers } from "./witness.ts";

/** As many certificates beside this one do not run out in the same minute. */
const CERTIFICATES_MIN = 2;

export function judgeCertificateTime(one: Case): ExchangeVerdict | null {
  const { attempt, around } = one;
  if (attempt === null) return null;
  const own = certificateIn(attempt.evidence);
  // One certificate may be at work on many hosts.
  const others = othersWhere(
    around,
    (other) => other.cause === "tls.cert_time" && certificateIn(other.evidence) !== own,
  );
  const [first, ...more] = others;
  if (first !== undefined) {
    const certificates = new Set(others.map((other) => certificateIn(other.attempt.evidence)));
    const { size } = certificates;
    const text = `${countText(size, "other certificate")} ${size === 1 ? "was" : "were"} out of date in the same minutes`;
    const witness = citeOthers(text, first, ...more);
    if (certificates.size >= CERTIFICATES_MIN) return decided(one, "gw.clock_wrong", [witness]);
    return undecided(one, ["tls.cert_time", "gw.clock_wrong"], [witness], COMPARE_CLOCKS);
  }
  const [good, ...alike] = othersWhere(
    around,
    (other) => other.tls !== null && !other.tls.resumed && !other.reused && other.securedUs !== -1,
  );
  if (good === undefined) return null;
  const text = "other certificates were found in their time in the same minutes, by the same clock";
  return decided(one, "tls.cert_time", [citeOthers(text, good, ...alike)]);
}

/** As judge-tls.ts has it from tls-verify.ts; empty: none is named. */
export function certificateIn(evidence: string): string {
  return /certificate of .* to [\d-]+/.exec(evidence)?.[0] ?? "";
}

const COMPARE_CLOCKS =
  "Compare `date -u` here with another machine; `goodgate doctor` compares it with the clocks of the origins.";

/** The same address answers others: small handshakes get through where full ones do not. */
export function judgeHandshakeSilence(one: Case): ExchangeVerdict | null {
  const { attempt, around } = one;
  if (attempt === null) return null;
  const resumed = othersWhere(around, (other) => other.address === attempt.address && other.tls?.resumed === true);
  const [first, ...more] = resumed;
  if (first === undefined) return null;
  const text =
    "resumed handshakes with that address ended well meanwhile, which are small; full ones carry certificates";
  return undecided(
    one,
    ["tls.handshake_timeout", "net.path"],
    [citeOthers(text, first, ...more)],
    "Send packets of full size: `ping -M do -s 1472 ADDRESS`. If they are lost where small ones arrive, lower the MTU or clamp the MSS.",
  );
}
