/**
 * "Done means" of the diagnosis, with real processes and sockets: a provider breaks, and one incident names the pool, the cause
 * and the party within seconds, says what was rescued, and closes itself with a fair account.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { Incident } from "../../src/contract/incident.ts";
import type { IncidentsResponse } from "../../src/contract/control-responses.ts";
import type { OutageKind, SampleBroken } from "../../src/contract/samples.ts";
import type { AnyCause } from "../../src/control/claim.ts";
import { startChild } from "../support/child.ts";
import type { Child } from "../support/child.ts";
import { freePort } from "../support/free-port.ts";
import { inFrontOf, startGateway } from "../support/gateway-process.ts";
import { startLoad } from "../support/load.ts";
import { until } from "../support/until.ts";

const PROGRAM = fileURLToPath(new URL("../../bin/goodgate.js", import.meta.url));
const LASTS_S = 12;

async function incidentsAt(adminUrl: string): Promise<readonly Incident[]> {
  const answer = await fetch(`${adminUrl}/api/v1/incidents`);
  // 503 while the control process starts.
  return answer.status === 200 ? ((await answer.json()) as IncidentsResponse).incidents : [];
}

async function theIncident(adminUrl: string, what: string, fits: (one: Incident) => boolean): Promise<Incident> {
  return until(what, async () => (await incidentsAt(adminUrl)).find(fits) ?? null, 150_000);
}

type Finished = (end: () => Promise<void>) => void;

interface Demo {
  readonly admin: string;
  /** `goodgate demo outage`; epoch ms of its end. */
  outage(kind: OutageKind): Promise<{ until: number }>;
}

async function startDemo(finished: Finished): Promise<Demo> {
  // Each with a memory of its own.
  const folder = await mkdtemp(join(tmpdir(), "goodgate-demo-"));
  const [port, adminPort] = [await freePort(), await freePort()];
  const admin = `http://127.0.0.1:${adminPort}`;
  const child = await startChild(
    process.execPath,
    [PROGRAM, "demo", "--bind", `127.0.0.1:${port}`, "--admin", `127.0.0.1:${adminPort}`],
    { cwd: folder, env: { STATE_DIRECTORY: join(folder, "state") } },
  );
  finished(async () => {
    await child.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await until("the samples' own traffic to have been served for a while", async () => {
    try {
      const answer = await fetch(`${admin}/api/v1/status`);
      const status = (await answer.json()) as { exchangesTotal: number; control: { state: string } };
      return status.exchangesTotal >= 240 && status.control.state === "running" ? true : null;
    } catch {
      return null;
    }
  });
  return {
    admin,
    async outage(kind) {
      const said = await ended(
        await startChild(process.execPath, [
          PROGRAM,
          "demo",
          "outage",
          "--kind",
          kind,
          "--for",
          `${LASTS_S}s`,
          "--admin",
          admin,
          "--json",
        ]),
      );
      return { until: (JSON.parse(said) as SampleBroken).until };
    },
  };
}

async function ended(child: Child): Promise<string> {
  await child.ending;
  return child.stdout();
}

/** What each kind is, to somebody who sees it from outside. All origins of one provider do the same at once. */
const KINDS: readonly (readonly [OutageKind, readonly AnyCause[]])[] = [
  ["crash", ["provider.outage", "origin.refused"]],
  ["hang", ["provider.outage", "origin.ttfb_timeout", "origin.paused", "origin.slow"]],
];

describe.concurrent("an outage of the samples", () => {
  for (const [kind, causes] of KINDS) {
    it(`of kind ${kind} is one incident that names the pool and closes itself`, async ({ onTestFinished }) => {
      const demo = await startDemo(onTestFinished);
      const { until: mended } = await demo.outage(kind);
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
    }, 180_000);
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
  }, 120_000);
});
