import { expect, test } from "vitest";
import { disturbanceNamed } from "../../sim/corpus/disturbances.ts";
import { playFacts } from "../../sim/corpus/score.ts";
import { createTrack, letGo, toIncident } from "./incident-track.ts";
import { Watches } from "./watches.ts";

test("An incident that is over keeps what is told of it and lets go of what it was concluded from", () => {
  const { facts } = playFacts(disturbanceNamed("origin crashes", 1), 1);
  const recent = facts.filter((fact) => fact.kind === "second").map((fact) => ({ facts: [fact] }));
  const at = recent[0]?.facts[0]?.at ?? 0;
  const surroundings = { watches: new Watches(), topology: [], recent };
  const anomaly = { key: "a", kind: "failed", service: "shop", where: {}, since: at } as const;
  const track = createTrack("inc-1", [anomaly], at + 60_000, surroundings);
  const before = toIncident(track, surroundings);
  expect(track.case.addresses.size).toBeGreaterThan(0);
  expect(track.case.seconds.length).toBeGreaterThan(0);
  letGo(track);
  expect(track.case.addresses.size + track.case.routes.size + track.case.seconds.length).toBe(0);
  expect(toIncident(track, surroundings)).toEqual(before);
});
