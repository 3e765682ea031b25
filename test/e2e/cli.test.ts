/**
 * The command as a shell starts it: `node bin/goodgate.js`, by the Node that is bundled and by an older one
 * where the machine has it. What the commands say is tested beside them; here it is exit codes, signals,
 * streams and how the right Node is found.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { StatusResponse } from "../../src/contract/api-responses.ts";
import { EXIT } from "../../src/cli/exit-codes.ts";
import { startChild } from "../support/child.ts";
import type { Child } from "../support/child.ts";
import { until } from "../support/until.ts";

const BIN = fileURLToPath(new URL("../../bin/goodgate.js", import.meta.url));
/** Colour would come with the test runner's own environment. */
const PLAIN = { FORCE_COLOR: "0", npm_lifecycle_event: "" };

let folder = "";
const children: Child[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "goodgate-cli-"));
});
afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop()));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Started {
  node?: string;
  bin?: string;
  env?: Record<string, string>;
}

async function start(
  args: readonly string[],
  { node = process.execPath, bin = BIN, env = {} }: Started = {},
): Promise<Child> {
  const child = await startChild(node, [bin, ...args], { cwd: folder, env: { ...PLAIN, ...env } });
  children.push(child);
  return child;
}

async function run(
  args: readonly string[],
  started: Started = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = await start(args, started);
  const { code } = await child.ending;
  return { code, out: child.stdout(), err: child.stderr() };
}

interface Serving {
  readonly child: Child;
  readonly url: string;
  readonly admin: string;
}

/** The gateway in front of its sample origins, on ports of the system's choice. */
async function serve(
  started: Started = {},
  args: readonly string[] = ["--bind", "127.0.0.1:0", "--admin", "127.0.0.1:0"],
): Promise<Serving> {
  const child = await start(["run", "--json", ...args], started);
  const [, line = ""] = await child.printed(/^(\{"started".*\})$/m);
  const told = JSON.parse(line) as { started: { listeners: { port: number }[]; admin: { port: number } } };
  return {
    child,
    url: `http://127.0.0.1:${told.started.listeners[0]?.port ?? 0}`,
    admin: `http://127.0.0.1:${told.started.admin.port}`,
  };
}

function oneUnderWay(admin: string): Promise<true> {
  return until("an exchange to be under way", async () => {
    const status = (await (await fetch(`${admin}/api/v1/status`)).json()) as StatusResponse;
    return status.exchangesActive === 1 ? true : null;
  });
}

/** A Node on the path that is too old to run the program, as most machines have one. */
function olderNode(): string | null {
  for (const place of (process.env["PATH"] ?? "").split(delimiter)) {
    try {
      const node = join(place, "node");
      const version = execFileSync(node, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      if (Number(/^v(\d+)/.exec(version)?.[1] ?? 99) < 24) return node;
    } catch {
      // No Node there.
    }
  }
  return null;
}

const OLDER = olderNode();

test("What is longer than a pipe has room for comes whole to a reader that takes its time", async () => {
  const incidents = Array.from({ length: 500 }, (_, index) => ({ id: `inc-${index}`, title: "x".repeat(1_000) }));
  const admin = createHttpServer((_, answer) => {
    answer.setHeader("content-type", "application/json");
    answer.end(JSON.stringify({ incidents }));
  });
  await new Promise<void>((resolve) => admin.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = admin.address() as AddressInfo;
    const script = '"$NODE" "$BIN" incidents --json --admin "$ADMIN" | (sleep 3; cat)';
    const env = { ...PLAIN, NODE: process.execPath, BIN, ADMIN: `http://127.0.0.1:${port}` };
    const child = await startChild("bash", ["-c", script], { cwd: folder, env });
    children.push(child);
    await child.ending;
    const told = JSON.parse(child.stdout()) as { incidents: unknown[] };
    expect(told.incidents).toHaveLength(500);
  } finally {
    admin.close();
  }
});

describe("exit codes", () => {
  test("0 for a version and help", async () => {
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as {
      version: string;
    };
    expect(await run(["--version"])).toEqual({ code: EXIT.ok, out: `${version}\n`, err: "" });
    expect((await run(["--help"])).code).toBe(EXIT.ok);
  });

  test("1 for a file with problems", async () => {
    await writeFile(join(folder, "broken.yaml"), "servicse: {}\n");
    const { code, err } = await run(["check", "broken.yaml"]);
    expect(code).toBe(EXIT.no);
    expect(err).toMatch(/^broken\.yaml:1:1 {2}/m);
  });

  test("2 for a command that does not exist", async () => {
    expect(await run(["statsu"])).toMatchObject({ code: EXIT.usage, out: "" });
  });

  test("3 when no gateway answers", async () => {
    expect(await run(["status", "--admin", "http://127.0.0.1:1"])).toMatchObject({ code: EXIT.unreachable, out: "" });
  });

  test("4 when the port is taken, with its number in the message", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    try {
      const { code, err } = await run(["--bind", `127.0.0.1:${port}`, "--admin", "127.0.0.1:0"]);
      expect(code).toBe(EXIT.cannotStart);
      expect(err).toMatch(new RegExp(`^goodgate: 127\\.0\\.0\\.1:${port} is already in use\\.`));
      const admin = await run(["--bind", "127.0.0.1:0", "--admin", `127.0.0.1:${port}`]);
      expect(admin.code).toBe(EXIT.cannotStart);
      expect(admin.err).toContain("--admin 127.0.0.1:");
    } finally {
      other.close();
    }
  });
});

describe("streams", () => {
  test("a pipe has no colour, unless FORCE_COLOR asks for it", async () => {
    expect((await run(["explain", "origin.refused"])).out).not.toContain("\u001b");
    expect((await run(["explain", "origin.refused"], { env: { FORCE_COLOR: "1" } })).out).toContain("\u001b[1m");
  });

  test.runIf(existsSync("/usr/bin/script"))("a terminal has colour, and NO_COLOR takes it away", async () => {
    const inTerminal = async (env: string): Promise<string> => {
      const command = `env -u FORCE_COLOR -u CI ${env} TERM=xterm-256color "${process.execPath}" "${BIN}" explain origin.refused`;
      const child = await startChild("/usr/bin/script", ["-qec", command, "/dev/null"], { cwd: folder });
      await child.ending;
      return child.stdout();
    };
    expect(await inTerminal("-u NO_COLOR")).toContain("\u001b[1morigin.refused");
    expect(await inTerminal("NO_COLOR=1")).not.toContain("\u001b");
  });

  test("a reader that leaves early is no fault", async () => {
    const child = await startChild(
      "bash",
      ["-c", `set -o pipefail; "${process.execPath}" "${BIN}" explain origin.refused | true`],
      { env: PLAIN },
    );
    const { code } = await child.ending;
    expect(code).toBe(EXIT.ok);
    expect(child.stderr()).toBe("");
  });
});

describe("which Node runs it", () => {
  test.runIf(OLDER !== null)(
    "an older one starts the bundled one and keeps arguments, streams and exit code",
    async () => {
      const node = OLDER ?? "";
      expect(await run(["statsu"], { node })).toMatchObject({ code: EXIT.usage, out: "" });
      expect((await run(["explain", "origin.refused", "--json"], { node })).out).toContain('"id": "origin.refused"');
    },
  );

  test.runIf(OLDER !== null)("signals reach the gateway through it", async () => {
    const { child, url } = await serve({ node: OLDER ?? "" });
    expect((await fetch(url)).status).toBe(200);
    child.signal("SIGTERM");
    expect(await child.ending).toEqual({ code: EXIT.ok, signal: null });
  });

  test.runIf(OLDER !== null)("without a bundled one it says what to install", async () => {
    const lonely = join(folder, "lonely", "bin");
    await mkdir(lonely, { recursive: true });
    await writeFile(join(lonely, "..", "package.json"), '{ "type": "module" }');
    await copyFile(BIN, join(lonely, "goodgate.js"));
    const { code, err } = await run(["--version"], { node: OLDER ?? "", bin: join(lonely, "goodgate.js") });
    expect(code).toBe(EXIT.cannotStart);
    expect(err).toMatch(/^goodgate: needs Node 24\.15 or newer; this is \d+\./);
    expect(err).toContain("https://nodejs.org/en/download");
  });

  test("a symlink to it works from anywhere, as npm link and npx make one", async () => {
    const link = join(folder, "goodgate");
    await symlink(BIN, link);
    for (const node of OLDER === null ? [process.execPath] : [process.execPath, OLDER]) {
      expect((await run(["--version"], { node, bin: link })).code).toBe(EXIT.ok);
    }
  });
});

describe("the life of a gateway", () => {
  test("starts in front of its sample origins, serves, and answers the other commands", async () => {
    const { url, admin } = await serve();
    expect((await fetch(url)).status).toBe(200);
    expect((await fetch(`${url}/crash`)).status).toBe(502);
    const env = { GOODGATE_ADMIN: admin };
    expect((await run(["explain", "--last"], { env })).out).toMatch(/^GET .*\/crash failed after /);
    const status = await run(["status"], { env });
    expect(status).toMatchObject({ code: EXIT.ok, err: "" });
    expect(status.out).toContain("service sample");
    expect((await run(["explain", "0000"], { env })).code).toBe(EXIT.no);
  });

  test("status --watch asks until Ctrl-C and ends with 0", async () => {
    const { admin } = await serve();
    const watching = await start(["status", "--watch", "--admin", admin]);
    await watching.printed(/service sample[^]*service sample/);
    watching.signal("SIGINT");
    expect(await watching.ending).toEqual({ code: EXIT.ok, signal: null });
  });

  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s drains and ends it with 0", async (signal) => {
    const { child } = await serve();
    child.signal(signal);
    expect(await child.ending).toEqual({ code: EXIT.ok, signal: null });
    expect(child.stdout()).toContain(`"code":"stopping","detail":"${signal}: `);
  });

  test("a signal lets what is under way finish; a second one, later, ends it at once", async () => {
    const { child, url, admin } = await serve();
    const slow = fetch(`${url}/slow?ms=1000`);
    await oneUnderWay(admin);
    child.signal("SIGTERM");
    expect((await slow).status).toBe(200);
    expect(await child.ending).toEqual({ code: EXIT.ok, signal: null });

    const second = await serve();
    const unfinished = fetch(`${second.url}/slow?ms=60000`).then(({ status }) => status);
    await oneUnderWay(second.admin);
    const stream = await fetch(`${second.admin}/api/v1/events?kind=gateway`);
    second.child.signal("SIGTERM");
    // What the process itself sees was told on the terminal alone, and to nobody who watches.
    let told = "";
    for await (const piece of stream.body ?? []) {
      told += Buffer.from(piece).toString("latin1");
      if (told.includes('"code":"stopping"')) break;
    }
    expect(told).toContain('"code":"stopping"');
    await second.child.printed(/"code":"stopping"/);
    // Signals within half a second are one; the second is sent until it counts.
    await until("the end", () => {
      second.child.signal("SIGTERM");
      return second.child.running ? null : true;
    });
    expect(await second.child.ending).toEqual({ code: 128 + 15, signal: null });
    // Nothing of a response had begun, so there was time for a word.
    expect(await unfinished).toBe(503);
  });

  test("takes no more client connections than its descriptors allow, and says so", async () => {
    const command = `ulimit -n 264; exec "${process.execPath}" "${BIN}" run --json --bind 127.0.0.1:0 --admin 127.0.0.1:0`;
    const child = await startChild("bash", ["-c", command], { cwd: folder, env: PLAIN });
    children.push(child);
    const [, detail] = await child.printed(/"code":"limits\.connections\.lowered","detail":"([^"]*)"/);
    expect(detail).toBe("264 descriptors allow 100 client connections, not 10000; goodgate doctor tells more");
  });

  test("SIGUSR1 opens the access log again after a rotation, and no debugger", async () => {
    const log = join(folder, "access.log");
    const file = {
      listeners: [{ bind: "127.0.0.1:0" }],
      admin: { bind: "127.0.0.1:0" },
      accessLog: log,
      services: { main: { health: false, pools: [{ name: "only", origins: ["http://127.0.0.1:1"] }] } },
    };
    await writeFile(join(folder, "log.yaml"), JSON.stringify(file));
    const { child, url } = await serve({}, ["-c", "log.yaml"]);
    await fetch(`${url}/before`);
    await until("the first line", async () => ((await readFile(log, "utf8")).includes("/before") ? true : null));
    await rename(log, `${log}.1`);
    child.signal("SIGUSR1");
    await until("the new file", () => readFile(log, "utf8").catch(() => null));
    await fetch(`${url}/after`);
    await until("the line in the new file", async () =>
      (await readFile(log, "utf8")).includes("/after") ? true : null,
    );
    expect(await readFile(`${log}.1`, "utf8")).not.toContain("/after");
    expect(child.stderr()).not.toContain("Debugger");
  });

  test("an uncaught exception is printed and serving goes on; ten within a minute end it with 70", async () => {
    // Two files of which only the being there counts: what is written into one could be taken away while it is written.
    const [once, always] = [join(folder, "throw-once"), join(folder, "throw-always")];
    const preload = `import fs from "node:fs"; setInterval(() => { if (process.listenerCount("uncaughtException") === 0) return; const once = fs.existsSync(${JSON.stringify(once)}); if (once) fs.rmSync(${JSON.stringify(once)}); if (once || fs.existsSync(${JSON.stringify(always)})) throw new Error("induced"); }, 20).unref();`;
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` };
    const { child, url } = await serve({ env });
    await writeFile(once, "");
    await child.printed(/a fault in Goodgate itself \(gw\.internal\); serving goes on:\nError: induced/);
    expect((await fetch(url)).status).toBe(200);
    await writeFile(always, "");
    expect(await child.ending).toEqual({ code: EXIT.internal, signal: null });
    await rm(always, { force: true });
  });
});
