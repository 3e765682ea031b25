/**
 * "Done means" of the diagnosis, with real processes and sockets: a provider breaks, and one incident names the pool, the cause
 * and the party within seconds, says what was rescued, and closes itself with a fair account.
 */
import { describe, expect, it } from "vitest";
import type { Incident } from "../../src/contract/incident.ts";
import type { IncidentsResponse } from "../../src/contract/control-responses.ts";
import type { OutageKind } from "../../src/contract/samples.ts";
import type { AnyCause } from "../../src/control/claim.ts";
import { startDemo } from "../support/demo.ts";
import { freePort } from "../support/free-port.ts";
import { inFrontOf, startGateway } from "../support/gateway-process.ts";
import { startLoad } from "../support/load.ts";
import { until } from "../support/until.ts";

const LASTS_S = 12;
/** For what hangs, and less than a test has, so that it ends with words. */
const PATIENCE_MS = 450_000;

async function incidentsAt(adminUrl: string): Promise<readonly Incident[]> {
  const answer = await fetch(`${adminUrl}/api/v1/incidents`);
  // 503 while the control process starts.
  return answer.status === 200 ? ((await answer.json()) as IncidentsResponse).incidents : [];
}

async function theIncident(adminUrl: string, what: string, fits: (one: Incident) => boolean): Promise<Incident> {
  return until(what, async () => (await incidentsAt(adminUrl)).find(fits) ?? null, PATIENCE_MS);
}

/** What each kind is, to somebody who sees it from outside. All origins of one provider do the same at once. */
const KINDS: readonly (readonly [OutageKind, readonly AnyCause[]])[] = [
  ["crash", ["provider.outage", "origin.refused"]],
];

/** Whether it is the provider or what runs there, nothing that is seen from outside decides. */
const OPEN_KINDS: readonly OutageKind[] = ["hang", "errors", "slow"];

describe.concurrent("an outage of the samples", () => {
  for (const [kind, causes] of KINDS) {
    it(`of kind ${kind} is one incident that names the pool and closes itself`, async ({ onTestFinished }) => {
      const demo = await startDemo(onTestFinished);
      const { until: mended } = await demo.outage(kind, LASTS_S);
      const open = await theIncident(demo.admin, "an incident", () => true);
      expect(open.detectedAt).toBeLessThan(mended);
      const over = await theIncident(demo.admin, "it to close", ({ state }) => state === "closed");
      expect(await incidentsAt(demo.admin)).toHaveLength(1);
      expect(over.id).toBe(open.id);
      expect(over.where).toMatchObject({ service: "sample", pool: "blue" });
      expect(causes).toContain(over.cause);
      expect(["origin", "provider"]).toContain(over.party);
      expect(over.title).toContain("blue");
      if (kind === "crash") expect(over.impact.rescued).toBeGreaterThan(0);
      expect(over.recoveredAt).toBeGreaterThanOrEqual(mended - 3_000);
    });
  }

  for (const kind of OPEN_KINDS) {
    it(`of kind ${kind} is one incident in the right place, whose party is not guessed`, async ({ onTestFinished }) => {
      const demo = await startDemo(onTestFinished);
      await demo.outage(kind, LASTS_S);
      const over = await theIncident(demo.admin, "an incident to close", ({ state }) => state === "closed");
      expect(await incidentsAt(demo.admin)).toHaveLength(1);
      expect(over.where).toMatchObject({ service: "sample", pool: "blue" });
      if (over.verdict === "decided") expect(["origin", "provider", "overload"]).toContain(over.party);
      else expect(over.hypotheses.length).toBeGreaterThan(1);
    });
  }
});

describe("an outage of what stands in a configuration", () => {
  it("names a pool of which no origin is left, at fault and all", async ({ onTestFinished: finished }) => {
    const port = await freePort();
    const gateway = await startGateway(
      inFrontOf([], {
        pools: [{ name: "only", origins: [`http://127.0.0.1:${port}`, `http://localhost:${port}`] }],
      }),
    );
    finished(async () => void (await gateway.stop()));
    const load = startLoad({ port: gateway.port, path: "/", ratePerSecond: 20 });
    finished(async () => void (await load.stop()));
    const open = await theIncident(gateway.adminUrl, "an incident", ({ cause }) => cause !== null);
    expect(open).toMatchObject({ verdict: "decided", cause: "origin.refused", party: "origin" });
  });
});
