/**
 * Is anything lost while the configuration changes? Two hundred changes, one about every 100 ms, under two thousand
 * requests a second: routes, origins, weights, pools, limits, checks, the log, the cache, a second listener, and the
 * certificate of a third. The same load without changes goes before and after it, in the same run: what a machine that
 * is too busy loses anyway is lost there too. Exits 1 when the changes lost something and the time beside them did not.
 *
 * Clients and origins are lean processes of their own (steady-clients.ts, steady-origin.ts), because a machine with two
 * cores has to carry them as well.
 *
 * Arguments: [CHANGES] (default 200) [RATE] (default 2000) [WORKERS] (default 1).
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testAuthority } from "../test/support/certificates.ts";
import { causesIn, faultsIn, fileFor } from "../test/support/changes-under-load.ts";
import { residentBytes, startChild } from "../test/support/child.ts";
import { freePort } from "../test/support/free-port.ts";
import { startGateway } from "../test/support/gateway-process.ts";

const CLIENTS = fileURLToPath(new URL("steady-clients.ts", import.meta.url));
const ORIGIN = fileURLToPath(new URL("steady-origin.ts", import.meta.url));
const EVERY_MS = 100;
const CONTROL_MS = 5_000;
const MANY = 30_000;
/** What the process may grow by, from a quarter of the way to the end. A gateway kept for each change exceeds it. */
const GROWTH_MAX_BYTES = 64 * 1024 * 1024;

interface Phase {
  readonly sent: number;
  readonly answered: number;
  readonly lateMaxMs: number;
  readonly lost: Readonly<Record<string, number>>;
}

const [changes = 200, rate = 2_000, workers = 1] = process.argv.slice(2).map(Number);
const origin = await startChild(process.execPath, [ORIGIN]);
const urls = ((await origin.printed(/ports (.*)/))[1] ?? "").split(" ").map((port) => `http://127.0.0.1:${port}`);
const gateway = await startGateway({ workers, services: { app: { pools: [{ name: "main", origins: urls }] } } });
const ports = { listener: gateway.port, second: await freePort(), admin: Number(new URL(gateway.adminUrl).port) };
const tlsPort = await freePort();
const authority = await testAuthority();
const pairs = await Promise.all(
  ["one", "two"].map(async (name) => {
    const { cert, key } = await authority.server(["localhost"]);
    const [certFile, keyFile] = [join(gateway.folder, `${name}.pem`), join(gateway.folder, `${name}.key`)];
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
    return { cert: certFile, key: keyFile };
  }),
);
const refused: string[] = [];
await change(1);
const clients = spawn(process.execPath, [CLIENTS, String(gateway.port), String(tlsPort), String(rate)], {
  stdio: ["pipe", "pipe", "inherit"],
});
let printed = "";
clients.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
const clientsEnded = new Promise((resolve) => clients.once("close", resolve));
const begin = (phase: string): void => void clients.stdin.write(`${phase}\n`);

begin("warming up");
await pause(2_000);
begin("before");
await pause(CONTROL_MS);
begin("changes");
const begunAt = performance.now();
let early = 0;
for (let turn = 2; turn <= changes + 1; turn += 1) {
  const nextAt = performance.now() + EVERY_MS;
  await change(turn);
  if (turn === Math.ceil(changes / 4)) early = residentBytes(gateway.child.pid);
  await pause(nextAt - performance.now());
}
const tookMs = performance.now() - begunAt;
const late = residentBytes(gateway.child.pid);
begin("after");
await pause(CONTROL_MS);
clients.stdin.end("end\n");
await clientsEnded;
const phases = JSON.parse(printed) as Record<string, Phase>;
const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
const turnedAway = /^goodgate_connections_turned_away_total (\d+)$/m.exec(metrics)?.[1] ?? "unknown";
const { configuration } = await gateway.status();
const faults = faultsIn(gateway.child.stderr());
await gateway.stop();
await origin.stop();

const lostBeside = lostIn("before") + lostIn("after");
const isGrown = late - early > GROWTH_MAX_BYTES;
process.stdout.write(
  [
    `${(configuration?.revision.number ?? 0) - 2} of ${changes} changes took effect in ${(tookMs / 1000).toFixed(1)} s; ${refused.length} were refused`,
    ...["before", "changes", "after"].map((name) => phaseLine(name, name === "changes" ? tookMs : CONTROL_MS)),
    `causes ${said(causesIn(metrics))}; connections turned away ${turnedAway}`,
    `resident ${mib(early)} after a quarter, ${mib(late)} at the end`,
    ...refused.slice(0, 3),
    faults,
    "",
  ].join("\n"),
);
const isLost = lostIn("changes") > 0 && lostBeside === 0;
process.exit(isLost || refused.length > 0 || isGrown || faults !== "" ? 1 : 0);

async function change(turn: number): Promise<void> {
  const file = fileFor(turn, urls, ports, workers);
  const listeners = file["listeners"] as object[];
  const secure = { bind: `127.0.0.1:${tlsPort}`, tls: { certificates: [pairs[turn % pairs.length]] } };
  // All clients have one address, and a machine that stands still has them pile up.
  const limits = { ...(file["limits"] as object), connections: MANY + (turn % 7), connectionsPerClient: MANY };
  const body = JSON.stringify({ ...file, limits, listeners: [...listeners, secure] });
  const answer = await fetch(`${gateway.adminUrl}/api/v1/config?reason=turn%20${turn}`, {
    method: "POST",
    headers: { "content-type": "application/yaml" },
    body,
  });
  if (answer.status !== 200) refused.push(`${turn}: ${await answer.text()}`);
  else await answer.body?.cancel();
}

function phaseLine(name: string, ms: number): string {
  const { sent = 0, lost = {}, lateMaxMs = 0 } = phases[name] ?? {};
  return `${name}: ${sent} requests, ${Math.round((sent * 1000) / ms)} a second, slowest ${lateMaxMs} ms, ${lostIn(name)} lost ${said(lost)}`;
}

function lostIn(name: string): number {
  const { sent = 0, answered = 0 } = phases[name] ?? {};
  return sent - answered;
}

function said(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .map(([what, times]) => `${what}: ${times}`)
    .join(", ");
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}
