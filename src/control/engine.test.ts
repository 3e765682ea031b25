import { expect, test } from "vitest";
import { DISTURBANCES } from "../../sim/corpus/disturbances.ts";
import { incidentsOf, playFacts } from "../../sim/corpus/score.ts";
import { SeededChance } from "../../sim/chance.ts";
import type { Disturbance } from "../../sim/corpus/disturbances.ts";

function named(name: string, seed: number): Disturbance {
  for (const make of DISTURBANCES) {
    const made = make(new SeededChance(seed, "magnitude"));
    if (made.name === name) return made;
  }
  throw new Error(`no disturbance ${name}`);
}

test("A crashed origin is one incident, opened within seconds and closed after its return", () => {
  const { facts, beganAt } = playFacts(named("origin crashes", 5), 5);
  const incidents = incidentsOf(facts);
  expect(incidents).toHaveLength(1);
  const [incident] = incidents;
  expect(incident).toMatchObject({
    state: "closed",
    cause: "origin.down",
    party: "origin",
    verdict: "decided",
    where: { service: "shop", pool: "a", origin: "http://a1.shop-alpha.example:3000" },
  });
  expect((incident?.detectedAt ?? 0) - beganAt).toBeLessThanOrEqual(10_000);
  expect(incident?.impact.rescued).toBeGreaterThan(0);
  expect(incident?.timeline.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(["first failure", "detected", "automation", "recovered", "closed"]),
  );
});

test("The same facts give the same incidents", () => {
  const { facts } = playFacts(named("provider out: refused", 3), 3);
  expect(JSON.stringify(incidentsOf(facts))).toBe(JSON.stringify(incidentsOf(facts)));
});
