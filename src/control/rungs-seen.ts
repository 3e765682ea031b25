/** What rungs of the ladder said of an origin while an incident was open, as evidence. */
import type { Evidence } from "../contract/evidence.ts";
import type { ProbeRung } from "../contract/facts.ts";
import type { Signs } from "./signs.ts";
import { cited, rungCite } from "./signs.ts";

export interface RungSeen {
  readonly result: ProbeRung["result"];
  readonly evidence: Evidence;
}

/** By the newest climb at one of these origins that had it; null: none had, it told nothing, or its addresses differ. */
export function rungSeen(signs: Signs, origins: readonly string[], rung: string): RungSeen | null {
  const probe = signs.case.probes.findLast(
    ({ origin, rungs }) => origins.includes(origin) && rungs.some((one) => one.rung === rung),
  );
  const all = probe?.rungs.filter((one) => one.rung === rung) ?? [];
  const [found] = all;
  if (probe === undefined || found === undefined || found.result === "unknown") return null;
  if (all.some(({ result }) => result !== found.result)) return null;
  const { at, result, text } = found;
  const evidence = cited(`The ladder: ${rung} (${at}) ${result}: ${text}.`, rungCite(probe, found));
  return { result, evidence };
}
