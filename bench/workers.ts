/**
 * What a second worker is worth: `node bench/workers.ts [SECONDS]` asks a gateway with one worker and one with two, in
 * turns, and prints exchanges per second and the CPU of all of a gateway's processes for each exchange.
 *
 * Client and origin need cores as well. On a machine with fewer than four the rate says little; there the CPU per
 * exchange is the figure: what two workers spend on an exchange, against what one does, bounds what they can do on two
 * cores of their own.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startChild } from "../test/support/child.ts";
import { freePort } from "../test/support/free-port.ts";
import { cpuMicros } from "./process-tree.ts";
import { readWrkReport } from "./wrk.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TURNS = 3;
const CONNECTIONS_PER_WORKER = 32;
const WARM_SECONDS = 2;
const ANSWER = Buffer.from("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

interface Turn {
  readonly perSecond: number;
  readonly microsPerExchange: number;
}

async function turn(workers: number, originPort: number, seconds: number): Promise<Turn> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "goodgate-bench-"));
  const file = join(folder, "goodgate.yaml");
  const services = {
    app: { health: false, overload: false, pools: [{ origins: [`http://127.0.0.1:${originPort}`] }] },
  };
  const config = { listeners: [{ bind: `127.0.0.1:${port}` }], admin: false, control: false, state: false };
  await writeFile(file, JSON.stringify({ ...config, workers, services }));
  const gateway = await startChild(process.execPath, [join(ROOT, "bin/goodgate.js"), "run", "-c", file]);
  try {
    await gateway.printed(/Stop: Ctrl-C/);
    await ask(port, workers, WARM_SECONDS);
    const before = cpuMicros(gateway.pid);
    const { exchanges, perSecond } = await ask(port, workers, seconds);
    return { perSecond, microsPerExchange: (cpuMicros(gateway.pid) - before) / exchanges };
  } finally {
    await gateway.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function ask(port: number, workers: number, seconds: number): Promise<ReturnType<typeof readWrkReport>> {
  const load = [`-t1`, `-c${workers * CONNECTIONS_PER_WORKER}`, `-d${seconds}s`];
  const child = await startChild("wrk", [...load, `http://127.0.0.1:${port}/`]);
  const ending = await child.ending;
  if (ending.code !== 0) throw new Error(`wrk failed: ${child.stderr()}${child.stdout()}`);
  return readWrkReport(child.stdout());
}

async function main(): Promise<void> {
  const seconds = Number(process.argv[2] ?? 5);
  const origin = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => undefined);
    socket.on("data", () => void socket.write(ANSWER));
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => origin.once("listening", resolve));
  const { port } = origin.address() as AddressInfo;
  const best = new Map<number, Turn>();
  for (let i = 0; i < TURNS; i += 1) {
    for (const workers of [1, 2]) {
      // oxlint-disable-next-line no-await-in-loop -- One after the other: they would measure each other.
      const one = await turn(workers, port, seconds);
      const known = best.get(workers);
      // What others do on the machine only ever adds.
      best.set(workers, {
        perSecond: Math.max(one.perSecond, known?.perSecond ?? 0),
        microsPerExchange: Math.min(one.microsPerExchange, known?.microsPerExchange ?? Infinity),
      });
    }
  }
  origin.close();
  for (const [workers, { perSecond, microsPerExchange }] of best) {
    console.log(
      `${workers} worker${workers === 1 ? " " : "s"}  ${perSecond.toFixed(0)}/s  ${microsPerExchange.toFixed(1)} µs`,
    );
  }
  const [one, two] = [best.get(1), best.get(2)];
  if (one === undefined || two === undefined) return;
  console.log(
    `rate ${(two.perSecond / one.perSecond).toFixed(2)}× on ${availableParallelism()} cores with client and origin`,
  );
  console.log(`by CPU ${((2 * one.microsPerExchange) / two.microsPerExchange).toFixed(2)}× on two cores of their own`);
  process.exit();
}

await main();
