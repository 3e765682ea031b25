import { describe, expect, it } from "vitest";
import type { Diagnosis } from "./diagnosis.ts";
import { titleText } from "./incident-words.ts";

/** Decided, with this sentence about this place. */
function decided(claim: string, where: Diagnosis["where"]): Diagnosis {
  return {
    verdict: "decided",
    cause: "origin.overload",
    party: "overload",
    where,
    hypotheses: [
      {
        cause: "origin.overload",
        party: "overload",
        claim,
        confidence: 0.9,
        for: [{ text: "It was seen.", cites: [{ kind: "event", at: 0, code: "test", text: "seen" }] }],
        against: [],
        tellApart: "",
        firstStep: "Look.",
      },
    ],
  };
}

describe("the title of an incident", () => {
  it.each([
    ["http://a1:3000 is down.", { service: "shop", origin: "http://a1:3000" }, "http://a1:3000 is down"],
    ["Connections to pool a are refused.", { service: "shop", pool: "a" }, "Connections to pool a are refused"],
    ["Pool ab is well, and b is not.", { service: "shop", pool: "b" }, "Pool ab is well, and b is not"],
    ["Repeats are the load.", { service: "shop" }, "shop: Repeats are the load"],
    ["The check fails.", { service: "shop", pool: "a" }, "Pool a of shop: The check fails"],
    ["The gateway itself stood still.", { node: "edge-1" }, "Node edge-1: The gateway itself stood still"],
    ["Worker 2 of edge-1 crashes.", { worker: "edge-1/2" }, "Worker 2 of edge-1 crashes"],
    ["This machine drops new connections.", {}, "This machine drops new connections"],
  ])("says where it is unless its sentence does: %s", (claim, where, title) => {
    expect(titleText(decided(claim, where), ["shop"], new Set(["failed"]))).toBe(title);
  });
});
