/** A gateway in one process, which serves and has its admin server and its control process beside it. */
import { hostname } from "node:os";
import type { SamplePools, StartResult } from "../cli/ports.ts";
import type { Settings } from "../config/settings.ts";
import type { AdminServer } from "../net/admin-server.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import { createSystemFacts } from "../net/system-facts.ts";
import { startAdmin } from "./admin.ts";
import { startChecks } from "./checks.ts";
import { boundByDescriptors } from "./connection-bound.ts";
import { createBridge, revisionOf, startControl } from "./control.ts";
import { LAST_WORDS_MS, startDataPlane } from "./data-plane.ts";
import { listenFailure } from "./error-text.ts";
import { createEvents } from "./events.ts";
import { running } from "./process-life.ts";
import { openKeys, stateDirectoryOf, withoutPlaceForKeys } from "./state.ts";

export async function startInOneProcess(configured: Settings, samples?: SamplePools): Promise<StartResult> {
  const events = createEvents();
  const facts = createSystemFacts(systemClock, systemSchedule);
  const settings = boundByDescriptors(configured, facts.process().descriptorsMax, events.tell);
  const state = stateDirectoryOf(settings);
  const ledger = state === null ? null : await openKeys(state, settings, events.tell);
  const closeShared = async (): Promise<void> => {
    facts.close();
    await ledger?.close();
  };
  const placeless = withoutPlaceForKeys(settings, state, ledger);
  if (placeless !== null) {
    await closeShared();
    return placeless;
  }
  const node = settings.node === "" ? hostname() : settings.node;
  const bridge = createBridge();
  const started = await startDataPlane({
    settings,
    facts,
    events,
    node,
    worker: 0,
    revision: revisionOf(configured),
    state,
    ledger,
    tellFact: bridge.tell,
    onFault: (text) => {
      process.stderr.write(`goodgate: a fault in Goodgate itself (gw.internal); one exchange failed by it:\n${text}\n`);
    },
  });
  if (!started.ok) {
    await closeShared();
    return started;
  }
  const { gateway, reopenLog, close } = started.plane;
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
    await closeShared();
    return { ok: false, what: "admin", ...listenFailure(error, settings.admin?.bind ?? null) };
  }
  const end = async (): Promise<void> => {
    checks.stop();
    await gateway.drain();
    await control?.close(LAST_WORDS_MS);
    await admin?.close(LAST_WORDS_MS);
    await close();
    await closeShared();
  };
  process.on("SIGUSR1", reopenLog);
  const cut = async (): Promise<void> => {
    await gateway.close();
    await close();
  };
  const { gateway: life } = running({
    listeners: gateway.listening.map((port) => ({ host: port.address, port: port.port })),
    admin,
    drainMs: settings.drainMs,
    events,
    subscribe: (listener) => void gateway.view.subscribe(listener),
    end,
    cut,
  });
  return { ok: true, gateway: life };
}
