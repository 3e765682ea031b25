/**
 * `npm run bench -- faults`: what clients see while origins fail, behind Goodgate with its defaults, and behind
 * HAProxy and nginx set up by somebody who knows them. One gateway at a time has the same origins, the same faults
 * and the same clients. It measures what happens, not how fast: it needs no core of its own.
 */
import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { machine } from "../machine.ts";
import { insertReport } from "../report.ts";
import { withUndo, type Undo } from "../undo.ts";
import { runLoad } from "./clients.ts";
import { startOrigins } from "./origins.ts";
import { FAULT_PEERS, startFaultPeer, type FaultPeer } from "./peers.ts";
import { outcomeOf, renderOutcomes, type Outcome } from "./report.ts";
import { FAULT_ROW_NAMES, FAULT_ROWS, type FaultRow, type FaultRowName } from "./rows.ts";

const PAGE = fileURLToPath(new URL("../../docs/survival.md", import.meta.url));

const USAGE = `npm run bench -- faults [options]

  --rows a,b   of: ${FAULT_ROW_NAMES.join(", ")}
  --peers a,b  of: ${FAULT_PEERS.join(", ")} (those not installed are left out)
  --json FILE  every outcome
  --write      put the table into docs/survival.md
`;

export async function runFaults(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: "string", default: FAULT_ROW_NAMES.join(",") },
      peers: { type: "string", default: FAULT_PEERS.join(",") },
      json: { type: "string" },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const rows = pick(values.rows, FAULT_ROW_NAMES, "--rows");
  const peers = pick(values.peers, FAULT_PEERS, "--peers").filter((peer) => {
    const there = peer === "goodgate" || spawnSync("sh", ["-c", `command -v ${peer}`]).status === 0;
    if (!there) process.stderr.write(`${peer} is not installed and is left out\n`);
    return there;
  });
  const outcomes: Outcome[] = [];
  for (const row of rows) {
    for (const peer of peers) {
      const outcome = await withUndo((undo) => measure(row, peer, undo));
      outcomes.push(outcome);
      process.stderr.write(`${row} ${peer}: ${JSON.stringify(outcome)}\n`);
    }
  }
  const day = new Date().toISOString().slice(0, 10);
  const command = ["npm run bench -- faults", ...args].join(" ");
  const table = `${day}, ${machine()}. Command: \`${command}\`\n\n${renderOutcomes(outcomes)}\n`;
  process.stdout.write(`\n${table}`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(outcomes, null, 1)}\n`);
  if (values.write) await writeFile(PAGE, insertReport(await readFile(PAGE, "utf8"), table, "faults"));
}

async function measure(name: FaultRowName, peer: FaultPeer, undo: Undo): Promise<Outcome> {
  const row: FaultRow = FAULT_ROWS[name];
  const folder = await mkdtemp(join(tmpdir(), "goodgate-faults-"));
  // nginx gives up root for its workers, and they must be able to read here.
  await chmod(folder, 0o755);
  undo(() => rm(folder, { recursive: true, force: true }));
  const origins = await startOrigins();
  undo(() => Promise.all(origins.all.map((origin) => origin.stop())));
  await row.prepare?.(origins);
  const gateway = await startFaultPeer(peer, folder, origins);
  undo(() => gateway.child.stop());

  const startedAt = performance.now();
  const load = runLoad({
    port: gateway.port,
    seconds: row.calmSeconds + row.faultSeconds + row.afterSeconds,
    patienceMs: 10_000,
    clientRetries: 0,
    ...row.load,
  });
  const stop = new AbortController();
  await pause(row.calmSeconds * 1000);
  const faulting = row.fault(origins, stop.signal);
  await pause(row.faultSeconds * 1000);
  stop.abort();
  await faulting;
  await row.clear(origins);
  const clearMs = performance.now() - startedAt;
  const seen = await load;
  const payments = (await Promise.all(origins.all.map((origin) => origin.counts()))).flatMap((each) => each.payments);
  return outcomeOf(name, peer, row, { seen, payments, clearMs });
}

function pick<Name extends string>(list: string, known: readonly Name[], option: string): Name[] {
  return list.split(",").map((word) => {
    const found = known.find((name) => name === word.trim());
    if (found === undefined) throw new Error(`${option}: no ${JSON.stringify(word)}; known: ${known.join(", ")}`);
    return found;
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
