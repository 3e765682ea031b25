/** Plays disturbances past the engine and says what it made of them. */
import type { Incident } from "../../src/contract/incident.ts";
import type { Fact } from "../../src/contract/facts.ts";
import { firstStepOf } from "../../src/control/claim.ts";
import { createEngine } from "../../src/control/engine.ts";
import { SeededChance } from "../chance.ts";
import type { Disturbance, Family, Maker } from "./disturbance.ts";
import { EPOCH_MS, Model } from "./model.ts";

export interface Result {
  readonly family: Family | "simulated";
  readonly name: string;
  readonly size: Disturbance["size"];
  readonly seed: number;
  readonly truth: Disturbance["truth"];
  /** What was there at the end, merged ones left out. */
  readonly incidents: readonly Incident[];
  readonly partyRight: boolean | null;
  readonly causeRight: boolean | null;
  readonly stepRight: boolean | null;
  readonly abstained: boolean | null;
  /** Seconds from the fault's beginning; null: never. */
  readonly detectS: number | null;
  /** Seconds from the fault's end to the end of the incident; null: it was not closed, or the fault has no known end. */
  readonly closeS: number | null;
  /** How often it was said to be over and came back. */
  readonly returns: number;
}

const AFTER_S = 150;
/** As incident-track.ts writes it. */
const COMES_BACK: ReadonlySet<string> = new Set(["It is back.", "It came back."]);

export function playFacts(disturbance: Disturbance, seed: number): { facts: Fact[]; beganAt: number } {
  const warmUp = disturbance.warmUpS;
  const model = new Model(disturbance.setup, disturbance.fault, {
    seed,
    faultFrom: warmUp,
    faultUntil: warmUp + disturbance.lastsS,
  });
  const facts: Fact[] = [model.topology()];
  for (let second = 0; second < warmUp + disturbance.lastsS + AFTER_S; second += 1) facts.push(...model.next());
  return { facts, beganAt: EPOCH_MS + warmUp * 1000 };
}

/** All incidents that an engine makes of these facts, oldest first, as they stand at the end. */
export function incidentsOf(facts: readonly Fact[]): Incident[] {
  const engine = createEngine({ keepsFigures: false });
  let second = -1;
  for (const fact of facts) {
    // Workers tell one after the other; the second is over when the next one begins.
    if (fact.kind === "second" && fact.at > second && second >= 0) engine.tick(fact.at);
    if (fact.kind === "second") second = fact.at;
    engine.step(fact);
  }
  engine.tick(second + 1000);
  return engine
    .answer({ ask: "incidents", limit: 200 })
    .filter(({ state }) => state !== "merged")
    .toSorted((a, b) => a.firstFailureAt - b.firstFailureAt);
}

/** Null: its name has no `only` in it. */
export function play(maker: Maker, seed: number, only = ""): Result | null {
  if (!maker.name.includes(only)) return null;
  const disturbance = maker.make(new SeededChance(seed, "magnitude"));
  const { facts, beganAt } = playFacts(disturbance, seed);
  const historyUntil = EPOCH_MS + disturbance.historyS * 1000;
  const incidents = incidentsOf(facts).filter(({ detectedAt }) => detectedAt >= historyUntil);
  return judge(disturbance, seed, incidents, beganAt, beganAt + disturbance.lastsS * 1000);
}

export function judge(
  disturbance: Pick<Result, "family" | "name" | "size" | "truth">,
  seed: number,
  incidents: Incident[],
  beganAt: number,
  endedAt: number | null = null,
): Result {
  const { family, name, size, truth } = disturbance;
  const main = incidents.find(({ detectedAt }) => detectedAt >= beganAt - 5_000) ?? null;
  const isDecidable = truth.causes.length > 0;
  const cause = main?.cause ?? null;
  return {
    family,
    name,
    size,
    seed,
    truth,
    incidents,
    partyRight:
      truth.parties.length === 0 ? null : main !== null && main.party !== null && truth.parties.includes(main.party),
    causeRight: isDecidable ? cause !== null && truth.causes.includes(cause) : null,
    stepRight: isDecidable
      ? main !== null && truth.causes.some((one) => main.hypotheses[0].firstStep === firstStepOf(one))
      : null,
    abstained: isDecidable ? null : main !== null && main.verdict !== "decided",
    // Of two disturbances it is not said when the first one ended.
    closeS:
      endedAt === null || (truth.incidents ?? 1) > 1 || typeof main?.closedAt !== "number"
        ? null
        : (main.closedAt - endedAt) / 1000,
    returns: incidents.flatMap(({ timeline }) => timeline.filter(({ text }) => COMES_BACK.has(text))).length,
    detectS: main === null ? null : Math.max(0, (main.detectedAt - beganAt) / 1000),
  };
}
