/**
 * Does memory grow? Two million exchanges through Goodgate, of several kinds, and its resident memory every
 * hundred thousand once it is warm. The verdict is the slope over all samples, so that neither the height of
 * the saw-tooth nor the last sample decides. Exits 1 when memory grew.
 *
 * Arguments: [EXCHANGES] (default 2000000).
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { residentBytes } from "../test/support/child.ts";
import { until } from "../test/support/until.ts";
import { originPorts, startOrigin, startPeer, type Bed } from "./peers.ts";
import type { Row } from "./rows.ts";
import { slope } from "./statistics.ts";
import { withUndo } from "./undo.ts";
import { startWrk } from "./wrk.ts";

const EVERY = 100_000;
/** Rings, pools and the heap have reached their bounds by then. */
const WARM_UP = 300_000;
/** What the samples' noise may look like over the whole run. A leak of 8 bytes per exchange exceeds it. */
const GROWTH_MAX_BYTES = 16 * 1024 * 1024;
const HOUR_S = 3_600;

/** Reads and uploads, small and large, found and not found, kept and closed connections. */
const MIX: Row = {
  title: "mix",
  path: "/500",
  connections: 32,
  script: `local n = 0
local body = string.rep("x", 1024)
function request()
  n = n + 1
  if n % 50 == 0 then return wrk.format("GET", "/64k") end
  if n % 40 == 0 then return wrk.format("GET", "/missing-" .. n) end
  if n % 20 == 0 then return wrk.format("GET", "/500", { ["Connection"] = "close" }) end
  if n % 5 == 0 then return wrk.format("POST", "/post", {}, body) end
  return wrk.format("GET", "/500?n=" .. n)
end
`,
  fields: [],
  idle: false,
  streams: 0,
  mark: null,
};

function soak(target: number): Promise<boolean> {
  return withUndo(async (undo) => {
    const folder = await mkdtemp(join(tmpdir(), "goodgate-soak-"));
    undo(() => rm(folder, { recursive: true, force: true }));
    // nginx gives up root for its workers, and they must be able to read here.
    await chmod(folder, 0o755);
    await mkdir(join(folder, "www"));
    await writeFile(join(folder, "www/500"), "x".repeat(500));
    await writeFile(join(folder, "www/64k"), "x".repeat(65_536));
    const bed: Bed = { folder, ...(await originPorts()), accessLog: true };
    const origin = await startOrigin(bed);
    undo(() => origin.stop());
    const peer = await startPeer("goodgate", bed);
    undo(() => peer.child.stop());
    const load = await startWrk(peer.port, MIX, HOUR_S, folder);
    undo(() => load.stop());

    const samples: [number, number][] = [];
    for (let next = WARM_UP; next <= WARM_UP + target; next += EVERY) {
      const total = await reaches(peer.adminPort, next);
      // The control process fills its rings for weeks; its bounds are bench/control.ts's affair.
      const resident = residentBytes(peer.child.pid);
      samples.push([total, resident]);
      process.stdout.write(`${String(total).padStart(9)} exchanges  ${(resident / 1048576).toFixed(1)} MiB\n`);
    }
    const bytesPerExchange = slope(samples);
    const growth = bytesPerExchange * target;
    const grew = growth > GROWTH_MAX_BYTES;
    process.stdout.write(
      `${grew ? "memory GREW" : "memory did not grow"}: slope ${bytesPerExchange.toFixed(2)} bytes per exchange, ${(growth / 1048576).toFixed(1)} MiB over ${target} exchanges (bound ${GROWTH_MAX_BYTES / 1048576} MiB)\n`,
    );
    return !grew;
  });
}

/** Resolves with the number of exchanges once it is at least `count`. */
function reaches(adminPort: number, count: number): Promise<number> {
  return until(
    `${count} exchanges`,
    async () => {
      const answer = await fetch(`http://127.0.0.1:${adminPort}/api/v1/status`);
      const { exchangesTotal } = (await answer.json()) as { exchangesTotal: number };
      return exchangesTotal >= count ? exchangesTotal : null;
    },
    HOUR_S * 1_000,
  );
}

const target = Number(process.argv[2] ?? 2_000_000);
if (process.argv.length > 3 || !Number.isSafeInteger(target) || target < 5 * EVERY) {
  process.stderr.write(`usage: node bench/soak.ts [EXCHANGES]   at least ${5 * EVERY}, 2000000 when not said\n`);
  process.exitCode = 2;
} else process.exitCode = (await soak(target)) ? 0 : 1;
