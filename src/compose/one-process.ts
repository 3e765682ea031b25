/** A gateway in one process, which serves and has its admin server and its control process beside it. */
import { hostname } from "node:os";
import type { StartOptions, StartResult } from "../cli/ports.ts";
import { needsNewProcess, withFieldsOf } from "../config/needs-new-process.ts";
import type { Settings } from "../config/settings.ts";
import type { HandedOn } from "../contract/succession.ts";
import { createConfigDesk } from "../control/config-desk.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import { createSystemFacts } from "../net/system-facts.ts";
import { putWithAdmin, startAdmin } from "./admin.ts";
import type { AdminSite } from "./admin.ts";
import { openAcme } from "./acme.ts";
import { startChecks } from "./checks.ts";
import { boundByDescriptors } from "./connection-bound.ts";
import { createBridge, revisionOf, startControl } from "./control.ts";
import { LAST_WORDS_MS, startDataPlane } from "./data-plane.ts";
import { listenFailure } from "./error-text.ts";
import { LedgerDesk } from "../control/ledger-desk.ts";
import { deskLedger } from "./desk-ledger.ts";
import type { Events } from "./events.ts";
import { byAnother, whyFixed, whyNotNow } from "./by-another.ts";
import { running } from "./process-life.ts";
import type { Given } from "./process-life.ts";
import { adminSocket, keepSockets } from "./kept-sockets.ts";
import { readTextAgain } from "./read-text.ts";
import { missingSecret } from "./secret-sources.ts";
import { stateDirectoryOf } from "./state.ts";
import { giveOn, HAND_OVER_IDLE_MS, knownBefore, takeKeys, tookOver } from "./takeover.ts";
import type { Order, Takeover } from "./takeover.ts";

export interface StartedWith {
  readonly events: Events;
  readonly takeover: Takeover;
  readonly options: StartOptions;
}

export async function startInOneProcess(
  configured: Settings,
  { events, takeover, options }: StartedWith,
): Promise<StartResult> {
  const facts = createSystemFacts(systemClock, systemSchedule);
  const settings = boundByDescriptors(configured, facts.process().descriptorsMax, events.tell);
  const state = stateDirectoryOf(settings, takeover.heritage.state);
  const taken = await takeKeys(settings, state, takeover, events.tell);
  if (!taken.ok) {
    facts.close();
    return taken;
  }
  const { keys } = taken;
  const desk = new LedgerDesk(keys.ledger);
  const closeShared = async (): Promise<void> => {
    facts.close();
    await keys.close();
  };
  const node = settings.node === "" ? hostname() : settings.node;
  const bridge = createBridge();
  const sockets = keepSockets(settings, takeover.heritage);
  const acme = await openAcme(settings, state, events.tell);
  const started = await startDataPlane({
    known: await knownBefore(takeover, events.tell),
    acme: acme.material,
    settings,
    facts,
    events,
    node,
    worker: 0,
    revision: revisionOf(configured),
    state,
    ledger: keys.ledger === null ? null : deskLedger(desk),
    keeper: sockets.keeper,
    tellFact: bridge.tell,
    tellTraces: bridge.tellTraces,
    onFault: (text) => {
      process.stderr.write(`goodgate: a fault in Goodgate itself (gw.internal); one exchange failed by it:\n${text}\n`);
    },
  });
  if (!started.ok) {
    await closeShared();
    return started;
  }
  const { gateway, reopenLog, setAcme, close } = started.plane;
  acme.start((material) => Promise.resolve(setAcme(material)));
  const { samples } = options;
  const checks = startChecks(gateway);
  // After the listeners: whoever waits for the gateway does not wait for this.
  const control = startControl(settings, {
    node,
    state,
    tell: gateway.tell,
    free: takeover.predecessor?.controlIsFree,
  });
  bridge.connect(control);
  let admin: AdminSite | null = null;
  let current = configured;
  const config = createConfigDesk({
    settings: configured,
    file: options.file ?? null,
    readFile: readTextAgain,
    hashOf: revisionOf,
    clock: systemClock,
    tell: gateway.tell,
    first: options.revision ?? null,
    async put(next, revision, source) {
      const bounded = boundByDescriptors(next, facts.process().descriptorsMax, () => undefined);
      const missing = missingSecret(next);
      if (missing !== null) return { kind: "refused", why: "unusable", detail: missing };
      const fields = needsNewProcess(current, next);
      const fixed = whyFixed(fields, samples !== undefined);
      if (fixed !== null) return fixed;
      const late = revision === null ? null : whyNotNow(life);
      if (late !== null) return late;
      if (fields.length > 0 && revision === null) return started.plane.put(withFieldsOf(settings, bounded), null);
      if (fields.length > 0 && revision !== null) return byAnother(life, source, revision);
      return putWithAdmin(admin, bounded, revision, async () => {
        const result = await started.plane.put(bounded, revision);
        if (result.kind === "applied" && revision !== null) {
          control?.configure(bounded, node);
          keys.follow(bounded);
          await acme.follow(bounded);
          current = next;
        }
        return result;
      });
    },
  });
  const upgrade = (): Promise<HandedOn> => life.handOn("goodgate upgrade", null);
  try {
    admin = await startAdmin(
      settings,
      { gateway, control, config, acme, upgrade, samples, heritage: takeover.heritage },
      events.tell,
    );
  } catch (error) {
    checks.stop();
    await control?.close(LAST_WORDS_MS);
    await gateway.close();
    await close();
    await closeShared();
    return { ok: false, what: "admin", ...listenFailure(error, settings.admin?.bind ?? null) };
  }
  const end = async (): Promise<void> => {
    acme.stop();
    checks.stop();
    await gateway.drain();
    await control?.close(LAST_WORDS_MS);
    await admin?.close(LAST_WORDS_MS);
    await close();
    await closeShared();
  };
  const giveOnPlace = async (order: Order): Promise<Given> => {
    const handed = [...sockets.handOn(), ...adminSocket(config.shown(), admin?.server() ?? null)];
    const given = await giveOn({ sockets: handed, state, desk, known: gateway.known() }, order, events.tell);
    if (!given.ok) return given;
    const { successor } = given;
    const leave = async (): Promise<void> => {
      acme.stop();
      checks.stop();
      const drained = gateway.drain(HAND_OVER_IDLE_MS);
      await Promise.all([admin?.close(LAST_WORDS_MS), control?.close(LAST_WORDS_MS)]);
      await successor.send({ kind: "control is free" });
      await drained;
      await close();
      gateway.letGo();
      await successor.endKeys();
      await closeShared();
      await successor.send({ kind: "keys are free" });
    };
    return { ok: true, successor, end: leave };
  };
  process.on("SIGUSR1", reopenLog);
  const cut = async (): Promise<void> => {
    await gateway.close();
    await close();
  };
  const life = running({
    listeners: gateway.listening.map((port) => ({ host: port.address, port: port.port })),
    admin: admin.server(),
    drainMs: () => config.shown().drainMs,
    config: options.file === undefined ? null : config,
    events,
    subscribe(listener) {
      gateway.view.subscribe(listener);
      events.listen(({ code, detail }) => gateway.tell(code, detail));
    },
    end,
    takeover,
    giveOn: giveOnPlace,
    cut,
  });
  await tookOver(takeover, events.tell);
  return { ok: true, gateway: life.gateway };
}
