/** An incident as the engine makes them, for tests of what is told and shown. */
import type { Incident } from "../../src/contract/incident.ts";

const AT = Date.parse("2026-01-15T12:00:00Z");

export function sampleIncident(changes: Partial<Incident> = {}): Incident {
  return {
    id: "inc-1768478400-1",
    state: "open",
    severity: "critical",
    title: "Pool aws of shop refuses connections",
    summary: "Both origins of pool aws refuse connections. Pool gcp took over.",
    services: ["shop"],
    where: { service: "shop", pool: "aws" },
    cause: "origin.refused",
    party: "origin",
    verdict: "decided",
    hypotheses: [
      {
        cause: "origin.refused",
        party: "origin",
        claim: "The processes behind pool aws are not running",
        confidence: 0.9,
        for: [
          {
            text: "120 of 120 connections were refused",
            cites: [
              {
                kind: "figure",
                figure: "failures",
                where: { service: "shop", pool: "aws" },
                from: AT,
                to: AT + 5000,
                value: 120,
                usual: 0,
                unit: "exchanges",
              },
            ],
          },
        ],
        against: [],
        tellApart: "",
        firstStep: "See whether the processes run.",
      },
    ],
    firstFailureAt: AT,
    detectedAt: AT + 5000,
    recoveredAt: null,
    closedAt: null,
    impact: {
      failed: 3,
      rescued: 117,
      failedByClass: { normal: 3 },
      exchanges: 1500,
      clientNetworks: 2,
      clientNetworksMore: false,
      budgetSpent: { shop: 0.001 },
      latencyP95Ms: { before: 12, worst: 40 },
    },
    timeline: [{ at: AT, kind: "first failure", text: "The first exchange failed" }],
    nextStep: "See whether the processes run.",
    acknowledged: null,
    owner: "",
    merged: [],
    parent: "",
    told: [],
    ...changes,
  };
}
