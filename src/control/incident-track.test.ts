import { expect, test } from "vitest";
import { disturbanceNamed } from "../../sim/corpus/disturbances.ts";
import { playFacts } from "../../sim/corpus/score.ts";
import { addEvent } from "./case.ts";
import { createTrack, heed, letGo, lookAtEffect, toIncident } from "./incident-track.ts";
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

test("Of what the gateway did nothing is said to have helped while nobody has asked since", () => {
  const { facts } = playFacts(disturbanceNamed("origin crashes", 1), 1);
  const recent = facts.filter((fact) => fact.kind === "second").map((fact) => ({ facts: [fact] }));
  const at = recent[0]?.facts[0]?.at ?? 0;
  const anomaly = { key: "a", kind: "failed", service: "shop", where: {}, since: at } as const;
  /** Half of what is asked fails for ten seconds; then the gateway acts, and for so long all is well. */
  const effects = (wellS: number, turned: "up" | "ejected" | "" = ""): readonly string[] => {
    const track = createTrack("inc-1", [anomaly], at, { watches: new Watches(), topology: [], recent });
    const [any] = track.case.seconds;
    if (any === undefined) throw new Error("no second was played");
    track.case.seconds.length = 0;
    for (let s = 0; s < 10 + wellS; s += 1) {
      const failed = s < 10 ? 5 : 0;
      track.case.seconds.push({ ...any, at: at + s * 1000, service: "shop", exchanges: 10, failed });
    }
    const acts = { kind: "fail-open", at: at + 10_000, service: "shop", pool: "a", state: "begin", code: "" } as const;
    const event = { ...acts, because: "checks fail at all of them" };
    heed(track, { kind: "event", node: "n", worker: 0, revision: "", at: acts.at, event });
    if (turned !== "") {
      const turn = { kind: "origin", at: at + 12_000, service: "shop", pool: "a", origin: "http://10.0.0.1" } as const;
      const became = { ...turn, address: "10.0.0.1:80", state: turned, because: "of its checks" };
      addEvent(track.case, { kind: "event", node: "n", worker: 0, revision: "", at: turn.at, event: became });
    }
    lookAtEffect(track, acts.at + 7_000);
    return track.timeline.flatMap(({ kind, text }) => (kind === "effect" ? [text] : []));
  };
  // A person has mended the origin meanwhile, or changed something.
  expect(effects(6, "up")).toEqual([expect.stringMatching(/cannot be said: 10.0.0.1:80 works again by itself\.$/)]);
  expect(effects(6, "ejected")).toEqual([expect.stringMatching(/^What the gateway did helped/)]);
  // That none failed of none had been taken for a success.
  expect(effects(0)).toEqual(["Whether what the gateway did helped cannot be said: nobody has asked since."]);
  expect(effects(6)).toEqual([expect.stringMatching(/^What the gateway did helped: 50 % of the exchanges failed/)]);
});
