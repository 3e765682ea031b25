/**
 * One measurement: load on one peer, and what it cost that peer. The other peers run but have nothing to do.
 *
 * CPU time per exchange is the figure, not exchanges per second: the load generator and the origin share the
 * other core, so the throughput of a fast peer says more about them.
 */
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startChild } from "../test/support/child.ts";
import { runH2load } from "./h2load.ts";
import { runHandshakes } from "./handshakes.ts";
import { startPeer, type Bed, type PeerName, type RunningPeer } from "./peers.ts";
import { cpuMicros, treeResidentBytes } from "./process-tree.ts";
import { ROWS, type RowName } from "./rows.ts";
import { runSockets } from "./sockets.ts";
import { LOAD_CORE, runWrk } from "./wrk.ts";

export interface Measurement {
  readonly peer: PeerName;
  readonly row: RowName;
  readonly round: number;
  readonly exchanges: number;
  readonly perSecond: number;
  readonly cpuMicrosPerExchange: number;
  /** What makes the figure doubtful: wrk's errors, lost idle connections. Empty when all was well. */
  readonly flaws: readonly string[];
  /** Row `idle` only: how much each idle connection added. */
  readonly bytesPerIdleConnection: number | null;
}

const STEADY_LOOK_MS = 500;
const STEADY_LOOKS = 3;
const STEADY_LOOKS_MAX = 40;
const STEADY_BYTES = 512 * 1024;
const IDLE_CLIENTS = fileURLToPath(new URL("idle-clients.ts", import.meta.url));

export async function measure(
  peer: RunningPeer,
  row: RowName,
  round: number,
  seconds: number,
  bed: Bed,
): Promise<Measurement> {
  const before = cpuMicros(peer.child.pid);
  const load = ROWS[row];
  const report =
    load.messages === true
      ? await runSockets(peer.port, load, seconds)
      : load.streams > 0
        ? await runH2load(peer.http2Port, load, seconds, bed.folder)
        : load.handshake !== undefined
          ? await runHandshakes(peer.tlsPort, load, seconds)
          : await runWrk(load.tls === true ? peer.tlsPort : peer.port, load, seconds, bed.folder);
  const spent = cpuMicros(peer.child.pid) - before;
  const flaws: string[] = [];
  if (report.socketErrors > 0) flaws.push(`${report.socketErrors} socket errors`);
  if (report.badStatuses > 0) flaws.push(`${report.badStatuses} responses not 2xx`);
  if (report.exchanges === 0) flaws.push("no exchange completed");
  return {
    peer: peer.name,
    row,
    round,
    exchanges: report.exchanges,
    perSecond: report.perSecond,
    cpuMicrosPerExchange: spent / Math.max(report.exchanges, 1),
    flaws,
    bytesPerIdleConnection: null,
  };
}

/**
 * The row with idle connections starts its peer anew and puts no load on it before: memory that an earlier load
 * or crowd left in the allocator would be used again and make each connection look cheaper than it is. So the
 * figure is an upper bound; it has the code in it that the first connections compile.
 */
export async function measureIdle(
  name: PeerName,
  round: number,
  seconds: number,
  count: number,
  bed: Bed,
): Promise<Measurement> {
  const peer = await startPeer(name, bed);
  try {
    const residentBefore = await steadyResidentBytes(peer.child.pid);
    const crowd = await startChild("taskset", [
      "-c",
      LOAD_CORE,
      process.execPath,
      IDLE_CLIENTS,
      String(peer.port),
      String(count),
    ]);
    try {
      await crowd.printed(/holding \d+/);
      const bytesPerIdleConnection = (treeResidentBytes(peer.child.pid) - residentBefore) / count;
      // Compiles code and fills pools; not counted.
      await runWrk(peer.port, ROWS.idle, 1, bed.folder);
      const measured = await measure(peer, "idle", round, seconds, bed);
      const lost = /lost (\d+)\s*$/.exec(crowd.stdout())?.[1];
      const flaws = lost === undefined ? measured.flaws : [...measured.flaws, `${lost} idle connections lost`];
      return { ...measured, flaws, bytesPerIdleConnection };
    } finally {
      await crowd.stop();
    }
  } finally {
    await peer.child.stop();
  }
}

/**
 * Once it has stopped growing: a peer listens before all of its processes have finished their start, and what those
 * still take must not be counted as the connections'.
 */
async function steadyResidentBytes(pid: number): Promise<number> {
  let last = treeResidentBytes(pid);
  for (let looks = 0, steady = 0; looks < STEADY_LOOKS_MAX && steady < STEADY_LOOKS; looks += 1) {
    await setTimeout(STEADY_LOOK_MS);
    const now = treeResidentBytes(pid);
    steady = Math.abs(now - last) < STEADY_BYTES ? steady + 1 : 0;
    last = now;
  }
  return last;
}
