/**
 * What is known of addresses that are not in use now: one that leaves a name's answer and comes back within minutes
 * (a rotating answer, a resolver that flaps, a pool that is built anew) finds its ejection, health, latency and what
 * was learned of its idle connections again. Forgetting would let an origin that fails come back by leaving for a
 * second, and would meet each return with first guesses.
 *
 * Kept by address and check: the same address asked in another way is another thing. Bounded in time and number.
 */
import type { EjectionState } from "../policies/ejection-state.ts";
import type { HealthState } from "../policies/health.ts";
import type { KeepAliveState } from "../policies/keep-alive.ts";
import type { PeakEwma } from "../policies/peak-ewma.ts";

/** The states themselves, not copies: attempts that have not ended when an address leaves still tell them. */
export interface AddressKnowledge {
  readonly latency: PeakEwma;
  readonly ejection: EjectionState;
  readonly keepAlive: KeepAliveState;
  readonly health: HealthState;
  readonly check: { ok: boolean | null; at: number; detail: string };
}

const KEPT_MS = 600_000;
const KEPT_MAX = 1_000;

export class AddressMemory {
  /** Oldest first. */
  readonly #kept = new Map<string, { readonly knowledge: AddressKnowledge; readonly since: number }>();

  remember(key: string, knowledge: AddressKnowledge, now: number): void {
    this.#kept.delete(key);
    this.#kept.set(key, { knowledge, since: now });
    for (const [oldest, { since }] of this.#kept) {
      if (this.#kept.size <= KEPT_MAX && now - since < KEPT_MS) break;
      this.#kept.delete(oldest);
    }
  }

  /** What is known, if it left not too long ago; it is not kept any longer then. */
  recall(key: string, now: number): AddressKnowledge | null {
    const kept = this.#kept.get(key);
    if (kept === undefined) return null;
    this.#kept.delete(key);
    return now - kept.since < KEPT_MS ? kept.knowledge : null;
  }
}
