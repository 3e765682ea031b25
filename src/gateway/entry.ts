/**
 * Admit: the bounds on how much one client, or one route, may ask for. The flood guard first, which costs a look into
 * a table; then the route's own rate limits, which most routes have none of.
 */
import type { CauseId } from "../kernel/causes.ts";
import type { DecisionCode } from "../kernel/decisions.ts";
import type { MessageHead } from "../http1/head.ts";
import type { Core } from "./core.ts";
import type { RateVerdict, RouteLimits } from "./rate-limits.ts";
import type { ServiceRuntime } from "./service-runtime.ts";

export interface EntryNote {
  /** Null: the request goes on, and `code` says what was noted. */
  readonly refused: { readonly cause: CauseId; readonly evidence: string; readonly retryAfterSeconds: number } | null;
  /** Null: nothing to note. */
  readonly code: DecisionCode | null;
  readonly reason: string;
  /** Complete lines for whatever answer the client gets. */
  readonly lines: string;
  /** As in RateVerdict: null when it is decided. */
  readonly wait: RateVerdict["wait"];
}

/** Held back by the flood guard: as long as a block lasts at most. */
const FLOOD_RETRY_SECONDS = 10;

/** Requests were turned away for lack of room as lately as this. */
const STRESS_LASTS_MS = 2_000;

/**
 * Null: nothing to say, which is the rule. `key` is whom the client is counted as. `isProtected`: null when that is
 * not known of the address yet. `isAgain`: it has been asked before, and other workers have said what they have.
 */
export function enter(
  core: Core,
  limits: RouteLimits | null,
  head: MessageHead,
  key: number,
  address: string,
  isProtected: boolean | null,
  service: ServiceRuntime | null,
  isAgain: boolean,
  now: number,
): EntryNote | null {
  const stressed =
    core.pressure.level > 0 || now - Math.max(core.shedAt, service?.shedAt ?? -Infinity) < STRESS_LASTS_MS;
  const flood = isAgain
    ? null
    : (core.flood?.look(key, address, isProtected ?? core.isProtected(address), stressed, now) ?? null);
  if (flood !== null && flood.passes === null) {
    const retryAfterSeconds = FLOOD_RETRY_SECONDS + Math.floor(core.chance() * FLOOD_RETRY_SECONDS);
    return { refused: { cause: "client.flood", evidence: flood.evidence, retryAfterSeconds }, ...NOTHING };
  }
  const code = flood?.passes ?? null;
  const reason = flood?.evidence ?? "";
  if (limits === null) return code === null ? null : { refused: null, code, reason, lines: "", wait: null };
  const rate = limits.admit(head, key, now);
  const { lines, shadowed, wait } = rate;
  if (wait !== null) return { refused: null, code, reason, lines, wait };
  if (rate.refused !== null) {
    const { evidence, waitMs, shared } = rate.refused;
    // Clients that share a limit were refused together; sent back together they would be so again.
    const spread = shared ? core.chance() * Math.max(1_000, waitMs) : 0;
    const retryAfterSeconds = Math.max(1, Math.ceil((waitMs + spread) / 1000));
    return { refused: { cause: "client.rate_limited", evidence, retryAfterSeconds }, code, reason, lines, wait };
  }
  if (shadowed !== "") return { refused: null, code: "admit.rate-limit-shadow", reason: shadowed, lines, wait };
  return { refused: null, code, reason, lines, wait };
}

const NOTHING = { code: null, reason: "", lines: "", wait: null } as const;
