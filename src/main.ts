/**
 * The composition root: the one file that knows every name. It gives the parts the operating system's
 * clocks, sockets, files and signals, and owns the life of the process. It decides nothing about traffic.
 *
 * An exception that nobody caught is a fault of this program (cause gw.internal) in the handling of one
 * socket or timer. It is printed and serving goes on: ending the process would break every other exchange
 * for one that is broken already. A process that throws again and again is past that; it drains and exits
 * with code 70, so that its supervisor starts a new one.
 */
import { hostPort } from "./kernel/ip-text.ts";
import { readFileSync } from "node:fs";
import fs from "node:fs/promises";
import { createHash } from "node:crypto";
import { constants, hostname } from "node:os";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";
import { join } from "node:path";
import { createAdmin } from "./admin/admin.ts";
import { EXIT } from "./cli/exit-codes.ts";
import type {
  CliPorts,
  FileText,
  RunningGateway,
  SamplePools,
  ReplayResult,
  StartResult,
  StatePlace,
  Terminal,
} from "./cli/ports.ts";
import { connectionsWithin, isWorthTelling } from "./cli/machine-findings.ts";
import { runCli } from "./cli/program.ts";
import { FALLBACK_BYTES_MAX } from "./config/fallback-schema.ts";
import type { Bind, DnsSettings, Settings } from "./config/settings.ts";
import { countText } from "./contract/quantities.ts";
import type { Fact } from "./contract/facts.ts";
import type { GatewayEvent } from "./contract/view.ts";
import { createHealthSchedule } from "./control/health-schedule.ts";
import { createGateway } from "./gateway/gateway.ts";
import type { CheckTarget, Gateway } from "./gateway/gateway.ts";
import type { Resolution } from "./kernel/resolver.ts";
import { fetchJson } from "./net/admin-client.ts";
import { forkControl } from "./net/control-fork.ts";
import { startControlProcess } from "./net/control-process.ts";
import type { ControlProcess } from "./net/control-process.ts";
import { watchMachine } from "./net/machine-room.ts";
import { startAdminServer } from "./net/admin-server.ts";
import type { AdminServer } from "./net/admin-server.ts";
import { createIdSource, systemChance } from "./net/chance.ts";
import { systemClock, systemSchedule } from "./net/clock.ts";
import { readMachineFacts } from "./net/machine-facts.ts";
import { dateToldBy, tryBind, tryConnect } from "./net/reach.ts";
import { createResolver } from "./net/resolver.ts";
import { startSampleOrigins } from "./net/sample-origins.ts";
import { onStopSignal } from "./net/stop-signals.ts";
import { createSystemFacts } from "./net/system-facts.ts";
import { dialTcp } from "./net/tcp-dial.ts";
import { createListen } from "./net/tcp-listen.ts";
import { openAccessLog } from "./store/access-log.ts";
import type { AccessLogEvent } from "./store/access-log.ts";
import { openCacheDisk } from "./store/cache-disk.ts";
import type { CacheDisk } from "./store/cache-disk.ts";
import { readDashboard } from "./store/dashboard-files.ts";
import { openLedger } from "./store/ledger.ts";
import type { EmbeddedLedger, LedgerEvent } from "./store/ledger.ts";
import { linesOf } from "./store/lines.ts";
import { defaultStateDirectory, tryDirectory } from "./store/state-directory.ts";

const VERSION = versionOfPackage();
/** Where the build puts it: beside the sources in a checkout, beside the program in the published package. */
const DASHBOARD = fileURLToPath(new URL("../dist/web", import.meta.url));
/** What may still be written or answered after the last exchange. */
const LAST_WORDS_MS = 2_000;
/** Active checks under way at once, over all services. */
const CHECKS_AT_ONCE_MAX = 64;
const CONFIG_BYTES_MAX = 8 * 1024 * 1024;
/** This many uncaught exceptions within this time, and the process is not worth keeping. */
const FAULTS_MAX = 10;
const FAULTS_WINDOW_MS = 60_000;

async function main(): Promise<void> {
  // A reader that went away (`goodgate status | head -1`) is no fault, and a gateway outlives its terminal.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  // Timers and some sockets of the parts do not keep a process alive, rightly; a command under way does.
  const underWay = setInterval(() => undefined, 2 ** 30);
  try {
    process.exitCode = await runCli(process.argv.slice(2), cliPorts());
  } catch (error) {
    process.stderr.write(`goodgate: a fault in Goodgate itself (gw.internal):\n${describe(error)}\n`);
    process.exitCode = EXIT.internal;
  }
  clearInterval(underWay);
  // Whatever still holds a socket has nothing more to say. Standard output is written by now: on POSIX systems
  // files, terminals and pipes are written synchronously.
  process.exit();
}

function cliPorts(): CliPorts {
  return {
    version: VERSION,
    env: process.env,
    terminal: terminalOf(process.stdout),
    errorTerminal: terminalOf(process.stderr),
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    readFile,
    replayFacts,
    fetchJson,
    startGateway,
    startSamples: () => startSampleOrigins({ clock: systemClock, schedule: systemSchedule }),
    wall: () => systemClock.wall(),
    pause: createPause(),
    machine: { facts: readMachineFacts, tryBind, tryConnect, tryState, resolve: resolveOnce, dateToldBy },
  };
}

function terminalOf(stream: NodeJS.WriteStream): Terminal {
  return {
    isTerminal: stream.isTTY,
    columns: stream.isTTY ? stream.columns : 100,
    // Knows NO_COLOR, FORCE_COLOR and what the stream is.
    paint: (style, text) => styleText(style, text, { stream }),
  };
}

async function readFile(path: string): Promise<FileText> {
  try {
    const { size } = await fs.stat(path);
    if (size > CONFIG_BYTES_MAX) return { ok: false, code: "EFBIG" };
    return { ok: true, text: await fs.readFile(path, "utf8") };
  } catch (error) {
    return { ok: false, code: codeOf(error) };
  }
}

async function replayFacts(path: string): Promise<ReplayResult> {
  try {
    // A gateway itself never needs the engine: it is the control process that thinks.
    const { replay } = await import("./control/replay.ts");
    const { factLines, holdsFacts } = await import("./store/recorded-facts.ts");
    return { ok: true, ...(await replay(holdsFacts(path) ? factLines(path) : linesOf(path))) };
  } catch (error) {
    return { ok: false, code: codeOf(error) };
  }
}

/** From the first wait on Ctrl-C asks a command that repeats itself to end, also while it is doing something else. */
function createPause(): (ms: number) => Promise<boolean> {
  let listening = false;
  let stopped = false;
  let wake: () => void = () => undefined;
  return async (ms) => {
    if (!listening) {
      listening = true;
      process.on("SIGINT", () => {
        stopped = true;
        wake();
      });
    }
    if (!stopped) {
      await new Promise<void>((resolve) => {
        const cancel = systemSchedule(ms, resolve);
        wake = () => {
          cancel();
          resolve();
        };
      });
    }
    return !stopped;
  };
}

async function resolveOnce(name: string, dns: DnsSettings): Promise<Resolution> {
  const resolver = createResolver({ dns, clock: systemClock, chance: systemChance, schedule: systemSchedule });
  const resolution = await new Promise<Resolution>((resolve) => resolver.resolve(name, resolve));
  resolver.close();
  return resolution;
}

async function startGateway(configured: Settings, samples?: SamplePools): Promise<StartResult> {
  const events = createEvents();
  const facts = createSystemFacts(systemClock, systemSchedule);
  const settings = boundByDescriptors(configured, facts.process().descriptorsMax, events.tell);
  const opened = settings.accessLog === null ? null : await openLog(settings.accessLog, events.tell);
  if (opened !== null && !opened.ok) {
    facts.close();
    return { ok: false, what: "access log", where: settings.accessLog?.path ?? "", code: opened.code };
  }
  const log = opened === null ? null : opened.log;
  const state = stateDirectoryOf(settings);
  const ledger = state === null ? null : await openKeys(state, settings, events.tell);
  if (requiresKeys(settings) && ledger?.unusable !== null) {
    facts.close();
    await log?.close(LAST_WORDS_MS);
    await ledger?.close();
    const code = ledger === null ? "no state directory is known" : (ledger.unusable?.detail ?? "");
    return { ok: false, what: "state directory", where: state ?? "", code };
  }
  const fallbacks = await readFallbacks(settings);
  if (!fallbacks.ok) {
    facts.close();
    await log?.close(LAST_WORDS_MS);
    await ledger?.close();
    return fallbacks;
  }
  const cacheShelf = await openCacheShelf(state, settings, events.tell);
  const node = settings.node === "" ? hostname() : settings.node;
  const bridge = createBridge();
  const places = [state, settings.accessLog === null ? null : settings.accessLog.path];
  const machine = settings.control === null ? null : watchMachine(places, systemSchedule);
  const resolver = createResolver({
    dns: settings.dns,
    clock: systemClock,
    chance: systemChance,
    schedule: systemSchedule,
  });
  const gateway = createGateway(settings, {
    clock: systemClock,
    chance: systemChance,
    newId: createIdSource(),
    dial: dialTcp,
    listen: createListen((status) =>
      events.tell("accept.failed", `a connection could not be accepted (system error ${status})`),
    ),
    resolver,
    ledger,
    cacheShelf,
    every,
    processView: () => facts.process(),
    ownUse: () => facts.ownUse(),
    log: log === null ? null : (record) => log.append(record),
    accessLogDropped: () => log?.dropped() ?? 0,
    fallbackFiles: fallbacks.files,
    ...(machine === null
      ? {}
      : { facts: { node, worker: 0, revision: revisionOf(configured), tell: bridge.tell, machine: machine.read } }),
    onFault: (error) => {
      process.stderr.write(
        `goodgate: a fault in Goodgate itself (gw.internal); one exchange failed by it:\n${describe(error)}\n`,
      );
    },
    version: VERSION,
  });
  const close = async (): Promise<void> => {
    facts.close();
    machine?.close();
    resolver.close();
    await log?.close(LAST_WORDS_MS);
    await ledger?.close();
    await cacheShelf?.close();
  };

  try {
    await gateway.start();
  } catch (error) {
    await close();
    return { ok: false, what: "listener", ...listenFailure(error, settings.listeners[0]?.bind ?? null) };
  }
  const checks = startChecks(gateway);
  // After the listeners: whoever waits for the gateway does not wait for this.
  const control = startControl(settings, { node, state, tell: gateway.tell });
  bridge.connect(control);
  let admin: AdminServer | null = null;
  try {
    admin = await startAdmin(settings, gateway, { control, samples }, events.tell);
  } catch (error) {
    checks.stop();
    await control?.close(LAST_WORDS_MS);
    await gateway.close();
    await close();
    return { ok: false, what: "admin", ...listenFailure(error, settings.admin?.bind ?? null) };
  }
  const end = async (): Promise<void> => {
    checks.stop();
    await gateway.drain();
    await control?.close(LAST_WORDS_MS);
    await admin?.close(LAST_WORDS_MS);
    await close();
  };
  process.on("SIGUSR1", () => log?.reopen());
  const cut = async (): Promise<void> => {
    await gateway.close();
    await log?.close(LAST_WORDS_MS);
  };
  return { ok: true, gateway: running(gateway, admin, settings, events, { end, cut }) };
}

/** Facts of the time before there is anybody to tell wait here: the start of the gateway is one. */
function createBridge(): {
  tell(this: void, fact: Fact): void;
  connect(this: void, control: ControlProcess | null): void;
} {
  const early: Fact[] = [];
  let tell = (fact: Fact): void => void early.push(fact);
  return {
    tell: (fact) => tell(fact),
    connect(control) {
      tell = control === null ? () => undefined : (fact) => control.tellFact(fact);
      for (const fact of early.splice(0)) tell(fact);
    },
  };
}

const CONTROLLER = new URL(import.meta.url.endsWith(".ts") ? "./controller.ts" : "./controller.js", import.meta.url);

/** Null: it is switched off. */
function startControl(
  settings: Settings,
  { node, state, tell }: { node: string; state: string | null; tell: (code: string, detail: string) => void },
): ControlProcess | null {
  if (settings.control === null) return null;
  return startControlProcess({
    start: (listener) => forkControl(CONTROLLER, listener),
    setup: { version: VERSION, node, stateDirectory: state, settings },
    session: createIdSource()(),
    clock: systemClock,
    schedule: systemSchedule,
    chance: systemChance,
    tell,
  });
}

/** By what is configured, so that a restart with the same file is the same revision. */
function revisionOf(settings: Settings): string {
  return createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 12);
}

interface Endings {
  /** In order, within the bound for draining. */
  readonly end: () => Promise<void>;
  /** At once: what is cut leaves its records, and the log gets them. */
  readonly cut: () => Promise<void>;
}

/** The life of a gateway that serves, until a signal or too many faults end it. */
function running(
  gateway: Gateway,
  admin: AdminServer | null,
  settings: Settings,
  events: Events,
  { end, cut }: Endings,
): RunningGateway {
  const { promise: stopped, resolve } = Promise.withResolvers<number>();
  let stopping = false;
  const stop = (code: number, why: string): void => {
    if (stopping) return;
    stopping = true;
    events.tell("stopping", why);
    void end().then(
      () => resolve(code),
      (error: unknown) => {
        process.stderr.write(`goodgate: a fault while stopping (gw.internal):\n${describe(error)}\n`);
        resolve(EXIT.internal);
      },
    );
  };
  onStopSignal(process, systemClock, (signal, again) => {
    if (again) {
      // The conventional code of a process that a signal ended.
      const leave = (): never => process.exit(128 + constants.signals[signal]);
      void cut().then(leave, leave);
      return;
    }
    stop(
      EXIT.ok,
      `${signal}: finishing what is under way, ${settings.drainMs / 1000} s at most; again to stop at once`,
    );
  });
  onFault((count) => {
    if (count >= FAULTS_MAX) {
      stop(
        EXIT.internal,
        `${count} faults within ${FAULTS_WINDOW_MS / 1000} s: draining, so that a new process can take over`,
      );
    }
  });
  return {
    listeners: gateway.listening.map((port) => ({ host: port.address, port: port.port })),
    admin: admin === null ? null : { host: admin.host, port: admin.port },
    onEvent(listener) {
      events.listen(listener);
      gateway.view.subscribe(listener);
    },
    stopped,
  };
}

/** Prints every exception that nobody caught (a rejected promise is one) and says how many there were lately. */
function onFault(heard: (countLately: number) => void): void {
  const at: number[] = [];
  process.on("uncaughtException", (error) => {
    process.stderr.write(`goodgate: a fault in Goodgate itself (gw.internal); serving goes on:\n${describe(error)}\n`);
    const now = systemClock.monotonic();
    at.push(now);
    while (at.length > FAULTS_MAX || now - (at[0] ?? now) > FAULTS_WINDOW_MS) at.shift();
    heard(at.length);
  });
}

interface Events {
  /** What was told before has waited for it. */
  listen(listener: (event: GatewayEvent) => void): void;
  /** What only this file sees: the log, the listeners, signals. */
  tell(this: void, code: string, detail: string): void;
}

function createEvents(): Events {
  const early: GatewayEvent[] = [];
  let heard = (event: GatewayEvent): void => void early.push(event);
  return {
    listen(listener) {
      heard = listener;
      for (const event of early.splice(0)) listener(event);
    },
    tell: (code, detail) => heard({ kind: "gateway", at: systemClock.wall(), code, detail }),
  };
}

/** More connections than there are descriptors for would end in EMFILE in the middle of an exchange; a bound ends in a clear answer. */
function boundByDescriptors(settings: Settings, descriptorsMax: number, tell: Events["tell"]): Settings {
  const { connectionsMax } = settings.limits;
  const fit = descriptorsMax <= 0 ? connectionsMax : connectionsWithin(descriptorsMax);
  if (fit >= connectionsMax) return settings;
  if (isWorthTelling(connectionsMax, fit)) {
    tell(
      "limits.connections.lowered",
      `${descriptorsMax} descriptors allow ${countText(fit, "client connection")}, not ${connectionsMax}; goodgate doctor tells more`,
    );
  }
  return { ...settings, limits: { ...settings.limits, connectionsMax: fit } };
}

/** The files of the routes' fallbacks, read once: what answers when all else fails must not need a disk then. */
async function readFallbacks(
  settings: Settings,
): Promise<{ readonly ok: true; readonly files: Map<string, Buffer> } | Extract<StartResult, { ok: false }>> {
  const files = new Map<string, Buffer>();
  for (const { fallback } of settings.services.flatMap((service) => service.routes)) {
    const file = fallback?.file ?? null;
    if (file === null || files.has(file)) continue;
    try {
      const { size } = await fs.stat(file);
      if (size > FALLBACK_BYTES_MAX) return { ok: false, what: "fallback", where: file, code: "EFBIG" };
      files.set(file, await fs.readFile(file));
    } catch (error) {
      return { ok: false, what: "fallback", where: file, code: codeOf(error) };
    }
  }
  return { ok: true, files };
}

function openLog(
  accessLog: NonNullable<Settings["accessLog"]>,
  tell: Events["tell"],
): ReturnType<typeof openAccessLog> {
  const onEvent = (event: AccessLogEvent): void =>
    tell(`access-log.${event.kind.replaceAll(" ", "-")}`, accessLogText(event));
  return openAccessLog({ ...accessLog, schedule: systemSchedule, onEvent });
}

function accessLogText(event: AccessLogEvent): string {
  switch (event.kind) {
    case "failing":
      return `writing fails (${event.code}) and is tried again; requests are served all the same`;
    case "dropping":
      return "its buffer is full: lines are being lost";
    case "recovered":
      return `writing works again; ${event.dropped} lines were lost`;
    case "not reopened":
      return `the file could not be opened again (${event.code}); the old one stays in use`;
  }
}

/** Null: there is none, by the configuration or because nobody says where. */
function stateDirectoryOf({ state, listeners }: Settings): string | null {
  const [first] = listeners;
  if (!state.use || first === undefined) return null;
  if (state.directory !== "") return state.directory;
  return defaultStateDirectory(process.env, { name: first.name, port: first.bind.port });
}

/** Null: none is configured, or it cannot be used, which is told: the cache works without it. */
async function openCacheShelf(
  state: string | null,
  { cache }: Settings,
  tell: Events["tell"],
): Promise<CacheDisk | null> {
  if (cache.diskBytes === 0 || cache.memoryBytes === 0) return null;
  const fail = (code: string): void =>
    tell("cache.disk-failed", `stored responses cannot be written to disk (${code}); they stay in memory`);
  if (state === null) {
    fail("no state directory is known");
    return null;
  }
  try {
    return await openCacheDisk({ directory: join(state, "cache"), bytesMax: cache.diskBytes, onFailure: fail });
  } catch (error) {
    fail((error as NodeJS.ErrnoException).code ?? String(error));
    return null;
  }
}

async function tryState(settings: Settings): Promise<StatePlace> {
  const directory = stateDirectoryOf(settings);
  return { directory, code: directory === null ? null : await tryDirectory(directory) };
}

function requiresKeys(settings: Settings): boolean {
  return settings.services.some(({ routes }) => routes.some((route) => route.idempotencyKey.mode === "required"));
}

function openKeys(directory: string, settings: Settings, tell: Events["tell"]): Promise<EmbeddedLedger> {
  const { bytesMax } = settings.idempotency;
  const onEvent = (event: LedgerEvent): void => tell(`keys.${event.kind.replaceAll(" ", "-")}`, ledgerText(event));
  return openLedger({ directory, bytesMax, schedule: systemSchedule, onEvent });
}

function ledgerText(event: LedgerEvent): string {
  switch (event.kind) {
    case "unusable":
      return event.code === "in-use"
        ? `another process uses the state directory (${event.detail}); until it lets go, Idempotency-Key is not honoured here`
        : `the state directory cannot be used (${event.detail}); until it can, Idempotency-Key is not honoured`;
    case "usable":
      return "the state directory can be used; Idempotency-Key is honoured";
    case "moved aside":
      return `the ledger of keys could not be read and is now ${event.to}; an empty one was begun, so requests with keys from before may be carried out again`;
    case "interrupted":
      return `${countText(event.keys, "request")} with an Idempotency-Key had been sent and not answered when the gateway ended; see them with  goodgate keys --uncertain`;
    case "forgetting":
      return "the ledger of keys is full (idempotency.bytes): answers, then keys, are forgotten before their time, oldest first";
  }
}

async function startAdmin(
  settings: Settings,
  gateway: Gateway,
  { control, samples }: { readonly control: ControlProcess | null; readonly samples: SamplePools | undefined },
  tell: Events["tell"],
): Promise<AdminServer | null> {
  if (settings.admin === null) return null;
  const dashboard = await readDashboard(DASHBOARD);
  const { bind, token } = settings.admin;
  return startAdminServer({
    bind,
    handle: createAdmin(gateway.view, {
      actions: gateway.actions,
      keys: gateway.keys,
      control,
      ...(samples === undefined ? {} : { samples: samples.desk }),
      dashboard,
      token,
      clock: systemClock,
      schedule: systemSchedule,
    }),
    onFault: (error) => tell("admin.fault", describe(error)),
    schedule: systemSchedule,
  });
}

function startChecks(gateway: Gateway): { stop(): void } {
  const checks = createHealthSchedule<CheckTarget>({
    clock: systemClock,
    chance: systemChance,
    schedule: systemSchedule,
    probe: (target, done) => gateway.probe(target, done),
    onCheck: (target, result) => gateway.checked(target, result),
    atOnceMax: CHECKS_AT_ONCE_MAX,
  });
  const follow = (): void => checks.setTargets(gateway.checkTargets());
  gateway.onCheckTargets(follow);
  follow();
  return checks;
}

/** A listener's failure with the address it is about, as far as the system tells. */
function listenFailure(error: unknown, fallback: Bind | null): { where: string; code: string } {
  const told = error as { readonly address?: unknown; readonly port?: unknown };
  const host = typeof told.address === "string" ? told.address : (fallback?.host ?? "");
  const port = typeof told.port === "number" ? told.port : (fallback?.port ?? 0);
  return { where: hostPort(host, port), code: codeOf(error) };
}

function every(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms);
  timer.unref();
  return () => clearInterval(timer);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "EIO";
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** Beside the sources in a checkout, beside the build in the published package: one level up in both. */
function versionOfPackage(): string {
  const read = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
  return read.version;
}

await main();
