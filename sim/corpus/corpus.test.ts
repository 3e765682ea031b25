import { expect, test } from "vitest";
import { DISTURBANCES } from "./disturbances.ts";
import { MARKS, scoreOf } from "./marks.ts";
import { QUIET_KINDS, quietIncidents } from "./quiet.ts";
import { SCENARIOS } from "../scenario-list.ts";
import { runScenario } from "../scenario.ts";
import { incidentsOf, play } from "./score.ts";
import { LABELLED, playSimulated } from "./simulated.ts";

// `npm run corpus` plays more seeds, and weeks in place of hours.
const SEED = 201;
const QUIET_S = 3600;
/** For what hangs: it is two dozen seconds of one core. */
const WITHIN_MS = 600_000;

test(
  "Of every kind of disturbance the party, the cause and the first step are right, or it is said that nobody can know",
  () => {
    const results = DISTURBANCES.map((make) => play(make, SEED)).filter((result) => result !== null);
    const wrong = results
      .filter(({ partyRight, causeRight, abstained }) => [partyRight, causeRight, abstained].includes(false))
      .map(({ name, incidents }) => `${name}: ${incidents.map(({ title }) => title).join(" and ")}`);
    const score = scoreOf(results);
    expect(score.party, wrong.join("\n")).toBeGreaterThanOrEqual(MARKS.party);
    expect(score.cause, wrong.join("\n")).toBeGreaterThanOrEqual(MARKS.cause);
    expect(score.step, wrong.join("\n")).toBeGreaterThanOrEqual(MARKS.cause);
    expect(score.abstention, wrong.join("\n")).toBeGreaterThanOrEqual(MARKS.abstention);
    expect(score.outrightInTime).toBeGreaterThanOrEqual(MARKS.party);
    expect(score.grayInTime).toBeGreaterThanOrEqual(MARKS.party);
    // One disturbance, one incident.
    expect(score.single).toBeGreaterThanOrEqual(MARKS.party);
  },
  WITHIN_MS,
);

test(
  "What the real gateway tells of the simulator's scenarios is diagnosed as well",
  async () => {
    const results = await playSimulated(SEED);
    expect(results).toHaveLength(LABELLED.length);
    const wrong = results
      .filter(({ partyRight, causeRight, abstained }) => [partyRight, causeRight, abstained].includes(false))
      .map(({ name, incidents }) => `${name}: ${incidents.map(({ title }) => title).join(" and ")}`);
    const score = scoreOf(results);
    expect(score.party, wrong.join("\n")).toBeGreaterThanOrEqual(0.9);
    expect(score.cause, wrong.join("\n")).toBeGreaterThanOrEqual(MARKS.cause);
  },
  WITHIN_MS,
);

test.each([
  { name: "late-pool", seed: SEED, title: "Pool near has become slow", party: "origin" },
  { name: "silent-pool", seed: SEED, title: "Provider near is out", party: "provider" },
  // Whom the balancer avoids for its errors, or had more than its part before, is not slow.
  { name: "fast-failing", seed: 3, title: "http://a3.test:3000 is down", party: "origin" },
  { name: "dns-loss", seed: 2, title: "The resolver fails for every name", party: "dns" },
  // Definite answers of several zones at once.
  { name: "dns-loss", seed: 3, title: "The resolver fails for every name", party: "dns" },
  { name: "flapping", seed: 102, title: "Provider a is out", party: "provider" },
])(
  "$name of the simulator: $title ($seed)",
  async ({ name, seed, title, party }) => {
    const scenario = SCENARIOS.find((one) => one.name === name);
    if (scenario === undefined) throw new Error(`no scenario ${name}`);
    const { world } = await runScenario(scenario, { seed, tellsFacts: true });
    expect(incidentsOf(world.facts)).toMatchObject([{ title, party, verdict: "decided" }]);
  },
  WITHIN_MS,
);

test.each(QUIET_KINDS)(
  "$name: no incident",
  (kind) => {
    expect(quietIncidents(kind, SEED, QUIET_S).map(({ title }) => title)).toEqual([]);
  },
  WITHIN_MS,
);
