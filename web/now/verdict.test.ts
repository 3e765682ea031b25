import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SAMPLE_INCIDENT, sampleHealth } from "../../test/support/sample-diagnosis.ts";
import { quietView, sampleView } from "../../test/support/sample-view.ts";
import type { VerdictFacts } from "./verdict.ts";
import { verdictOf } from "./verdict.ts";

const WELL: VerdictFacts = {
  status: quietView().statusNow,
  freshness: { kind: "live" },
  diagnosis: { kind: "running" },
  health: [sampleHealth("default")],
  incidents: [],
};
const STALE = { kind: "stale", since: 5, because: "it hangs" } as const;

describe("the verdict", () => {
  test("is well only when everything says so", () => {
    expect(verdictOf(WELL)).toMatchObject({ tone: "good", sign: "✓", details: [] });
    expect(verdictOf(WELL).headline).toMatch(/^Serving: service default is healthy/);
  });

  test("is none before anything was heard, and when the gateway does not answer, whatever it said before", () => {
    expect(verdictOf({ ...WELL, status: null }).tone).toBe("quiet");
    const stale = verdictOf({ ...WELL, freshness: { kind: "stale", since: 1 } });
    expect(stale).toMatchObject({ tone: "quiet", sign: "?", headline: "Not known: the gateway does not answer" });
    expect(stale.details.join()).toContain("Before that: Serving");
  });

  test("is the incident that is worst, with how many more there are", () => {
    const mild = { ...SAMPLE_INCIDENT, id: "b", severity: "warning" as const, title: "Mild" };
    const verdict = verdictOf({ ...WELL, incidents: [mild, SAMPLE_INCIDENT] });
    expect(verdict).toMatchObject({ tone: "bad", headline: SAMPLE_INCIDENT.title });
    expect(verdict.details).toContain("1 more incident is open.");
  });

  test("is well again while an incident recovers, and what nobody felt frightens nobody", () => {
    expect(verdictOf({ ...WELL, incidents: [{ ...SAMPLE_INCIDENT, state: "recovering" }] }).tone).toBe("good");
    expect(verdictOf({ ...WELL, incidents: [{ ...SAMPLE_INCIDENT, severity: "notice" }] }).tone).toBe("good");
  });

  test("follows the gateway's own states without a control plane", () => {
    const off = { kind: "off", because: "" } as const;
    expect(verdictOf({ ...WELL, diagnosis: off, health: [] }).tone).toBe("good");
    expect(verdictOf({ ...WELL, diagnosis: off, health: [], status: sampleView().statusNow }).tone).toBe("bad");
  });

  test("keeps its headline short where a reason is long, and says the reason below", () => {
    const off = { kind: "off", because: "" } as const;
    const status = sampleView().statusNow;
    const [service] = status.services;
    if (service === undefined) throw new Error("no service");
    const services = [{ ...service, name: "shop", state: "degraded" as const, because: "1 of 2 origins is out" }];
    const verdict = verdictOf({ ...WELL, diagnosis: off, health: [], status: { ...status, services } });
    expect(verdict).toMatchObject({ headline: "Serving, but shop is degraded", details: ["1 of 2 origins is out."] });
  });

  test("says what traffic shows that no state of an origin does", () => {
    const health = [sampleHealth("default", { state: "silent", because: "no traffic for 5 min; usual is 40/s" })];
    expect(verdictOf({ ...WELL, health })).toMatchObject({
      tone: "warn",
      headline: "Serving, but default is silent",
      details: ["default is silent: no traffic for 5 min; usual is 40/s"],
    });
  });

  test("is not well without its diagnosis, and old conclusions are none", () => {
    const verdict = verdictOf({ ...WELL, diagnosis: STALE, incidents: [SAMPLE_INCIDENT] });
    expect(verdict).toMatchObject({ tone: "warn", sign: "!" });
    expect(verdict.headline).not.toBe(SAMPLE_INCIDENT.title);
  });

  test("is never well where anything is wrong or not known", () => {
    const troubles = fc.constantFrom<Partial<VerdictFacts>>(
      { status: null },
      { status: sampleView().statusNow },
      { freshness: { kind: "stale", since: 1 } },
      { diagnosis: STALE },
      { health: [sampleHealth("default", { state: "failing" })] },
      { health: [sampleHealth("default", { state: "disturbed" })] },
      { incidents: [SAMPLE_INCIDENT] },
    );
    fc.assert(
      fc.property(fc.array(troubles, { minLength: 1 }), (some) => {
        // A later one may take the place of an earlier; whichever is left is enough.
        expect(verdictOf(Object.assign({}, WELL, ...some) as VerdictFacts).tone).not.toBe("good");
      }),
    );
  });
});
