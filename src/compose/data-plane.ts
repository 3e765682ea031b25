/**
 * What serves in one process: a gateway with its log, its cache on disk, its resolver and its sockets, opened in the
 * order in which they may fail. The same in a process that is all there is and in each of several workers.
 */
import { needsNewProcess } from "../config/needs-new-process.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { Revision } from "../contract/revision.ts";
import type { News } from "../contract/shared-knowledge.ts";
import type { PutResult } from "../contract/config-desk.ts";
import { createGateway } from "../gateway/gateway.ts";
import type { ApplyResult, Gateway } from "../gateway/gateway.ts";
import type { GatewayPorts } from "../gateway/gateway-ports.ts";
import type { StartResult } from "../cli/ports.ts";
import type { Settings } from "../config/settings.ts";
import type { Fact } from "../contract/facts.ts";
import type { TellTraces } from "../gateway/trace-book.ts";
import type { Ledger } from "../kernel/ledger.ts";
import { giveBackWhenCalm, processMemory } from "../net/calm-memory.ts";
import { createIdSource, systemChance } from "../net/chance.ts";
import { systemClock, systemEvery, systemSchedule } from "../net/clock.ts";
import { createHttp2Dial } from "../net/h2-dial.ts";
import { watchMachine } from "../net/machine-room.ts";
import type { MachineRoom } from "../net/machine-room.ts";
import { createResolver } from "../net/resolver.ts";
import type { SystemFacts } from "../net/system-facts.ts";
import { createDial } from "../net/tcp-dial.ts";
import { createListen } from "../net/tcp-listen.ts";
import type { SocketKeeper } from "../net/tcp-listen.ts";
import { openLog } from "./access-log.ts";
import { Certificates } from "./certificates.ts";
import { describe, listenFailure } from "./error-text.ts";
import { NO_MATERIAL } from "../contract/acme.ts";
import type { AcmeMaterial } from "../contract/acme.ts";
import type { Events } from "./events.ts";
import { readFallbacks } from "./fallback-files.ts";
import { originContexts, unusableOriginFile } from "./origin-certificates.ts";
import { watchSocketFiles } from "./socket-files.ts";
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
  /** How many there are, and which life of its place this is. Absent: 1. */
  readonly workers?: number;
  readonly life?: number;
  readonly revision: string;
  /** Null: nothing outlives the process. */
  readonly state: string | null;
  readonly ledger: Ledger | null;
  /** What it has together with other workers of the node. Absent: there are none. */
  readonly ofWorker?: Pick<GatewayPorts, "siblings" | "rates" | "hashSeed" | "kept">;
  /** What a process before this one knew of the origins. Absent: nothing. */
  readonly known?: readonly News[];
  /** Certificates that were obtained before. Absent: none were. */
  readonly acme?: AcmeMaterial;
  /** Whom facts are told. */
  readonly tellFact: (fact: Fact) => void;
  readonly tellTraces: TellTraces;
  readonly keeper?: SocketKeeper;
  /** A secret of all workers of the node. Absent: there are none. */
  readonly seed?: string;
  /** A defect of ours that cost one exchange. */
  readonly onFault: (text: string) => void;
}

export interface DataPlane {
  readonly gateway: Gateway;
  /** Other settings, as this process can keep to them. `revision` null: whether they could be put into effect. */
  put(settings: Settings, revision: Revision | null): Promise<PutResult>;
  reopenLog(): void;
  /** Certificates that are obtained by themselves, and proofs for who gives them. */
  setAcme(material: AcmeMaterial): void;
  /** What is left in memory is written. */
  close(): Promise<void>;
}

/** What may still be written or answered after the last exchange. */
export const LAST_WORDS_MS = 2_000;

export async function startDataPlane(
  options: DataPlaneOptions,
): Promise<{ readonly ok: true; readonly plane: DataPlane } | Extract<StartResult, { ok: false }>> {
  const { settings, facts, events, node, worker, revision, state, ledger, tellFact, tellTraces } = options;
  const opened = settings.accessLog === null ? null : await openLog(settings.accessLog, events.tell);
  if (opened !== null && !opened.ok) {
    return { ok: false, what: "access log", where: settings.accessLog?.path ?? "", code: opened.code };
  }
  let log = opened === null ? null : opened.log;
  const fallbacks = await readFallbacks(settings);
  if (!fallbacks.ok) {
    await log?.close(LAST_WORDS_MS);
    return fallbacks;
  }
  const certificates = new Certificates(events.tell, options.acme ?? NO_MATERIAL, options.seed ?? null);
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
  const cacheShelf = await openCacheShelf(
    state,
    settings,
    { worker, workers: options.workers ?? 1, life: options.life ?? 1 },
    events.tell,
  );
  const watch = ({ accessLog }: Settings): MachineRoom =>
    watchMachine([state, accessLog?.path ?? null], systemSchedule);
  let machine = settings.control === null ? null : watch(settings);
  const resolver = createResolver({
    dns: settings.dns,
    clock: systemClock,
    chance: systemChance,
    schedule: systemSchedule,
  });
  const onAcceptError = (status: number): void =>
    events.tell("accept.failed", `a connection could not be accepted (system error ${status})`);
  const append = (record: ExchangeRecord): void => log?.append(record);
  const gateway = createGateway(settings, {
    clock: systemClock,
    chance: systemChance,
    newId: createIdSource(),
    dial: createHttp2Dial({ dial: createDial(contexts), clock: systemClock, schedule: systemSchedule }),
    listen: createListen(onAcceptError, options.keeper),
    challenges: certificates,
    secureContexts: (listener) => certificates.contextsOf(listener),
    certificates: () => certificates.views(),
    resolver,
    ledger,
    ...options.ofWorker,
    ...(options.known === undefined ? {} : { known: options.known }),
    cacheShelf,
    every: systemEvery,
    soon: (run) => void setImmediate(run),
    processView: () => facts.process(),
    ownUse: () => facts.ownUse(),
    log: log === null ? null : append,
    accessLogDropped: () => log?.dropped() ?? 0,
    fallbackFiles: fallbacks.files,
    ...(machine === null
      ? {}
      : {
          facts: {
            node,
            worker,
            revision,
            tell: tellFact,
            tellTraces,
            machine: () => machine?.read() ?? NO_MACHINE,
          },
        }),
    onFault: (error) => options.onFault(describe(error)),
    version: VERSION,
  });
  const endCalm = giveBackWhenCalm(processMemory(systemEvery));
  const close = async (): Promise<void> => {
    endCalm();
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
  let files = fallbacks.files;
  let running = settings;

  /** Everything that may fail comes first, and what was opened for nothing is closed again. */
  async function put(next: Settings, revisionNext: Revision | null): Promise<PutResult> {
    const read = await readFallbacks(next);
    if (!read.ok) return refused(`the file ${read.where} of a route's fallback cannot be read (${read.code})`);
    const certificatesNext = await certificates.prepare(next);
    if (!certificatesNext.ok) return refused(`${certificatesNext.where} ${certificatesNext.code}`);
    const isOther = JSON.stringify(next) !== JSON.stringify(running);
    if (!isOther && holdSame(read.files, files)) {
      // They may have been renewed under their names.
      if (revisionNext !== null) certificatesNext.use();
      return (revisionNext === null ? null : await mendFiles()) ?? { kind: "unchanged" };
    }
    const originFile = unusableOriginFile(next, contexts);
    if (originFile !== null) return refused(`${originFile.where} ${originFile.code}`);
    const fields = needsNewProcess(running, next);
    if (fields.length > 0) return needsRestart(fields);
    const isOtherLog = JSON.stringify(next.accessLog) !== JSON.stringify(running.accessLog);
    const logNext = isOtherLog && next.accessLog !== null ? await openLog(next.accessLog, events.tell) : null;
    if (logNext !== null && !logNext.ok) return refused(`the access log cannot be opened (${logNext.code})`);
    const opened = logNext === null ? null : logNext.log;
    if (revisionNext === null) {
      await opened?.close(LAST_WORDS_MS);
      return { kind: "applied" };
    }
    // Listeners that are opened now show theirs from the first connection on.
    certificatesNext.use();
    const applied = await gateway.apply({ settings: next, fallbackFiles: read.files, revision: revisionNext });
    if (applied.kind !== "applied") {
      await opened?.close(LAST_WORDS_MS);
      const before = await certificates.prepare(running);
      if (before.ok) before.use();
      return toPutResult(applied, next);
    }
    resolver.configure(next.dns);
    if (isOtherLog) {
      const before = log;
      log = opened;
      gateway.logTo(log === null ? null : append);
      void before?.close(LAST_WORDS_MS);
      if (machine !== null) {
        machine.close();
        machine = watch(next);
      }
    }
    running = next;
    files = read.files;
    return { kind: "applied" };
  }

  /** Files of sockets that somebody removed. Null: all are there. */
  async function mendFiles(): Promise<PutResult | null> {
    for (const port of gateway.listening) {
      // oxlint-disable-next-line no-await-in-loop -- The first that fails is the one to tell.
      if ((await port.isFileGone?.()) !== true) continue;
      try {
        // oxlint-disable-next-line no-await-in-loop -- As above.
        await port.mendFile?.();
      } catch (error) {
        const { where, code } = listenFailure(error, null);
        return refused(`${where} is gone and cannot be made again (${code})`);
      }
      gateway.tell("listener.file-made", `${port.address} was gone and can be connected to again`);
    }
    return null;
  }

  async function goneFiles(): Promise<readonly string[]> {
    const looked = await Promise.all(
      gateway.listening.map(async (port) => ((await port.isFileGone?.()) === true ? [port.address] : [])),
    );
    return looked.flat();
  }
  const stopWatching = watchSocketFiles(systemSchedule, goneFiles, (code, detail) => gateway.tell(code, detail));

  return {
    ok: true,
    plane: {
      gateway,
      put,
      reopenLog: () => log?.reopen(),
      setAcme: (material) => certificates.setMaterial(material),
      close() {
        stopWatching();
        return close();
      },
    },
  };
}

const NO_MACHINE = { portsMax: 0, diskFreeBytes: 0, diskBytes: 0 };

function refused(detail: string): PutResult {
  return { kind: "refused", why: "unusable", detail };
}

function needsRestart(fields: readonly string[]): Extract<PutResult, { kind: "refused" }> {
  const detail =
    `${fields.join(" and ")} can only be changed by another process; nothing was changed. ` +
    "Write it to the file, then restart, or have another process take over (SIGUSR2)";
  return { kind: "refused", why: "needs restart", detail };
}

function toPutResult(applied: Exclude<ApplyResult, { kind: "applied" }>, { listeners }: Settings): PutResult {
  switch (applied.kind) {
    case "needs new process":
      return needsRestart(applied.fields);
    case "cannot listen": {
      const { where, code } = listenFailure(applied.error, listeners[0]?.bind ?? null);
      return refused(`${where} cannot be listened on (${code})`);
    }
    case "draining":
      return { kind: "refused", why: "draining", detail: "this gateway is ending" };
  }
}

function holdSame(one: ReadonlyMap<string, Buffer>, other: ReadonlyMap<string, Buffer>): boolean {
  return one.size === other.size && [...one].every(([path, bytes]) => other.get(path)?.equals(bytes) === true);
}
