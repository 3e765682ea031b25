/**
 * How many of a pool may be out, and what holds an origin in use that should be out. At most `ejectedRatioMax` of a pool
 * is out (at least one may be, so that small pools are protected too; beyond it only addresses where nobody listens,
 * because that is no judgement that may be wrong), and never the last one that is available. Beyond that the origin stays
 * in, visibly: `fail-open`.
 */
import { NO_CHANGE } from "./ejection-state.ts";
import type {
  EjectionCode,
  EjectionMember,
  EjectionOptions,
  EjectionState,
  EjectionVerdict,
} from "./ejection-state.ts";
import { countAt } from "./sliding-count.ts";

/** How many of a pool of `size` may be out at once. */
export function ejectedMax(options: EjectionOptions, size: number): number {
  if (size < 2 || !(options.ejectedRatioMax > 0)) return 0;
  return Math.min(size - 1, Math.max(1, Math.floor(options.ejectedRatioMax * size)));
}

/** It should be out: not as the last one, and not when as many are out as may be. Null: nothing speaks against it. */
export function holdByCaps(
  options: EjectionOptions,
  member: EjectionMember,
  pool: readonly EjectionMember[],
  what: string,
  now: number,
): EjectionVerdict | null {
  const peers = peersOf(member, pool, now);
  const most = ejectedMax(options, pool.length);
  if (peers.available === 0) {
    const because = `${what}, but no other origin of the pool is available, so it stays in use`;
    return hold(member.ejection, "eject.held.last-origin", because);
  }
  if (peers.out >= most && (most === 0 || member.ejection.refusals < options.consecutiveFailures)) {
    const because = `${what}, but ${peers.out} of ${pool.length} are out already and at most ${most} may be, so it stays in use`;
    return hold(member.ejection, "eject.held.ratio-cap", because);
  }
  return null;
}

/** Says so once; further failures for the same reason change nothing. */
export function hold(state: EjectionState, code: EjectionCode, because: string): EjectionVerdict {
  state.heldBecause = because;
  if (state.heldCode === code) return NO_CHANGE;
  state.heldCode = code;
  return { kind: "fail-open", code, because };
}

interface Peers {
  /** Those that are out already; their results are not counted. */
  out: number;
  available: number;
  failures: number;
  total: number;
}

export function peersOf(member: EjectionMember, pool: readonly EjectionMember[], now: number): Peers {
  const peers: Peers = { out: 0, available: 0, failures: 0, total: 0 };
  for (const other of pool) {
    if (other === member) continue;
    const { phase, successes, failures } = other.ejection;
    if (phase.kind === "ejected" || phase.kind === "probation") {
      peers.out += 1;
      continue;
    }
    if (other.share > 0) peers.available += 1;
    const failed = countAt(failures, now);
    peers.failures += failed;
    peers.total += failed + countAt(successes, now);
  }
  return peers;
}

export function peersInWords(peers: Peers): string {
  if (peers.total === 0) return "its peers have no traffic to compare with";
  return `${peers.failures} of ${peers.total} at its peers failed too`;
}
