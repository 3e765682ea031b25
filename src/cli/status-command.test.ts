import { describe, expect, test } from "vitest";
import type { CliWorldOptions } from "../../test/support/cli-world.ts";
import { cliWorld, WALL } from "../../test/support/cli-world.ts";
import { sampleIncident } from "../../test/support/sample-incident.ts";
import type { OriginsResponse, StatusResponse } from "../contract/api-responses.ts";
import type { ControlState } from "../contract/control-port.ts";
import { CONTROL_OFF } from "../contract/control-port.ts";
import type { OriginAddressView, OriginView, ServiceStatusView } from "../contract/view.ts";
import { EXIT } from "./exit-codes.ts";

function address(changes: Partial<OriginAddressView>): OriginAddressView {
  return {
    address: "127.0.0.1:3001",
    state: "up",
    because: "",
    since: WALL - 3_600_000,
    until: null,
    share: 1,
    check: { kind: "connect", ok: true, at: WALL - 500, detail: "" },
    disagreement: "",
    breakers: "",
    inFlight: 2,
    connectionsOpen: 5,
    connectionsIdle: 3,
    keepAliveMs: 60_000,
    keepAliveBecause: "",
    held: 1,
    limit: 100,
    latencyMs: 12.34,
    attempts: 1000,
    failures: 3,
    ...changes,
  };
}

function origin(url: string, changes: Partial<OriginView>): OriginView {
  return {
    service: "shop",
    pool: "blue",
    origin: url,
    weight: 100,
    addresses: [address({})],
    addressesSince: null,
    resolution: "",
    ...changes,
  };
}

function service(changes: Partial<ServiceStatusView>): ServiceStatusView {
  const pools = [
    { name: "blue", origins: 2, available: 1, share: 1 },
    { name: "green", origins: 1, available: 1, share: 0 },
  ];
  const room = { waiting: 0, shedding: false };
  return {
    name: "shop",
    hosts: ["shop.example.com"],
    pool: "blue",
    state: "healthy",
    because: "",
    ...room,
    pools,
    ...changes,
  };
}

const RUNNING: ControlState = {
  state: "running",
  heardAt: WALL - 400,
  because: "it runs",
  factsLost: 0,
  factsWaiting: 0,
  residentBytes: 0,
  tracesLeftOut: 0,
  restarts: 0,
};

function gateway(
  services: ServiceStatusView[],
  origins: OriginView[],
  control: ControlState = RUNNING,
): CliWorldOptions {
  const status: StatusResponse = {
    version: "0.1.0",
    startedAt: WALL - 7_200_000,
    state: "serving",
    listeners: [{ name: "0.0.0.0:8080", address: "0.0.0.0", port: 8080 }],
    connections: 14,
    exchangesActive: 1,
    exchangesTotal: 81_234,
    services,
    workers: [],
    now: WALL,
    sentence: "Serving; 1 of 1 services is degraded.",
    control,
    configuration: null,
    process: {
      cpuSeconds: 12,
      residentBytes: 96 * 1024 * 1024,
      heapBytes: 30 * 1024 * 1024,
      descriptorsOpen: 40,
      descriptorsMax: 1_048_576,
      loopDelayP50Ms: 0.1,
      loopDelayP99Ms: 1.2,
      loopDelayMaxMs: 4,
      loopUtilisation: 0.1,
      uptimeSeconds: 7200,
    },
  };
  const answer: OriginsResponse = { now: WALL, origins };
  return {
    admin: {
      "/api/v1/status": { kind: "answer", status: 200, json: status },
      "/api/v1/origins": { kind: "answer", status: 200, json: answer },
    },
  };
}

const DEGRADED = gateway(
  [service({ state: "degraded", because: "1 of 2 origins of pool blue is out." })],
  [
    origin("http://127.0.0.1:3001", {
      addresses: [address({ breakers: "route pay is kept from it: 5 requests of the route in a row failed here" })],
    }),
    origin("http://a2.example.net", {
      addresses: [
        address({
          address: "192.0.2.7:80",
          state: "ejected",
          since: WALL - 2000,
          because: "5 failures in a row (connection refused)",
          disagreement: "checks succeed but 5 of 5 requests failed",
        }),
        address({ address: "192.0.2.8:80", state: "ramping", share: 0.4, because: "back for 4 s", attempts: 0 }),
      ],
    }),
    origin("http://gone.example.net", {
      pool: "green",
      addresses: [],
      resolution: "the name does not exist (ENOTFOUND)",
    }),
  ],
);

describe("status", () => {
  test.each([
    [RUNNING, null],
    [{ ...RUNNING, factsLost: 3 }, "control process runs; 3 facts lost so far"],
    [CONTROL_OFF, "control process switched off: no incidents, no history"],
    [
      { ...RUNNING, state: "hung", heardAt: WALL - 7_000, because: "it has taken no facts for 7 s" } as const,
      "control process hung, last heard 7 s ago: it has taken no facts for 7 s. Serving goes on; incidents and figures are stale.",
    ],
    [
      { ...RUNNING, state: "dead", heardAt: null, because: "it ended (SIGKILL)" } as const,
      "control process dead: it ended (SIGKILL). Serving goes on; incidents and figures are stale.",
    ],
  ])("says of the control process what one has to know: %j", async (control, said) => {
    const world = cliWorld(gateway([service({})], [], control));
    expect(await world.run("status")).toBe(EXIT.ok);
    const text = world.out().replaceAll(/\s+/g, " ");
    if (said === null) expect(text).not.toContain("control process");
    else expect(text).toContain(said);
  });

  test("shows the gateway, its services and every origin with the reason for its state", async () => {
    const world = cliWorld(DEGRADED);
    expect(await world.run("status")).toBe(EXIT.ok);
    await expect(world.out()).toMatchFileSnapshot("../../test/golden/status.txt");
  });

  test.each([
    ["healthy", EXIT.ok],
    ["degraded", EXIT.ok],
    ["failing open", EXIT.no],
    ["down", EXIT.no],
  ] as const)("a service that is %s makes exit code %d", async (state, code) => {
    expect(await cliWorld(gateway([service({}), service({ state })], [])).run("status")).toBe(code);
  });

  test("says of a pool that is used although its origins are out that they are", async () => {
    const pools = [{ name: "blue", origins: 2, available: 2, share: 1 }];
    const out = [address({ state: "ejected", because: "5 failures in a row" })];
    const origins = [origin("http://10.0.0.1", { addresses: out }), origin("http://10.0.0.2", {})];
    const world = cliWorld(gateway([service({ state: "failing open", pools })], origins));
    expect(await world.run("status")).toBe(EXIT.no);
    expect(world.out()).toContain("blue 2/2 (first), used although 1 of 2 are out");
  });

  test("shows each process that serves, where there are several, and why one does not", async () => {
    const base = gateway([service({})], []);
    const known = base.admin?.["/api/v1/status"];
    if (known?.kind !== "answer") throw new Error("no status");
    const workers: StatusResponse["workers"] = [
      {
        worker: 1,
        pid: 4711,
        state: "serving",
        since: WALL - 60_000,
        because: "it runs",
        restarts: 0,
        connections: 12,
        exchanges: 80_000,
        cpuSeconds: 9,
        residentBytes: 100 * 1024 * 1024,
        loopUtilisation: 0.2,
        loopDelayP99Ms: 12,
      },
      {
        worker: 2,
        pid: 0,
        state: "crashing",
        since: WALL - 5_000,
        because: "it ended (SIGSEGV), 6 times in a row",
        restarts: 6,
        connections: 0,
        exchanges: 1_234,
        cpuSeconds: 0,
        residentBytes: 0,
        loopUtilisation: 0,
        loopDelayP99Ms: 0,
      },
    ];
    const status = { ...(known.json as StatusResponse), workers };
    const world = cliWorld({ admin: { ...base.admin, "/api/v1/status": { ...known, json: status } } });
    await world.run("status");
    const text = world.out().replaceAll(/\s+/g, " ");
    expect(text).toContain(
      "worker 1 serving for 1 min · process 4711, 12 connections, 100 MiB resident, loop delay 12 ms at p99 · 80000 exchanges",
    );
    expect(text).toContain(
      "worker 2 crashing for 5 s: it ended (SIGSEGV), 6 times in a row · 1234 exchanges · started again 6 times",
    );
  });

  test("--json gives both answers of the API as they are", async () => {
    const world = cliWorld(DEGRADED);
    await world.run("status", "--json");
    expect(world.json()).toMatchObject({
      status: { exchangesTotal: 81_234 },
      origins: [{ origin: "http://127.0.0.1:3001" }, {}, {}],
    });
  });

  test("names the incidents that go on, and has nothing to say of them when nobody knows", async () => {
    const incidents = [sampleIncident({ firstFailureAt: WALL - 65_000 })];
    const world = cliWorld({
      ...DEGRADED,
      admin: {
        ...DEGRADED.admin,
        "/api/v1/incidents": { kind: "answer", status: 200, json: { now: WALL, incidents } },
      },
    });
    await world.run("status");
    expect(world.out()).toContain(
      "critical: Pool aws of shop refuses connections, for 1 min 5 s; goodgate incidents inc-1768478400-1",
    );
    const silent = cliWorld(DEGRADED);
    await silent.run("status", "--json");
    expect(silent.json()).toMatchObject({ incidents: null });
  });

  test("--watch asks again until the person stops it, and redraws in place on a terminal only", async () => {
    const piped = cliWorld({ ...DEGRADED, pauses: 3 });
    expect(await piped.run("status", "--watch")).toBe(EXIT.ok);
    expect(piped.asked).toHaveLength(9);
    expect(piped.out()).not.toContain("\u001b");
    const shown = cliWorld({ ...DEGRADED, pauses: 2, terminal: { isTerminal: true } });
    await shown.run("status", "-w");
    expect(shown.out().split("\u001b[H\u001b[J")).toHaveLength(3);
  });

  test("--watch outlives a gateway that does not answer for a while", async () => {
    const world = cliWorld({ pauses: 2 });
    expect(await world.run("status", "--watch")).toBe(EXIT.ok);
    expect(world.asked).toHaveLength(2);
    expect(world.err()).toContain("no gateway answers");
  });
});
