/**
 * What serves in one process: a gateway with its log, its cache on disk, its resolver and its sockets, opened in the
 * order in which they may fail. The same in a process that is all there is and in each of several workers.
 */
import { createGateway } from "../gateway/gateway.ts";
import type { Gateway, GatewayPorts } from "../gateway/gateway.ts";
import type { StartResult } from "../cli/ports.ts";
import type { Settings } from "../config/settings.ts";
import type { Fact } from "../contract/facts.ts";
import type { Ledger } from "../kernel/ledger.ts";
import { createIdSource, systemChance } from "../net/chance.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import { createHttp2Dial } from "../net/h2-dial.ts";
import { watchMachine } from "../net/machine-room.ts";
import { createResolver } from "../net/resolver.ts";
import type { SystemFacts } from "../net/system-facts.ts";
import { createDial } from "../net/tcp-dial.ts";
import { createListen } from "../net/tcp-listen.ts";
import type { SocketKeeper } from "../net/tcp-listen.ts";
import { openLog } from "./access-log.ts";
import { Certificates } from "./certificates.ts";
import { describe, listenFailure } from "./error-text.ts";
import type { Events } from "./events.ts";
import { readFallbacks } from "./fallback-files.ts";
import { originContexts, unusableOriginFile } from "./origin-certificates.ts";
import { openCacheShelf } from "./state.ts";
import { VERSION } from "./version.ts";

export interface DataPlaneOptions {
  /** As this process can keep to them. */
  readonly settings: Settings;
  readonly facts: SystemFacts;
  readonly events: Events;
  readonly node: string;
  /** 0: the only one. */
  readonly worker: number;
  readonly revision: string;
  /** Null: nothing outlives the process. */
  readonly state: string | null;
  readonly ledger: Ledger | null;
  /** What it has together with other workers of the node. Absent: there are none. */
  readonly ofWorker?: Pick<GatewayPorts, "siblings" | "rates" | "hashSeed">;
  /** Whom facts are told. */
  readonly tellFact: (fact: Fact) => void;
  readonly keeper?: SocketKeeper;
  /** A defect of ours that cost one exchange. */
  readonly onFault: (text: string) => void;
}

export interface DataPlane {
  readonly gateway: Gateway;
  reopenLog(): void;
  /** What is left in memory is written. */
  close(): Promise<void>;
}

/** What may still be written or answered after the last exchange. */
export const LAST_WORDS_MS = 2_000;

export async function startDataPlane(
  options: DataPlaneOptions,
): Promise<{ readonly ok: true; readonly plane: DataPlane } | Extract<StartResult, { ok: false }>> {
  const { settings, facts, events, node, worker, revision, state, ledger, tellFact } = options;
  const opened = settings.accessLog === null ? null : await openLog(settings.accessLog, events.tell);
  if (opened !== null && !opened.ok) {
    return { ok: false, what: "access log", where: settings.accessLog?.path ?? "", code: opened.code };
  }
  const log = opened === null ? null : opened.log;
  const fallbacks = await readFallbacks(settings);
  if (!fallbacks.ok) {
    await log?.close(LAST_WORDS_MS);
    return fallbacks;
  }
  const certificates = new Certificates(events.tell);
  const shown = await certificates.prepare(settings);
  if (!shown.ok) {
    await log?.close(LAST_WORDS_MS);
    return shown;
  }
  const contexts = originContexts(events.tell);
  const unusable = unusableOriginFile(settings, contexts);
  if (unusable !== null) {
    await log?.close(LAST_WORDS_MS);
    return unusable;
  }
  shown.use();
  const cacheShelf = await openCacheShelf(state, settings, worker, events.tell);
  const places = [state, settings.accessLog === null ? null : settings.accessLog.path];
  const machine = settings.control === null ? null : watchMachine(places, systemSchedule);
  const resolver = createResolver({
    dns: settings.dns,
    clock: systemClock,
    chance: systemChance,
    schedule: systemSchedule,
  });
  const onAcceptError = (status: number): void =>
    events.tell("accept.failed", `a connection could not be accepted (system error ${status})`);
  const gateway = createGateway(settings, {
    clock: systemClock,
    chance: systemChance,
    newId: createIdSource(),
    dial: createHttp2Dial({ dial: createDial(contexts), clock: systemClock, schedule: systemSchedule }),
    listen: createListen(onAcceptError, options.keeper),
    secureContexts: (listener) => certificates.contextsOf(listener),
    resolver,
    ledger,
    ...options.ofWorker,
    cacheShelf,
    every,
    soon: (run) => void setImmediate(run),
    processView: () => facts.process(),
    ownUse: () => facts.ownUse(),
    log: log === null ? null : (record) => log.append(record),
    accessLogDropped: () => log?.dropped() ?? 0,
    fallbackFiles: fallbacks.files,
    ...(machine === null ? {} : { facts: { node, worker, revision, tell: tellFact, machine: machine.read } }),
    onFault: (error) => options.onFault(describe(error)),
    version: VERSION,
  });
  const close = async (): Promise<void> => {
    machine?.close();
    certificates.close();
    resolver.close();
    await log?.close(LAST_WORDS_MS);
    await cacheShelf?.close();
  };
  try {
    await gateway.start();
  } catch (error) {
    await close();
    return { ok: false, what: "listener", ...listenFailure(error, settings.listeners[0]?.bind ?? null) };
  }
  return { ok: true, plane: { gateway, reopenLog: () => log?.reopen(), close } };
}

function every(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms);
  timer.unref();
  return () => clearInterval(timer);
}
