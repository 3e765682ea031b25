/**
 * The scenarios of the simulator as disturbances: there the real gateway meets real protocol, and nothing was written with the engine in
 * mind. What the scenario does is its label. Left out are those in which nothing goes wrong for anybody, and those in which everything
 * does at once.
 */
import type { Scenario } from "../scenario.ts";
import { runScenario } from "../scenario.ts";
import { SCENARIOS } from "../scenario-list.ts";
import type { Truth } from "./disturbance.ts";
import type { Result } from "./score.ts";
import { incidentsOf, judge } from "./score.ts";

interface Labelled {
  readonly scenario: string;
  readonly size: Result["size"];
  readonly truth: Truth;
  /** Seconds of traffic after which it begins. */
  readonly fromS: number;
}

/** Everything there is refuses. Why its processes do not run nobody could know from here; that they do not is seen, and not concluded. */
const REFUSED: Truth = { parties: ["origin"], causes: ["origin.refused"] };

export const LABELLED: readonly Labelled[] = [
  {
    scenario: "sick-origin",
    size: "outright",
    fromS: 0,
    truth: { parties: ["origin"], causes: ["origin.down", "origin.gray"] },
  },
  {
    scenario: "hung-origin",
    size: "outright",
    fromS: 0,
    truth: { parties: ["origin"], causes: ["origin.down", "origin.slow", "origin.paused"] },
  },
  {
    scenario: "gray-origin",
    size: "gray",
    fromS: 10,
    truth: { parties: ["origin"], causes: ["origin.gray", "origin.slow", "origin.paused"] },
  },
  {
    scenario: "fast-failing",
    size: "outright",
    fromS: 10,
    truth: { parties: ["origin"], causes: ["origin.down", "origin.gray", "origin.app_5xx"] },
  },
  { scenario: "failover", size: "outright", fromS: 5, truth: { parties: ["provider"], causes: ["provider.outage"] } },
  { scenario: "flapping", size: "outright", fromS: 10, truth: { parties: ["provider"], causes: ["provider.outage"] } },
  {
    scenario: "weak-standby",
    size: "outright",
    fromS: 10,
    truth: { parties: ["provider"], causes: ["provider.outage"] },
  },
  { scenario: "all-fail", size: "outright", fromS: 5, truth: REFUSED },
  { scenario: "power-cut-one-path", size: "outright", fromS: 5, truth: REFUSED },
  {
    scenario: "dns-dark",
    size: "outright",
    fromS: 0,
    truth: { parties: ["dns"], causes: ["dns.resolver_down", "dns.zone_broken"] },
  },
  {
    scenario: "names-vanish",
    size: "outright",
    fromS: 6,
    truth: { parties: ["dns"], causes: ["dns.resolver_down", "dns.zone_broken"] },
  },
  {
    scenario: "dns-loss",
    size: "outright",
    fromS: 0,
    truth: { parties: ["dns"], causes: ["dns.resolver_down", "dns.zone_broken"] },
  },
  {
    scenario: "wrong-tenant",
    size: "outright",
    fromS: 10,
    truth: { parties: ["dns"], causes: ["dns.wrong_tenant", "dns.drift"] },
  },
  {
    scenario: "lying-checks",
    size: "outright",
    fromS: 12,
    truth: { parties: ["configuration"], causes: ["check.broken"] },
  },
  {
    scenario: "stacked-gateways",
    size: "outright",
    fromS: 8,
    truth: { parties: ["origin"], causes: ["origin.nested_gw_5xx"] },
  },
  {
    scenario: "poison",
    size: "outright",
    fromS: 5,
    truth: { parties: ["origin"], causes: ["origin.crash_request", "origin.poison"] },
  },
  {
    scenario: "slow-neighbour",
    size: "outright",
    fromS: 12,
    truth: { parties: ["origin"], causes: ["origin.slow", "origin.paused"] },
  },
  { scenario: "late-pool", size: "gray", fromS: 40, truth: { parties: ["origin"], causes: ["origin.slow"] } },
  {
    scenario: "connection-flood",
    size: "outright",
    fromS: 10,
    truth: { parties: ["gateway"], causes: ["gw.resource_wall"] },
  },
  {
    scenario: "sick-dependency",
    size: "outright",
    fromS: 10,
    truth: { parties: ["origin"], causes: ["origin.app_5xx", "origin.route_broken"] },
  },
];

export async function playSimulated(seed: number): Promise<Result[]> {
  const results: Result[] = [];
  for (const labelled of LABELLED) {
    const scenario = SCENARIOS.find(({ name }) => name === labelled.scenario);
    // oxlint-disable-next-line no-await-in-loop -- One world after the other: each needs the whole processor.
    if (scenario !== undefined) results.push(await playOne(scenario, labelled, seed));
  }
  return results;
}

async function playOne(scenario: Scenario, { size, truth, fromS }: Labelled, seed: number): Promise<Result> {
  const { world } = await runScenario(scenario, { seed, tellsFacts: true });
  const first = world.facts.find(({ kind }) => kind === "second")?.at ?? 0;
  return judge(
    { family: "simulated", name: scenario.name, size, truth },
    seed,
    incidentsOf(world.facts),
    first + fromS * 1000,
  );
}
