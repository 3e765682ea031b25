/** A gateway in one process: what it needs of the operating system, opened in the order in which it may fail. */
import { hostname } from "node:os";
import type { SamplePools, StartResult } from "../cli/ports.ts";
import type { Settings } from "../config/settings.ts";
import { createGateway } from "../gateway/gateway.ts";
import { createIdSource, systemChance } from "../net/chance.ts";
import type { AdminServer } from "../net/admin-server.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import { watchMachine } from "../net/machine-room.ts";
import { createResolver } from "../net/resolver.ts";
import { createSystemFacts } from "../net/system-facts.ts";
import { dialTcp } from "../net/tcp-dial.ts";
import { createListen } from "../net/tcp-listen.ts";
import { openLog } from "./access-log.ts";
import { startAdmin } from "./admin.ts";
import { startChecks } from "./checks.ts";
import { boundByDescriptors } from "./connection-bound.ts";
import { createBridge, revisionOf, startControl } from "./control.ts";
import { describe, listenFailure } from "./error-text.ts";
import { createEvents } from "./events.ts";
import { readFallbacks } from "./fallback-files.ts";
import { running } from "./process-life.ts";
import { openCacheShelf, openKeys, requiresKeys, stateDirectoryOf } from "./state.ts";
import { VERSION } from "./version.ts";

/** What may still be written or answered after the last exchange. */
const LAST_WORDS_MS = 2_000;

export async function startGateway(configured: Settings, samples?: SamplePools): Promise<StartResult> {
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

function every(ms: number, run: () => void): () => void {
  const timer = setInterval(run, ms);
  timer.unref();
  return () => clearInterval(timer);
}
