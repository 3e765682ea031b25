/**
 * `npm run bench -- policies`: what each policy costs when it is switched on, as CPU per exchange beside Goodgate with
 * its defaults in the same round. All variants run at once and one has work, as in the table beside other proxies.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startChild, type Child } from "../test/support/child.ts";
import { freePort } from "../test/support/free-port.ts";
import { answers } from "./answers.ts";
import type { Bed } from "./peers.ts";
import { cpuMicros } from "./process-tree.ts";
import { insertReport } from "./report.ts";
import { ROWS, type Row } from "./rows.ts";
import { median } from "../src/kernel/median.ts";
import type { Undo } from "./undo.ts";
import { runWrk } from "./wrk.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PAGE = join(ROOT, "docs/survival.md");

interface Variant {
  readonly title: string;
  readonly service?: Readonly<Record<string, unknown>>;
  readonly route?: Readonly<Record<string, unknown>>;
  /** Another path or script than the small GET. */
  readonly row?: Partial<Row>;
  /** The variant that it is compared with; default `defaults`. */
  readonly beside?: string;
}

const KEYED_POST = `wrk.method = "POST"
wrk.body = string.rep("x", 1024)
local number = 0
local run = tostring(os.time())
request = function()
  number = number + 1
  wrk.headers["Idempotency-Key"] = '"' .. run .. "-" .. number .. '"'
  return wrk.format()
end
`;

const VARIANTS: Readonly<Record<string, Variant>> = {
  defaults: { title: "defaults" },
  bare: {
    title: "everything that can be off is off",
    service: {
      health: false,
      ejection: false,
      retry: false,
      hedge: false,
      breaker: false,
      poison: false,
      overload: false,
    },
    route: { resume: false, cache: false, idempotencyKey: "off" },
  },
  "rate limit": { title: "rate limit by client address", route: { rateLimit: { rate: "1000000/s", per: "client" } } },
  deadline: { title: "deadline of the route", route: { deadline: "5s" } },
  bulkhead: { title: "class and bulkhead", route: { class: "critical", concurrency: 1000 } },
  "no overload": { title: "without the adaptive limit", service: { overload: false } },
  "no hedge": { title: "without hedging", service: { hedge: false } },
  "last good": { title: "a response that is kept as the last good copy", row: { path: "/cached/500" } },
  hit: { title: "cache: true, a hit", route: { cache: true }, row: { path: "/cached/500" } },
  post: { title: "POST 1 KiB, defaults", row: ROWS.post },
  keyed: { title: "POST 1 KiB with an Idempotency-Key", row: { ...ROWS.post, script: KEYED_POST }, beside: "post" },
};

const USAGE = `npm run bench -- policies [options]

  --only a,b   of: ${Object.keys(VARIANTS).join(", ")}
  --rounds N   interleaved over the variants (default 5)
  --seconds N  of load for each variant and round (default 3)
  --write      put the table into docs/survival.md
`;

export async function runPolicies(args: readonly string[], bed: Bed, undo: Undo): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "3" },
      write: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const names = values.only?.split(",") ?? Object.keys(VARIANTS);
  const running = new Map<string, { readonly child: Child; readonly port: number; readonly row: Row }>();
  for (const name of names) {
    const variant = VARIANTS[name];
    if (variant === undefined) throw new Error(`--only: no ${name}; known: ${Object.keys(VARIANTS).join(", ")}`);
    const started = await start(name, variant, bed);
    undo(() => started.child.stop());
    running.set(name, { ...started, row: { ...ROWS.small, ...variant.row } });
  }
  const micros = new Map<string, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= Number(values.rounds); round += 1) {
    for (const [name, { child, port, row }] of running) {
      const before = cpuMicros(child.pid);
      const report = await runWrk(port, row, round === 0 ? 1 : Number(values.seconds), bed.folder);
      const each = (cpuMicros(child.pid) - before) / Math.max(1, report.exchanges);
      await quiet(child.pid);
      if (report.badStatuses + report.socketErrors > 0)
        throw new Error(`${name}: ${report.badStatuses} refused, ${report.socketErrors} socket errors`);
      // Round 0 compiles code and fills pools; it is not counted.
      if (round > 0) micros.get(name)?.push(each);
      process.stderr.write(`round ${round} ${name}: ${each.toFixed(1)} µs\n`);
    }
  }
  const table = render(names, micros, `npm run bench -- policies ${args.join(" ")}`.trim());
  process.stdout.write(`\n${table}`);
  if (values.write) await writeFile(PAGE, insertReport(await readFile(PAGE, "utf8"), table, "policies"));
}

/** What is still written to disk behind the last answer must not be done beside the next variant. */
async function quiet(pid: number): Promise<void> {
  const look = { everyMs: 200, busyMicros: 20_000 };
  let before = cpuMicros(pid);
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, look.everyMs));
    const now = cpuMicros(pid);
    if (now - before < look.busyMicros) return;
    before = now;
  }
}

function render(names: readonly string[], micros: ReadonlyMap<string, readonly number[]>, command: string): string {
  const lines = [`Command: \`${command}\``, "", "| what | µs | beside | × |", "|---|--:|---|--:|"];
  for (const name of names) {
    const variant = VARIANTS[name];
    const mine = micros.get(name) ?? [];
    const besideName = variant?.beside ?? "defaults";
    const theirs = micros.get(besideName) ?? [];
    const ratio = median(mine.map((value, round) => value / (theirs[round] ?? Number.NaN)));
    const beside = besideName === name ? "" : (VARIANTS[besideName]?.title ?? "");
    const times = besideName === name ? "" : `${ratio.toFixed(2)}×`;
    lines.push(`| ${variant?.title ?? name} | ${median(mine).toFixed(1)} | ${beside} | ${times} |`);
  }
  return `${lines.join("\n")}\n`;
}

async function start(name: string, variant: Variant, bed: Bed): Promise<{ child: Child; port: number }> {
  const port = await freePort();
  const slug = name.replaceAll(" ", "-");
  const config = {
    listeners: [{ bind: `127.0.0.1:${port}` }],
    admin: { bind: `127.0.0.1:${await freePort()}` },
    accessLog: join(bed.folder, `${slug}.access.log`),
    state: join(bed.folder, `${slug}.state`),
    services: {
      bench: {
        pools: [{ name: "only", origins: bed.originPorts.map((origin) => `http://127.0.0.1:${origin}`) }],
        health: { path: "/healthz" },
        ...variant.service,
        routes: [{ name: "all", match: { path: "/*" }, ...variant.route }],
      },
    },
  };
  const file = join(bed.folder, `${slug}.json`);
  await writeFile(file, JSON.stringify(config));
  const program = [process.execPath, join(ROOT, "bin/goodgate.js"), "run", "-c", file];
  const child = await startChild("taskset", ["-c", "0", ...program], { cwd: bed.folder });
  await answers(child, port);
  return { child, port };
}
