/**
 * Randomness from the operating system, in two qualities. Choices (which two origins to compare, how much
 * jitter) take `Math.random`: fast, and nobody gains anything by predicting it. Ids take the system's
 * cryptographic source, because request and trace ids meet those of other systems, where a collision joins
 * two strangers' stories, and because an id that can be predicted can be forged.
 *
 * The source is drawn from in bulk: one call for 1,024 ids costs less than one call for each.
 */
import { randomFillSync } from "node:crypto";
import type { Chance } from "../kernel/clock.ts";

const ID_BYTES = 16;
const IDS_PER_FILL = 1024;

export const systemChance: Chance = Math.random;

/**
 * Makes 128-bit ids as 32 lower-case hex digits, never all zeros (W3C Trace Context §3.2.2.3 forbids it).
 * Each is a string of its own: a slice of one long hex string would keep the whole of it in memory for as
 * long as any record that holds the id.
 */
export function createIdSource(): () => string {
  const pool = Buffer.allocUnsafeSlow(ID_BYTES * IDS_PER_FILL);
  let used = pool.length;
  return function nextId(): string {
    if (used === pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const id = pool.toString("hex", used, used + ID_BYTES);
    used += ID_BYTES;
    return id === "00000000000000000000000000000000" ? nextId() : id;
  };
}
