/**
 * What the control plane costs, by CPU time and not by the clock on the wall, so that a machine with much else to do
 * gives the same answer. Each mark is told with its bound and whether it is met; exits 1 when one is not.
 *
 * `node bench/control.ts [SECONDS]`: the control process is told the facts of 50,000 exchanges a second (20 services
 * with 5 routes, 3 pools and 4 origins each, failures of many kinds, a pool that breaks after a third of the time),
 * then the same with an exchange a millisecond that is traced to a collector.
 *
 * `node bench/control.ts data-plane [ROUNDS]`: the CPU time per exchange of the gateway's own process with its control
 * process running, switched off, stopped (hung), killed again and again (dead) and beside one that takes all of a core
 * it can get (busy), in turns.
 * Needs wrk, nginx and taskset.
 */
import { mkdtemp, chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { readdirSync, readFileSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkValue } from "../src/config/load.ts";
import type { FailureRow, OriginRow, SecondFact, SparseHistogram, TrafficRow } from "../src/contract/facts.ts";
import type { ExchangeRecord } from "../src/contract/record.ts";
import type { CauseId } from "../src/kernel/causes.ts";
import { systemChance } from "../src/net/chance.ts";
import { systemClock, systemSchedule } from "../src/net/clock.ts";
import { forkControl } from "../src/net/control-fork.ts";
import { startControlProcess } from "../src/net/control-process.ts";
import { residentBytes, startChild } from "../test/support/child.ts";
import type { Child } from "../test/support/child.ts";
import { sampleSecond, sampleTopology } from "../test/support/sample-facts.ts";
import { sampleAttempt, sampleRecord } from "../test/support/sample-record.ts";
import { freePort } from "../test/support/free-port.ts";
import { until } from "../test/support/until.ts";
import { answers } from "./answers.ts";
import { machine } from "./machine.ts";
import { originPorts, startOrigin } from "./peers.ts";
import { cpuMicros, ownCpuMicros } from "./process-tree.ts";
import { ROWS } from "./rows.ts";
import { median } from "../src/kernel/median.ts";
import { withUndo } from "./undo.ts";
import { runWrk } from "./wrk.ts";

const PER_SECOND = 50_000;
const SERVICES = 20;
const ROUTES = 5;
const POOLS = 3;
const ORIGINS = 4;
const CORES_MAX = 0.5;
const BYTES_MAX = 300 * 1024 * 1024;
const TRACES_PER_SECOND = 1_000;
/** What two runs of the same differ by. */
const DIFFERENCE_MAX = 1.05;
/** What this bench itself wants at once: wrk, origins, the gateway, and what is busy beside it. */
const LOAD_OWN = 3;
const CAUSES: readonly CauseId[] = [
  "origin.refused",
  "origin.reset_before_response",
  "origin.ttfb_timeout",
  "origin.app_5xx",
];

const ROOT = fileURLToPath(new URL("..", import.meta.url));

async function controlPlane(seconds: number, tracesPerSecond: number): Promise<boolean> {
  return withUndo(async (undo) => {
    const folder = await mkdtemp(join(tmpdir(), "goodgate-control-"));
    undo(() => rm(folder, { recursive: true, force: true }));
    const collector = await startCollector();
    undo(() => Promise.resolve(collector.close()));
    const { settings } = checkValue({
      services: { app: { pools: [{ origins: ["http://10.0.0.1"] }] } },
      ...(tracesPerSecond === 0 ? {} : { telemetry: { otlp: { url: collector.url } } }),
    });
    if (settings === null) throw new Error("not a configuration");
    const control = startControlProcess({
      start: (listener) => forkControl(new URL("../src/controller.ts", import.meta.url), listener),
      setup: { version: "0.0.0", node: "edge-1", stateDirectory: folder, settings },
      session: "bench",
      clock: systemClock,
      schedule: systemSchedule,
      chance: systemChance,
      tell: (code, detail) => void process.stdout.write(`${code}: ${detail}\n`),
    });
    // Neither the process nor its timers keep this one alive.
    const alive = setInterval(() => undefined, 1_000);
    undo(() => Promise.resolve(clearInterval(alive)));
    undo(() => control.close(10_000));
    // A dashboard that is open is the usual case when it matters.
    control.subscribe(() => undefined);
    await until("the control process to run", () => (control.state().state === "running" ? true : null), 20_000);
    const pid = Number(childrenOf(process.pid)[0]);
    control.tellFact(topology());
    // Until it is warm: code is compiled once.
    for (let second = 0; second < 10; second += 1) control.tellFact(await nextSecond(second, false));
    const cpuBefore = cpuMicros(pid);
    const began = systemClock.monotonic();
    let most = 0;
    for (let second = 10; second < 10 + seconds; second += 1) {
      const fact = await nextSecond(second, second > 10 + seconds / 3);
      for (let told = 0; told < tracesPerSecond; told += 64) control.tellTraces(tracesOf(told, tracesPerSecond), 0);
      control.tellFact(fact);
      most = Math.max(most, residentBytes(pid));
    }
    const cores = (cpuMicros(pid) - cpuBefore) / 1_000 / (systemClock.monotonic() - began);
    const size = JSON.stringify(second(0, true)).length;
    const { factsLost, tracesLeftOut } = control.state();
    process.stdout.write(
      `${machine()}\n${PER_SECOND} exchanges/s for ${seconds} s, ${Math.round(size / 1024)} KiB of facts and ${tracesPerSecond} traces each second (${tracesLeftOut} of all left out):\n`,
    );
    return verdicts([
      { mark: "CPU, cores", is: cores, bound: CORES_MAX },
      { mark: "resident, MiB", is: most / 1048576, bound: BYTES_MAX / 1048576 },
      { mark: "facts lost", is: factsLost, bound: 0 },
    ]);
  });
}

interface Mark {
  readonly mark: string;
  readonly is: number;
  /** At most. */
  readonly bound: number;
}

function verdicts(marks: readonly Mark[]): boolean {
  for (const { mark, is, bound } of marks) {
    const shown = (value: number): string => String(Number(value.toPrecision(3))).padStart(8);
    const verdict = is <= bound ? "met" : "NOT MET";
    process.stdout.write(`  ${mark.padEnd(34)}${shown(is)}  at most ${shown(bound)}  ${verdict}\n`);
  }
  return marks.every(({ is, bound }) => is <= bound);
}

/** Takes whatever it is told. */
async function startCollector(): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.writeHead(200, { "content-type": "application/json" }).end("{}"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function tracesOf(from: number, all: number): ExchangeRecord[] {
  const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
  return Array.from({ length: Math.min(64, all - from) }, (_, index) => ({
    ...sampleRecord(),
    id: `trace-${from + index}`,
    traceId,
    attempts: [1, 2].map((number) => ({ ...sampleAttempt(), number })),
  }));
}

async function nextSecond(number: number, isBroken: boolean): Promise<SecondFact> {
  await new Promise((resolve) => setTimeout(resolve, 1_000 - (Date.now() % 1_000)));
  return second(number, isBroken);
}

function places<Value>(make: (service: string, pool: string, origin: string) => Value): Value[] {
  const all: Value[] = [];
  for (let service = 1; service <= SERVICES; service += 1) {
    for (let pool = 1; pool <= POOLS; pool += 1) {
      for (let origin = 1; origin <= ORIGINS; origin += 1) {
        all.push(make(`service-${service}`, `pool-${pool}`, `http://10.${service}.${pool}.${origin}:3000`));
      }
    }
  }
  return all;
}

function topology(): ReturnType<typeof sampleTopology> {
  const services = Array.from({ length: SERVICES }, (_, index) => ({
    name: `service-${index + 1}`,
    objective: { availability: 0.999, latencyMs: 300, latencyRatio: 0.99 },
    routes: Array.from({ length: ROUTES }, (__, route) => ({ name: `route-${route + 1}`, class: "normal" })),
    pools: Array.from({ length: POOLS }, (__, pool) => ({
      name: `pool-${pool + 1}`,
      provider: `cloud-${pool + 1}`,
      origins: Array.from(
        { length: ORIGINS },
        (___, origin) => `http://10.${index + 1}.${pool + 1}.${origin + 1}:3000`,
      ),
    })),
  }));
  return sampleTopology({ at: Date.now(), services });
}

/** One second as the fact book would tell it; in a broken one a pool refuses. */
function second(number: number, isBroken: boolean): SecondFact {
  const isIn = (service: string, pool: string): boolean => isBroken && service === "service-1" && pool === "pool-1";
  const perRoute = PER_SECOND / SERVICES / ROUTES;
  const traffic: TrafficRow[] = [];
  for (let service = 1; service <= SERVICES; service += 1) {
    for (let route = 1; route <= ROUTES; route += 1) {
      const rescued = isBroken && service === 1 ? Math.round(perRoute / POOLS) : 2;
      traffic.push({
        service: `service-${service}`,
        route: `route-${route}`,
        class: "normal",
        byOutcome: { served: perRoute - rescued - 4, rescued, failed: 1, refused: 1, aborted: 2 },
        byCause: { "origin.app_5xx": 1, "client.abort_wait": 2 },
        duration: durations(number + route),
        durationSumUs: perRoute * 20_000,
        retries: rescued,
        retriesRefusedByBudget: 0,
      });
    }
  }
  const origins = places<OriginRow>((service, pool, origin) => ({
    service,
    pool,
    provider: pool.replace("pool", "cloud"),
    origin,
    address: origin.slice(7),
    family: "IPv4",
    attempts: PER_SECOND / SERVICES / POOLS / ORIGINS,
    byCause: isIn(service, pool) ? { "origin.refused": 200 } : {},
    firstByte: isIn(service, pool) ? [] : durations(number),
    connectionsMade: 1,
    inFlight: 4,
    held: 4,
    limit: 40,
    state: "up",
    share: 1,
    checkOk: !isIn(service, pool),
    keepAliveMs: 60_000,
  }));
  const failures = places<FailureRow[]>((service, pool, origin) =>
    Array.from({ length: isIn(service, pool) ? 20 : 1 }, (_, index): FailureRow => ({
      outcome: isIn(service, pool) ? "rescued" : "failed",
      cause: isIn(service, pool) ? "origin.refused" : (CAUSES[(number + index) % CAUSES.length] ?? null),
      party: "origin",
      service,
      route: `route-${1 + (index % ROUTES)}`,
      class: "normal",
      pool,
      origin,
      address: origin.slice(7),
      family: "IPv4",
      clientNetwork: `192.0.${index}.0/24`,
      innerGateway: "",
      count: 10,
    })),
  ).flat();
  return sampleSecond(Date.now() - 1_000, {
    traffic,
    origins,
    failures,
    clients: Array.from({ length: 64 }, (_, index) => ({ network: `198.51.${index}.0/24`, exchanges: 700, failed: 1 })),
    samples: Array.from({ length: 20 }, (_, index) => ({ ...sampleRecord(), id: `${number}-${index}` })),
  });
}

/** As log-linear buckets of real latencies spread: some twenty. */
function durations(shift: number): SparseHistogram {
  return Array.from({ length: 20 }, (_, index) => [40 + index + (shift % 3), 5 + ((index * 7 + shift) % 11)] as const);
}

// ---------------------------------------------------------------------- the data plane's cost

const PEER_CORE = "0";
const RUN_S = 4;

interface Gateway {
  readonly child: Child;
  readonly port: number;
}

async function dataPlane(rounds: number): Promise<boolean> {
  return withUndo(async (undo) => {
    const folder = await mkdtemp(join(tmpdir(), "goodgate-control-"));
    undo(() => rm(folder, { recursive: true, force: true }));
    await chmod(folder, 0o755);
    await mkdir(join(folder, "www"));
    await writeFile(join(folder, "www/500"), "x".repeat(500));
    const ports = await originPorts();
    const origin = await startOrigin({ folder, ...ports, accessLog: false });
    undo(() => origin.stop());
    const start = async (name: string, rest: Record<string, unknown>): Promise<Gateway> => {
      const port = await freePort();
      const config = join(folder, `${name}.json`);
      const pools = [{ origins: ports.originPorts.map((each) => `http://127.0.0.1:${each}`) }];
      const state = join(folder, name);
      await writeFile(
        config,
        JSON.stringify({
          listeners: [{ bind: `127.0.0.1:${port}` }],
          admin: false,
          state,
          services: { app: { pools } },
          ...rest,
        }),
      );
      const command = [process.execPath, join(ROOT, "bin/goodgate.js"), "run", "-c", config];
      const child = await startChild("taskset", ["-c", PEER_CORE, ...command], { cwd: folder });
      undo(() => child.stop());
      await answers(child, port);
      return { child, port };
    };
    const on = await start("on", {});
    const off = await start("off", { control: false });
    const hung = await start("hung", {});
    const dead = await start("dead", {});
    // Started again by its gateway after a while, each time later, it is stopped or killed again.
    const again = setInterval(() => {
      signalChildren(hung.child.pid, "SIGSTOP");
      signalChildren(dead.child.pid, "SIGKILL");
    }, 100);
    undo(() => Promise.resolve(clearInterval(again)));

    const spent: Record<string, number[]> = { off: [], on: [], hung: [], dead: [], busy: [] };
    const measure = async (name: string, gateway: Gateway): Promise<void> => {
      const before = ownCpuMicros(gateway.child.pid);
      const { exchanges } = await runWrk(gateway.port, ROWS.small, RUN_S, folder);
      spent[name]?.push((ownCpuMicros(gateway.child.pid) - before) / exchanges);
    };
    for (const gateway of [on, off, hung, dead]) await runWrk(gateway.port, ROWS.small, RUN_S, folder);
    for (let round = 0; round < rounds; round += 1) {
      await measure("off", off);
      await measure("on", on);
      await measure("hung", hung);
      await measure("dead", dead);
      // As busy as a control process can be: its priority, the gateway's core, and nothing but a loop.
      const busy = await startChild("taskset", [
        "-c",
        PEER_CORE,
        "nice",
        "-n",
        "10",
        process.execPath,
        "-e",
        "for (;;);",
      ]);
      await measure("busy", off);
      await busy.stop(0);
    }
    process.stdout.write(
      `${machine()}\nCPU of the gateway's own process per exchange, µs (GET 500 B, ${rounds} rounds):\n`,
    );
    for (const [name, each] of Object.entries(spent)) {
      process.stdout.write(
        `  ${name.padEnd(5)} median ${median(each).toFixed(2)}  least ${Math.min(...each).toFixed(2)}\n`,
      );
    }
    const load = loadavg()[0] ?? 0;
    if (load > availableParallelism() + LOAD_OWN) {
      process.stdout.write(`  the machine has other work (load ${load.toFixed(1)}): these figures decide nothing\n`);
      return false;
    }
    // What else the machine does only adds to a run, so the least of several is nearest to the truth.
    const least = (name: string): number => Math.min(...(spent[name] ?? []));
    return verdicts(
      ["on", "hung", "dead", "busy"].map((name) => ({
        mark: `${name}, beside switched off`,
        is: least(name) / least("off"),
        bound: DIFFERENCE_MAX,
      })),
    );
  });
}

function signalChildren(pid: number, signal: NodeJS.Signals): void {
  for (const child of childrenOf(pid)) {
    try {
      process.kill(child, signal);
    } catch {
      // It ended in the meantime.
    }
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number),
  );
}

const [first, count] = process.argv.slice(2);
const isMet =
  first === "data-plane"
    ? await dataPlane(Number(count ?? 5))
    : [await controlPlane(Number(first ?? 60), 0), await controlPlane(Number(first ?? 60), TRACES_PER_SECOND)].every(
        Boolean,
      );
process.exitCode = isMet ? 0 : 1;
