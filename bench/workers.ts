/**
 * What a second worker is worth: `node bench/workers.ts [SECONDS] [TURNS]` asks a gateway with one worker, one with two,
 * and two gateways that know nothing of each other, in turns, and prints exchanges per second and the CPU of all of the
 * gateways' processes for each exchange.
 *
 * Client and origin need cores as well. On a machine with fewer than four the rate says little; there the CPU per
 * exchange is the figure: what two workers spend on an exchange, against what one does, bounds what they can do on two
 * cores of their own. Two cores share caches and memory, and on such a machine the clients' and origins' work too, so
 * two of anything spend more than one: the two gateways show how much, and what is beyond that is the workers' own.
 *
 * Each of the two gets the same: a client of its own, and the same two origins in processes of their own.
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild } from "../test/support/child.ts";
import type { Child } from "../test/support/child.ts";
import { freePort } from "../test/support/free-port.ts";
import { cpuMicros } from "./process-tree.ts";
import { median } from "../src/kernel/median.ts";
import { readWrkReport } from "./wrk.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CLIENT_CONNECTIONS = 32;
const WARM_SECONDS = 2;
const ANSWER = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

interface Shape {
  readonly name: string;
  readonly gateways: number;
  /** Of each gateway. */
  readonly workers: number;
}

const ONE: Shape = { name: "1 worker", gateways: 1, workers: 1 };
const TWO: Shape = { name: "2 workers", gateways: 1, workers: 2 };
const APART: Shape = { name: "2 gateways apart", gateways: 2, workers: 1 };

interface Turn {
  readonly perSecond: number;
  readonly microsPerExchange: number;
}

async function turn(shape: Shape, originPorts: readonly number[], seconds: number): Promise<Turn> {
  const folder = await mkdtemp(join(tmpdir(), "goodgate-bench-"));
  const gateways: { readonly child: Child; readonly port: number }[] = [];
  try {
    for (let i = 0; i < shape.gateways; i += 1) {
      // oxlint-disable-next-line no-await-in-loop -- Of two that look for a free port at once both may find the same.
      gateways.push(await startGateway(folder, shape.workers, originPorts));
    }
    // As many clients as there are workers in all.
    const ports = gateways.flatMap(({ port }) => Array.from({ length: shape.workers }, () => port));
    const cpu = (): number => gateways.reduce((sum, { child }) => sum + cpuMicros(child.pid), 0);
    await Promise.all(ports.map((port) => ask(port, WARM_SECONDS)));
    const before = cpu();
    const reports = await Promise.all(ports.map((port) => ask(port, seconds)));
    const exchanges = reports.reduce((sum, report) => sum + report.exchanges, 0);
    const perSecond = reports.reduce((sum, report) => sum + report.perSecond, 0);
    return { perSecond, microsPerExchange: (cpu() - before) / exchanges };
  } finally {
    await Promise.all(gateways.map(({ child }) => child.stop()));
    await rm(folder, { recursive: true, force: true });
  }
}

async function startGateway(
  folder: string,
  workers: number,
  originPorts: readonly number[],
): Promise<{ readonly child: Child; readonly port: number }> {
  const port = await freePort();
  const file = join(folder, `${port}.yaml`);
  const origins = originPorts.map((origin) => `http://127.0.0.1:${origin}`);
  const services = { app: { health: false, overload: false, pools: [{ origins }] } };
  const config = { listeners: [{ bind: `127.0.0.1:${port}` }], admin: false, control: false, state: false };
  await writeFile(file, JSON.stringify({ ...config, workers, services }));
  const child = await startChild(process.execPath, [join(ROOT, "bin/goodgate.js"), "run", "-c", file]);
  await child.printed(/Stop: Ctrl-C/);
  return { child, port };
}

async function ask(port: number, seconds: number): Promise<ReturnType<typeof readWrkReport>> {
  const load = [`-t1`, `-c${CLIENT_CONNECTIONS}`, `-d${seconds}s`];
  const child = await startChild("wrk", [...load, `http://127.0.0.1:${port}/`]);
  const ending = await child.ending;
  if (ending.code !== 0) throw new Error(`wrk failed: ${child.stderr()}${child.stdout()}`);
  return readWrkReport(child.stdout());
}

/** A process that answers, and its port. */
async function startOrigin(): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const child = fork(import.meta.filename, ["--origin"]);
  const port = await new Promise<number>((resolve) => child.once("message", (said) => resolve(Number(said))));
  return { child, port };
}

function serveAnswers(): void {
  const origin = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => void socket.write(ANSWER));
  }).listen(0, "127.0.0.1", () => process.send?.((origin.address() as AddressInfo).port));
  process.once("disconnect", () => process.exit());
}

async function main(): Promise<void> {
  const [seconds, turns] = [Number(process.argv[2] ?? 5), Number(process.argv[3] ?? 5)];
  const origins = [await startOrigin(), await startOrigin()];
  const ports = origins.map(({ port }) => port);
  const taken = new Map<Shape, Turn[]>([ONE, TWO, APART].map((shape) => [shape, []]));
  for (let i = 0; i < turns; i += 1) {
    // oxlint-disable-next-line no-await-in-loop -- One after the other: they would measure each other.
    for (const [shape, list] of taken) list.push(await turn(shape, ports, seconds));
  }
  for (const { child } of origins) child.disconnect();
  for (const [{ name }, list] of taken) {
    const micros = list.map(({ microsPerExchange }) => microsPerExchange);
    const rate = Math.max(...list.map(({ perSecond }) => perSecond));
    const spread = `${Math.min(...micros).toFixed(1)}–${Math.max(...micros).toFixed(1)}`;
    console.log(`${name.padEnd(17)} ${rate.toFixed(0)}/s at most  ${median(micros).toFixed(1)} µs (${spread})`);
  }
  const one = taken.get(ONE) ?? [];
  console.log(
    `Two on two cores of their own could do, by the CPU of an exchange (${availableParallelism()} cores here):`,
  );
  for (const shape of [TWO, APART]) {
    const ratios = (taken.get(shape) ?? []).map(
      (two, i) => (2 * (one[i]?.microsPerExchange ?? NaN)) / two.microsPerExchange,
    );
    console.log(`${shape.name.padEnd(17)} ${median(ratios).toFixed(2)}× one`);
  }
}

if (process.argv[2] === "--origin") serveAnswers();
else await main();
