/**
 * What a second worker is worth: `node bench/workers.ts [SECONDS] [TURNS] [PER_SECOND]` asks a gateway with one worker,
 * one with two, and two gateways that know nothing of each other, in turns, and prints the CPU of all of the gateways'
 * processes for each exchange. What two workers spend on an exchange, against what one does, is what they can do on two
 * cores of their own.
 *
 * Client and origin need cores as well. With as many requests as the gateways can take, a machine of two cores gives two
 * workers another world than one: four processes instead of two share its caches, and who waits for a core runs cold. So
 * each worker is asked for a fixed number of requests a second, the same in all shapes and so few that the cores have
 * time left. 0 asks for as many as there can be; the rates that are printed then say something where there are at least
 * six cores.
 *
 * All three run from the beginning, because a fresh process pays for compiling its code, and two of them twice as long:
 * each has half of the requests. Each worker gets a client of its own, and all have the same two origins in processes of
 * their own.
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
import { readH2loadReport } from "./h2load.ts";
import { withUndo } from "./undo.ts";
import { readWrkReport } from "./wrk.ts";
import type { LoadReport } from "./wrk.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CLIENT_CONNECTIONS = 32;
/** Of each worker. */
const PER_SECOND = 4_000;
/** As many as there can be: the sooner the code is compiled. */
const WARM_SECONDS = 5;
/** Of what was asked for. A round in which less came says how busy the machine was, and nothing of the gateway. */
const KEPT_UP = 0.95;
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
  /** What was asked for came. */
  readonly keptUp: boolean;
}

interface Gateway {
  readonly child: Child;
  readonly port: number;
}

interface Running {
  readonly shape: Shape;
  readonly gateways: readonly Gateway[];
  readonly turns: Turn[];
}

async function start(shape: Shape, folder: string, originPorts: readonly number[]): Promise<Running> {
  const gateways: Gateway[] = [];
  for (let i = 0; i < shape.gateways; i += 1) {
    // oxlint-disable-next-line no-await-in-loop -- Of two that look for a free port at once both may find the same.
    gateways.push(await startGateway(folder, shape.workers, originPorts));
  }
  return { shape, gateways, turns: [] };
}

/** `perSecond`: for each worker; 0: as many as there can be. */
async function turn({ shape, gateways }: Running, seconds: number, perSecond: number): Promise<Turn> {
  // As many clients as there are workers in all.
  const ports = gateways.flatMap(({ port }) => Array.from({ length: shape.workers }, () => port));
  const cpu = (): number => gateways.reduce((sum, { child }) => sum + cpuMicros(child.pid), 0);
  const before = cpu();
  const reports = await Promise.all(ports.map((port) => ask(port, seconds, perSecond)));
  const exchanges = reports.reduce((sum, report) => sum + report.exchanges, 0);
  const all = reports.reduce((sum, report) => sum + report.perSecond, 0);
  const keptUp = all >= KEPT_UP * perSecond * ports.length;
  if (!keptUp) console.log(`${shape.name}: ${all.toFixed(0)}/s of ${perSecond * ports.length}/s: not counted`);
  return { perSecond: all, microsPerExchange: (cpu() - before) / exchanges, keptUp };
}

async function startGateway(folder: string, workers: number, originPorts: readonly number[]): Promise<Gateway> {
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

async function ask(port: number, seconds: number, perSecond: number): Promise<LoadReport> {
  const load = [`-t1`, `-c${CLIENT_CONNECTIONS}`];
  const url = `http://127.0.0.1:${port}/`;
  const [command, ...args] =
    perSecond === 0
      ? ["wrk", ...load, `-d${seconds}s`, url]
      : ["h2load", "--h1", ...load, `-D${seconds}`, `--rps=${perSecond / CLIENT_CONNECTIONS}`, url];
  const child = await startChild(command ?? "", args);
  const ending = await child.ending;
  if (ending.code !== 0) throw new Error(`${command} failed: ${child.stderr()}${child.stdout()}`);
  return perSecond === 0 ? readWrkReport(child.stdout()) : readH2loadReport(child.stdout());
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
  const [seconds = 5, turns = 5, perSecond = PER_SECOND] = process.argv.slice(2).map(Number);
  await withUndo(async (undo) => {
    const folder = await mkdtemp(join(tmpdir(), "goodgate-bench-"));
    undo(() => rm(folder, { recursive: true, force: true }));
    const origins = [await startOrigin(), await startOrigin()];
    undo(() => Promise.resolve(origins.forEach(({ child }) => child.disconnect())));
    const ports = origins.map(({ port }) => port);
    const running: Running[] = [];
    for (const shape of [ONE, TWO, APART]) {
      // oxlint-disable-next-line no-await-in-loop -- One after the other: they would measure each other.
      const started = await start(shape, folder, ports);
      undo(async () => void (await Promise.all(started.gateways.map(({ child }) => child.stop()))));
      running.push(started);
      // oxlint-disable-next-line no-await-in-loop
      await turn(started, WARM_SECONDS, 0);
    }
    for (let i = 0; i < turns; i += 1) {
      const round: Turn[] = [];
      // oxlint-disable-next-line no-await-in-loop
      for (const each of running) round.push(await turn(each, seconds, perSecond));
      if (round.every(({ keptUp }) => keptUp)) round.forEach((taken, at) => running[at]?.turns.push(taken));
    }
    if (running[0]?.turns.length === 0) console.log(`No round counts: too busy a machine for ${perSecond}/s.`);
    else report(running);
  });
}

function report(running: readonly Running[]): void {
  for (const { shape, turns } of running) {
    const micros = turns.map(({ microsPerExchange }) => microsPerExchange);
    const rate = median(turns.map(({ perSecond }) => perSecond));
    const spread = `${Math.min(...micros).toFixed(1)}–${Math.max(...micros).toFixed(1)}`;
    console.log(`${shape.name.padEnd(17)} ${rate.toFixed(0)}/s  ${median(micros).toFixed(1)} µs (${spread})`);
  }
  const [one, ...others] = running;
  console.log(
    `Two on two cores of their own could do, by the CPU of an exchange (${availableParallelism()} cores here):`,
  );
  for (const { shape, turns } of others) {
    const ratios = turns.map((two, i) => (2 * (one?.turns[i]?.microsPerExchange ?? NaN)) / two.microsPerExchange);
    const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
    console.log(`${shape.name.padEnd(17)} ${median(ratios).toFixed(2)}× one (${spread})`);
  }
}

if (process.argv[2] === "--origin") serveAnswers();
else await main();
