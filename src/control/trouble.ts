/**
 * What kind of trouble failures are of, as far as their causes say: whether what begins soon after an incident is that one again or
 * another. Coarse on purpose: what crashes or is cut off refuses, resets and says nothing in turn, and all of that is one kind. What the
 * gateway makes of any trouble (requests that are shed, no origin left) says nothing of its kind.
 */
import type { CauseId } from "../kernel/causes.ts";
import type { CauseCounts } from "./case.ts";

export type Trouble = "gone" | "silent" | "errors" | "malformed" | "handshakes" | "names" | "own";

/** What has a smaller part of the failures comes along with everything. */
const PART_MIN = 0.2;

const OF: Partial<Record<CauseId, Trouble>> = {
  "origin.refused": "gone",
  "origin.socket_missing": "gone",
  "origin.socket_denied": "gone",
  "origin.socket_full": "gone",
  "origin.reset_before_response": "gone",
  "origin.keepalive_race": "gone",
  "origin.poison": "gone",
  "origin.truncated": "gone",
  "origin.truncated_unframed": "gone",
  "origin.h2_refused": "gone",
  "net.mid_reset": "gone",
  "net.unroutable": "gone",
  "dns.stale_ip": "gone",
  "net.connect_timeout": "gone",
  "net.half_open": "gone",
  "tls.handshake_closed": "gone",
  "tls.handshake_timeout": "gone",
  "origin.ttfb_timeout": "silent",
  "origin.deadline": "silent",
  "origin.stall_mid_body": "silent",
  "origin.write_stall": "silent",
  "origin.app_5xx": "errors",
  "origin.nested_gw_5xx": "errors",
  "origin.grpc_error": "errors",
  "origin.h2_reset": "errors",
  "origin.upgrade_failed": "errors",
  "origin.malformed": "malformed",
  "origin.framing": "malformed",
  "origin.header_too_big": "malformed",
  "origin.h2_handshake": "malformed",
  "origin.h2_protocol": "malformed",
  "tls.not_tls": "handshakes",
  "tls.alert": "handshakes",
  "tls.protocol": "handshakes",
  "tls.cert_time": "handshakes",
  "tls.cert_trust": "handshakes",
  "tls.cert_name": "handshakes",
  "tls.cert_pin": "handshakes",
  "tls.client_cert": "handshakes",
  "tls.files": "handshakes",
  "dns.nxdomain": "names",
  "dns.servfail": "names",
  "dns.timeout": "names",
  "dns.empty_or_prohibited": "names",
  "gw.internal": "own",
  "gw.loop": "own",
  "gw.fd_exhausted": "own",
  "gw.ports_exhausted": "own",
  "gw.mem_or_buffers": "own",
  "gw.loop_stall": "own",
};

/** The kinds that a good part of these failures is of; empty: their causes do not say. */
export function troublesOf(counts: CauseCounts): ReadonlySet<Trouble> {
  const sums = new Map<Trouble, number>();
  let all = 0;
  for (const [cause, count] of Object.entries(counts)) {
    const trouble = OF[cause as CauseId]; // Object.entries widens keys.
    if (trouble === undefined) continue;
    all += count;
    sums.set(trouble, (sums.get(trouble) ?? 0) + count);
  }
  return new Set([...sums].filter(([, sum]) => sum >= all * PART_MIN).map(([trouble]) => trouble));
}

/** Both are known, and they have nothing in common. */
export function areOfOtherKinds(some: ReadonlySet<Trouble>, others: ReadonlySet<Trouble>): boolean {
  return some.size > 0 && others.size > 0 && [...some].every((trouble) => !others.has(trouble));
}
