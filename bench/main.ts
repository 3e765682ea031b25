/**
 * `npm run bench`: Goodgate beside HAProxy, nginx, Caddy and a plain node:http proxy, in one run on one
 * machine. Every peer has core 0 for itself while it is measured; wrk and the origin (nginx) have core 1.
 * Rounds are interleaved, peer after peer for each row, so that what disturbs the machine disturbs all alike.
 *
 * It needs Linux with two cores, `taskset`, `wrk` and `nginx`. Peers that are not installed are left out.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeDevCertificate } from "../src/net/dev-certificates.ts";
import { runFaults } from "./faults/main.ts";
import { machine } from "./machine.ts";
import { measure, measureIdle, type Measurement } from "./measure.ts";
import { parseOptions, USAGE, type Options } from "./options.ts";
import { runPolicies } from "./policies.ts";
import { originPorts, startOrigin, startPeer, versionOf, type Bed, type PeerName, type RunningPeer } from "./peers.ts";
import { treeResidentBytes } from "./process-tree.ts";
import { insertReport, renderReport, type BenchResult } from "./report.ts";
import { startSocketOrigin } from "./sockets.ts";
import { ROWS, type RowName } from "./rows.ts";
import { withUndo, type Undo } from "./undo.ts";

const PAGE = fileURLToPath(new URL("../docs/performance.md", import.meta.url));
const FILES = { "500": 500, "64k": 65_536, "1m": 1_048_576 } as const;

async function main(args: readonly string[]): Promise<void> {
  if (args[0] === "faults") {
    await runFaults(args.slice(1));
    return;
  }
  if (args.includes("--help")) {
    process.stdout.write(USAGE);
    return;
  }
  if (args[0] === "policies") {
    await withUndo(async (undo) => {
      const bed = await makeBed(true);
      undo(() => rm(bed.folder, { recursive: true, force: true }));
      const origin = await startOrigin(bed);
      undo(() => origin.stop());
      await runPolicies(args.slice(1), bed, undo);
    });
    return;
  }
  let options: Options;
  try {
    options = parseOptions(args);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  const missing = neededBy(options.rows).filter((command) => !isInstalled(command));
  if (missing.length > 0) {
    process.stderr.write(
      `the benchmark needs ${missing.join(", ")} (apt-get install util-linux wrk nginx nghttp2-client openssl)\n`,
    );
    process.exitCode = 2;
    return;
  }
  await withUndo(async (undo) => {
    const bed = await makeBed(options.accessLog);
    undo(() => rm(bed.folder, { recursive: true, force: true }));
    const result = await run(options, bed, args, undo);
    process.stdout.write(`\n${renderReport(result)}\n`);
    if (options.jsonFile !== null) await writeFile(options.jsonFile, `${JSON.stringify(result, null, 1)}\n`);
    if (options.write) await writeFile(PAGE, insertReport(await readFile(PAGE, "utf8"), renderReport(result)));
  });
}

function neededBy(rows: readonly RowName[]): string[] {
  const needed = ["taskset", "wrk", "nginx"];
  if (rows.some((row) => ROWS[row].streams > 0)) needed.push("h2load");
  if (rows.some((row) => ROWS[row].handshake !== undefined)) needed.push("openssl");
  return needed;
}

async function run(options: Options, bed: Bed, args: readonly string[], undo: Undo): Promise<BenchResult> {
  // The harness reads /proc and waits; it must not do so on the core of the peers.
  execFileSync("taskset", ["-cp", "1", String(process.pid)], { stdio: "ignore" });
  const origin = await startOrigin(bed);
  undo(() => origin.stop());
  if (options.rows.some((row) => ROWS[row].messages === true)) {
    const sockets = await startSocketOrigin(bed.socketsPort);
    undo(() => sockets.stop());
  }

  const versions: Partial<Record<PeerName, string>> = {};
  const running: RunningPeer[] = [];
  for (const name of options.peers) {
    const version = versionOf(name);
    if (version === null) {
      say(`${name} is not installed and is left out`);
      continue;
    }
    versions[name] = version;
    const peer = await startPeer(name, bed);
    undo(() => peer.child.stop());
    running.push(peer);
  }
  const rest = new Map(running.map((peer) => [peer.name, treeResidentBytes(peer.child.pid)]));

  const measurements: Measurement[] = [];
  const take = (measurement: Measurement): void => {
    measurements.push(measurement);
    say(lineOf(measurement));
  };
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const row of options.rows) {
      for (const peer of running) {
        if (ROWS[row].idle) {
          if (round > 0) take(await measureIdle(peer.name, round, options.seconds, options.idleConnections, bed));
          continue;
        }
        const { streams, messages, tls } = ROWS[row];
        if (tls === true && peer.tlsPort === 0) continue;
        // The plain proxy of Node speaks neither.
        if ((streams > 0 || messages === true) && peer.http2Port === 0) continue;
        const measurement = await measure(peer, row, round, round === 0 ? warmSeconds(row) : options.seconds, bed);
        // Round 0 compiles code and fills pools; it is not counted.
        if (round > 0) take(measurement);
      }
    }
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    command: ["npm run bench", ...(args.length > 0 ? ["--", ...args] : [])].join(" "),
    accessLog: options.accessLog,
    rounds: options.rounds,
    seconds: options.seconds,
    versions,
    rows: options.rows,
    peers: running.map((peer) => peer.name),
    measurements,
    memory: running.map((peer) => ({
      peer: peer.name,
      restBytes: rest.get(peer.name) ?? 0,
      afterLoadBytes: treeResidentBytes(peer.child.pid),
    })),
  };
}

async function makeBed(accessLog: boolean): Promise<Bed> {
  const folder = await mkdtemp(join(tmpdir(), "goodgate-bench-"));
  // nginx gives up root for its workers, and they must be able to read here.
  await chmod(folder, 0o755);
  await mkdir(join(folder, "www"));
  for (const [name, bytes] of Object.entries(FILES)) await writeFile(join(folder, "www", name), "x".repeat(bytes));
  await putCertificate(folder);
  return { folder, ...(await originPorts()), accessLog };
}

/** One for all peers, in the forms in which they read it. */
async function putCertificate(folder: string): Promise<void> {
  const made = await makeDevCertificate(join(folder, "tls"), [], Date.now());
  if (!made.ok) throw new Error(`no certificate: ${made.where} ${made.code}`);
  const [cert, key] = [await readFile(made.cert, "utf8"), await readFile(made.key, "utf8")];
  await writeFile(join(folder, "both.pem"), cert + key);
}

/**
 * A second of handshakes is a thousand exchanges at most, where another row has tens of thousands: V8 has compiled a part
 * by then, and what it compiles later would be taken for the price of a handshake.
 */
function warmSeconds(row: RowName): number {
  return ROWS[row].handshake === undefined ? 1 : 6;
}

function isInstalled(command: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;
}

function lineOf({
  peer,
  row,
  round,
  cpuMicrosPerExchange,
  perSecond,
  flaws,
  bytesPerIdleConnection,
}: Measurement): string {
  const idle =
    bytesPerIdleConnection === null ? "" : `, ${(bytesPerIdleConnection / 1024).toFixed(1)} KiB per idle connection`;
  const doubt = flaws.length === 0 ? "" : ` ⚠ ${flaws.join(", ")}`;
  return `round ${round} ${row.padEnd(6)} ${peer.padEnd(10)} ${cpuMicrosPerExchange.toFixed(1).padStart(7)} µs ${Math.round(perSecond)}/s${idle}${doubt}`;
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

await main(process.argv.slice(2));
