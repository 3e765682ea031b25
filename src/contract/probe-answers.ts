/**
 * What the answers that a climb of the ladder got say of the origin. The rung of the minimal request holds by any status,
 * because it asks whether somebody speaks HTTP there; an origin that answers 503 to whatever it is asked is still not well.
 */
import type { ProbeRung } from "./facts.ts";

/** Every request that was answered was answered by 5xx, and no other rung shows it well. */
export function answersErrorsOnly(rungs: readonly ProbeRung[]): boolean {
  const requests = rungs.filter(({ rung, result }) => rung === "request" && result === "holds");
  const isWell = rungs.some(({ rung, result }) => ABOVE.has(rung) && result === "holds");
  return !isWell && requests.length > 0 && requests.every(({ text }) => /^status 5\d\d\b/.test(text));
}

const ABOVE: ReadonlySet<string> = new Set(["health path", "same request"]);
