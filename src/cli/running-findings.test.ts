import { describe, expect, test } from "vitest";
import { cliWorld, WALL } from "../../test/support/cli-world.ts";
import { RUNNING } from "../../test/support/sample-diagnosis.ts";
import type { ControlState } from "../contract/control-port.ts";
import type { WorkerView } from "../contract/view.ts";
import { EXIT } from "./exit-codes.ts";
import type { Finding } from "./machine-findings.ts";

const FILE = 'services: { shop: { pools: [{ origins: ["http://a1.example.net"] }] } }';
const MIB = 1024 * 1024;
const WELL: ControlState = { ...RUNNING, state: "running", heardAt: WALL - 400, residentBytes: 84 * MIB };

async function told(status: {
  control?: ControlState;
  workers?: WorkerView[];
}): Promise<{ code: number; of: (id: string) => Finding | undefined }> {
  const json = { sentence: "Serving: all is well.", now: WALL, ...status };
  const world = cliWorld({
    files: { "goodgate.yaml": FILE },
    admin: { "/api/v1/status": { kind: "answer", status: 200, json } },
  });
  const code = await world.run("doctor", "--json");
  const { findings } = world.json() as { findings: Finding[] };
  return { code, of: (id) => findings.find((finding) => finding.id === id) };
}

describe("doctor on the control process of a gateway that runs", () => {
  async function control(changes: Partial<ControlState>): Promise<string> {
    const { of } = await told({ control: { ...WELL, ...changes } });
    const { level, says } = of("control process") ?? { level: "none", says: "" };
    return `${level}: ${says}`;
  }

  test("says that it is alive and what it needs", async () => {
    expect(await control({})).toBe("ok: runs, 84 MiB resident.");
    expect(await control({ residentBytes: 0, restarts: 1 })).toBe("ok: runs, started again 1 time.");
    expect(await control({ state: "off" })).toBe("ok: switched off: no incidents, no history.");
  });

  test("warns when it is behind, has lost facts, or needs too much", async () => {
    expect(await control({ factsWaiting: 9 })).toBe("warn: runs, 9 s behind, 84 MiB resident.");
    expect(await control({ factsLost: 12 })).toBe("warn: runs, 84 MiB resident, 12 facts lost since the start.");
    expect(await control({ residentBytes: 400 * MIB })).toBe("warn: runs, 400 MiB resident.");
    expect(await control({ restarts: 5 })).toBe("warn: runs, 84 MiB resident, started again 5 times.");
  });

  test("warns when it is hung or dead, which stops no traffic", async () => {
    const hung: Partial<ControlState> = {
      state: "hung",
      because: "it has taken no facts for 7 s",
      heardAt: WALL - 7_000,
    };
    expect(await control(hung)).toBe(
      "warn: hung, last heard 7 s ago: it has taken no facts for 7 s. Serving goes on; incidents and figures are stale.",
    );
    const { code } = await told({ control: { ...WELL, ...hung } });
    expect(code).toBe(EXIT.ok);
  });

  test("says nothing of what a gateway of another version does not tell", async () => {
    const { of } = await told({});
    expect(of("gateway")?.level).toBe("ok");
    expect([of("control process"), of("workers")]).toEqual([undefined, undefined]);
  });
});

describe("doctor on the workers of a gateway that runs", () => {
  const worker = (number: number, changes: Partial<WorkerView> = {}): WorkerView => ({
    worker: number,
    pid: 4_000 + number,
    state: "serving",
    since: WALL - 60_000,
    because: "",
    restarts: 0,
    connections: 10,
    exchanges: 100,
    cpuSeconds: 1,
    residentBytes: 80 * MIB,
    loopUtilisation: 0.2,
    loopDelayP99Ms: 12,
    ...changes,
  });

  test("counts those that serve", async () => {
    const { of } = await told({ control: WELL, workers: [worker(1), worker(2)] });
    expect(of("workers")).toEqual({ id: "workers", level: "ok", says: "2 of 2 serve, 160 MiB resident.", todo: "" });
  });

  test("names one that does not, and is bad only when it cannot live", async () => {
    const waits = worker(2, { state: "waiting", pid: 0, residentBytes: 0, restarts: 1, because: "exit code 1" });
    const one = await told({ workers: [worker(1), waits] });
    expect(one.of("workers")).toMatchObject({
      level: "warn",
      says: "1 of 2 serve, 80 MiB resident, started again 1 time in all; worker 2 waiting (exit code 1).",
    });
    expect(one.code).toBe(EXIT.ok);
    const other = await told({ workers: [worker(1), { ...waits, state: "crashing" }] });
    expect(other.of("workers")?.level).toBe("bad");
    expect(other.code).toBe(EXIT.no);
  });
});
