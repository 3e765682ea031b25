/**
 * `goodgate run` and `goodgate proxy`: find the settings, start, say what runs where, stay until stopped.
 *
 * `run` reads the file given with -c, else ./goodgate.yaml, else it fronts the bundled sample origins, so
 * that one command shows a working gateway. The ports of that default are fixed: a port that is taken is
 * said, never silently replaced by another that a person would then have to guess.
 */
import { UNIX, isUnix } from "../kernel/ip-text.ts";
import { settingsForOrigins } from "../config/defaults.ts";
import { loadSettings } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import type { Complaint } from "./context.ts";
import { complain, sayJson } from "./context.ts";
import type { Revision } from "../contract/revision.ts";
import { cannotMake, devDirectory } from "./certificate-command.ts";
import { CONFIG_FILE, loadFile, SAMPLE_BIND } from "./config-file.ts";
import { eventLine } from "./event-line.ts";
import { adminBase } from "./gateway-client.ts";
import { EXIT } from "./exit-codes.ts";
import { plain } from "./page.ts";
import { problemLines } from "./problem-lines.ts";
import type { CliPorts, RunningGateway, StartResult } from "./ports.ts";
import type { StartedFrom } from "./start-lines.ts";
import { startLines, successorLine, urlOf } from "./start-lines.ts";

export interface RunOptions {
  readonly config?: string;
  readonly bind?: string;
  readonly admin?: string;
  readonly json?: boolean;
}

export interface ProxyOptions {
  readonly to?: readonly string[];
  readonly bind?: string;
  readonly admin?: string;
  readonly tls?: boolean;
  readonly json?: boolean;
}

export async function runCommand(ports: CliPorts, options: RunOptions): Promise<number> {
  const json = options.json === true;
  const file = options.config ?? ((await exists(ports, CONFIG_FILE)) ? CONFIG_FILE : undefined);
  if (file === undefined) return runSamples(ports, options, json);
  if (options.bind !== undefined || options.admin !== undefined) {
    return complain(
      ports,
      {
        code: "usage",
        exit: EXIT.usage,
        message: `--bind and --admin are for the start without a file; ${plain(file)} says where to listen.`,
        hints: ["Change listeners and admin.bind in the file."],
      },
      json,
    );
  }
  const left = leftSettings(ports, json);
  if (left !== null)
    return left.ok ? serve(ports, left.settings, { kind: "file", file }, json, left.revision) : left.exit;
  const loaded = await loadFile(ports, file, json);
  if (!loaded.ok) return loaded.exit;
  return serve(ports, loaded.settings, { kind: "file", file }, json);
}

export async function proxyCommand(ports: CliPorts, options: ProxyOptions): Promise<number> {
  const json = options.json === true;
  const left = leftSettings(ports, json);
  if (left !== null) return left.ok ? serve(ports, left.settings, { kind: "proxy" }, json, left.revision) : left.exit;
  const { bind, admin } = options;
  const tls = options.tls === true ? await ports.makeDevCertificate(devDirectory(ports.env), []) : null;
  if (tls?.ok === false) return complain(ports, cannotMake(tls), json);
  const made = settingsForOrigins(options.to ?? [], {
    ...(bind === undefined ? {} : { bind }),
    ...(admin === undefined ? {} : { admin }),
    ...(tls === null ? {} : { tls: { cert: tls.cert, key: tls.key } }),
  });
  if (!made.ok) {
    const hints = made.problems.map(
      (problem) => `${problem.path}: ${problem.message}${problem.hint === "" ? "" : ` ${problem.hint}`}`,
    );
    return complain(
      ports,
      {
        code: "usage",
        exit: EXIT.usage,
        message: "the command line does not make a gateway:",
        hints: hints.map(plain),
      },
      json,
    );
  }
  return serve(ports, made.settings, { kind: "proxy" }, json);
}

export async function runSamples(ports: CliPorts, options: RunOptions, json: boolean): Promise<number> {
  const samples = await ports.startSamples();
  try {
    // The embedded default is a configuration like any other and takes the same way through the loader.
    const text = JSON.stringify({
      listeners: [{ bind: options.bind ?? SAMPLE_BIND }],
      admin: { bind: options.admin ?? "127.0.0.1:9090" },
      services: { sample: { pools: samples.pools.map((pool) => ({ name: pool.name, origins: pool.urls })) } },
    });
    const loaded = loadSettings(text, "the embedded default");
    if (!loaded.ok) {
      // Only --bind and --admin come from outside, so only they can be wrong.
      const hints = loaded.problems.map((problem) => problem.message);
      return complain(
        ports,
        { code: "usage", exit: EXIT.usage, message: "the command line does not make a gateway:", hints },
        json,
      );
    }
    return await serve(ports, loaded.settings, { kind: "samples", samples }, json);
  } finally {
    await samples.close();
  }
}

type Left =
  | { readonly ok: true; readonly settings: Settings; readonly revision: Revision }
  | { readonly ok: false; readonly exit: number };

/** What a predecessor was given holds, whatever the command line says. Null: it was given nothing. */
function leftSettings(ports: CliPorts, json: boolean): Left | null {
  const left = ports.configurationLeft();
  if (left === null) return null;
  const loaded = loadSettings(left.text, left.file);
  if (loaded.ok) return { ok: true, settings: loaded.settings, revision: left.revision };
  if (json) sayJson(ports, { ok: false, file: left.file, problems: loaded.problems });
  else ports.stderr(`${problemLines(loaded.problems, left.text, ports.errorTerminal).join("\n")}\n`);
  return { ok: false, exit: EXIT.no };
}

async function serve(
  ports: CliPorts,
  settings: Settings,
  from: StartedFrom,
  json: boolean,
  revision?: Revision,
): Promise<number> {
  const samples = from.kind === "samples" ? from.samples : undefined;
  const started = await ports.startGateway(settings, {
    ...(from.kind === "file" ? { file: from.file } : {}),
    ...(samples === undefined ? {} : { samples }),
    ...(revision === undefined ? {} : { revision }),
  });
  if (!started.ok) return complain(ports, await cannotStart(ports, settings, started, from), json);
  const [listener] = started.gateway.listeners;
  if (listener !== undefined) samples?.visit(urlOf(listener));
  sayStarted(ports, settings, started.gateway, from, json);
  started.gateway.onEvent((event) => {
    if (event.kind === "exchange") return;
    if (json) ports.stdout(`${JSON.stringify({ event })}\n`);
    else ports.stderr(`${eventLine(event, ports.errorTerminal)}\n`);
  });
  return started.gateway.stopped;
}

function sayStarted(
  ports: CliPorts,
  settings: Settings,
  gateway: RunningGateway,
  from: StartedFrom,
  json: boolean,
): void {
  if (json) {
    const services = settings.services.map((service) => ({
      name: service.name,
      hosts: service.hosts,
      pools: service.pools,
    }));
    // One line, because the events that follow are lines too.
    const started = { version: ports.version, listeners: gateway.listeners, admin: gateway.admin, services };
    ports.stdout(`${JSON.stringify({ started })}\n`);
    return;
  }
  // Whoever looks has read what the first one said.
  const lines = ports.isSuccessor ? [successorLine(from, ports)] : startLines(settings, gateway, from, ports);
  const text = `${lines.join("\n")}\n`;
  // The access log owns stdout where it was sent there: a program may be reading its lines.
  if (settings.accessLog?.path === "stdout") ports.stderr(text);
  else ports.stdout(text);
}

async function exists(ports: CliPorts, file: string): Promise<boolean> {
  const read = await ports.readFile(file);
  // A file that is there but cannot be read must not be passed over in favour of the sample origins.
  return read.ok || read.code !== "ENOENT";
}

async function cannotStart(
  ports: CliPorts,
  settings: Settings,
  failure: Extract<StartResult, { ok: false }>,
  from: StartedFrom,
): Promise<Complaint> {
  const where = plain(failure.where);
  const made = (message: string, hints: readonly string[]): Complaint => ({
    code: `cannot-start-${failure.code.toLowerCase()}`,
    exit: EXIT.cannotStart,
    message,
    hints,
  });
  if (failure.what === "access log") {
    return made(`the access log ${where} cannot be opened (${failure.code}).`, [
      "Make its folder writable for this user, or choose another path under accessLog.",
    ]);
  }
  if (failure.what === "state directory") {
    return {
      code: "cannot-start-state",
      exit: EXIT.cannotStart,
      message: `a route requires Idempotency-Key, and there is no place to keep keys: ${plain(failure.code)}.`,
      hints: [
        where === ""
          ? "Name a directory for it under state."
          : `Make ${where} a directory that this user may write and no other gateway uses, or name another one under state.`,
      ],
    };
  }
  if (failure.what === "fallback") {
    return made(`the file ${where} of a route's fallback cannot be read (${failure.code}).`, [
      failure.code === "EFBIG"
        ? "A fallback has at most 1 MiB."
        : "Make it readable for this user, or write its content as `body`.",
    ]);
  }
  if (failure.what === "worker") {
    return made(`a worker ended before it served (${plain(failure.code)}).`, [
      "What it said stands above. To see it alone, set  workers: 1.",
    ]);
  }
  if (failure.what === "certificate") {
    const hints = failure.hint === undefined || failure.hint === "" ? [] : [plain(failure.hint)];
    return { ...made(`${where} ${plain(failure.code)}.`, hints), code: "cannot-start-certificate" };
  }
  const port = where.slice(where.lastIndexOf(":") + 1);
  const elsewhere = otherAddress(failure, from, where);
  switch (failure.code) {
    case "EADDRINUSE":
      return made(`${where} is already in use.`, [
        ...(await runningAlready(ports, settings)),
        isUnix(failure.where)
          ? `See which process holds it:  ss -lxp src ${failure.where.slice(UNIX.length)}`
          : `See which process holds it:  ss -ltnp 'sport = :${port}'`,
        `Stop that process, or ${elsewhere}`,
      ]);
    case "EACCES":
      return made(`this user may not listen on ${where}.`, [
        `Ports below 1024 need a privilege. Grant it once:  sudo setcap cap_net_bind_service=+ep "$(readlink -f "$(command -v node)")"`,
        `Or ${elsewhere}`,
      ]);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return made(`${where} is not an address of this machine (${failure.code}).`, [
        "List the machine's addresses:  ip -brief address",
        `0.0.0.0:${port} listens on all of them. To change it, ${elsewhere}`,
      ]);
    default:
      return made(`cannot listen on ${where} (${failure.code}).`, [`To listen elsewhere, ${elsewhere}`]);
  }
}

function otherAddress(failure: Extract<StartResult, { ok: false }>, from: StartedFrom, where: string): string {
  if (from.kind === "file") {
    return `change ${failure.what === "admin" ? "admin.bind" : "the listener's bind"} in ${plain(from.file)}.`;
  }
  const option = failure.what === "admin" ? "--admin" : "--bind";
  if (isUnix(where)) return `choose another path with  ${option} ${where}.2`;
  const port = Number(where.slice(where.lastIndexOf(":") + 1));
  const host = where.slice(0, where.lastIndexOf(":"));
  const other = port > 0 && port < 1024 ? port + 8000 : Math.min(65535, port + 1);
  return `choose another address with  ${option} ${host}:${other}`;
}

/** Whatever holds the port instead may never answer, and this is only a courtesy. */
const ALREADY_MS = 500;

/** The usual reason for a taken port is a second start of the same gateway; its admin address tells. */
async function runningAlready(ports: CliPorts, settings: Settings): Promise<string[]> {
  if (settings.admin === null) return [];
  const { bind, token } = settings.admin;
  const fetched = await ports.fetchJson(`${adminBase(bind.host, bind.port)}/api/v1/status`, token, ALREADY_MS);
  if (
    fetched.kind !== "answer" ||
    typeof fetched.json !== "object" ||
    fetched.json === null ||
    !("sentence" in fetched.json)
  )
    return [];
  return ["A Goodgate runs here already; look at it with  goodgate status"];
}
