/**
 * The composition root of the control process, which the gateway's process forks beside itself (net/control-process.ts).
 * It gives the engine its facts, its store and its hands, and owns the life of the process.
 *
 * It does not heed the signals that end its parent: Ctrl-C and a service manager reach both, and the gateway may have
 * half a minute of draining before it, with facts to tell. It ends when its parent says so, or is not there any more.
 */
import { constants, setPriority } from "node:os";
import { createAlertDesk } from "./control/alert-desk.ts";
import { createControlLoop } from "./control/control-loop.ts";
import type { Companion, ControlLoop, LoopHands, LoopMessage } from "./control/control-loop.ts";
import { createOtlp } from "./control/otlp-companion.ts";
import { createEngine } from "./control/engine.ts";
import { createForecasts } from "./control/forecast/forecast-companion.ts";
import { createLadder } from "./control/ladder/ladder-companion.ts";
import { createStatusDesk } from "./control/status-desk.ts";
import { statusPage } from "./control/status-page.ts";
import type { StatusFacts } from "./control/status-page.ts";
import type { Settings, StatusPageSettings } from "./config/settings.ts";
import type { FromControl, ToControl } from "./contract/control-messages.ts";
import type { ControlStore } from "./contract/control-store.ts";
import { systemChance } from "./net/chance.ts";
import { systemClock, systemSchedule } from "./net/clock.ts";
import { GUARDED } from "./net/control-fork.ts";
import { guardOrphan } from "./net/orphan-guard.ts";
import { openSinks } from "./net/sinks/open-sinks.ts";
import { createProbeRungs } from "./net/probe-rungs.ts";
import { openStatusSite } from "./net/status-site.ts";
import { openControlStore } from "./store/control-store.ts";

/** Faults that are printed; a fault in each of 50,000 facts must not fill a disk. */
const FAULTS_PRINTED_MAX = 100;

function main(): void {
  process.title = "goodgate control";
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"] as const) process.on(signal, () => undefined);
  // Requests come first where both want the same core.
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Where that is not allowed both are alike.
  }
  if (process.argv.includes(GUARDED)) guardOrphan();
  let printed = 0;
  const onFault = (error: unknown): void => {
    printed += 1;
    if (printed > FAULTS_PRINTED_MAX) return;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`goodgate: a fault in the control process; serving is not touched by it:\n${text}\n`);
  };
  process.on("uncaughtException", onFault);
  process.stderr.on("error", () => undefined);

  let loop: ControlLoop | null = null;
  let isEnding = false;
  let hasBegun = false;
  /** What was asked before it could answer. The gateway bounds how much that is. */
  const early: LoopMessage[] = [];
  const configured: Configured = { settings: null };
  /** It cannot begin: the gateway says so and tries again later. */
  const dieOf = (error: unknown): never => {
    onFault(error);
    process.exit(1);
  };
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    const leave = (): never => process.exit(0);
    if (loop === null) leave();
    else void loop.close().then(leave, leave);
  };
  const start = async (message: Extract<ToControl, { kind: "begin" }>): Promise<void> => {
    const made = await begin(message, configured, onFault);
    loop = made;
    send({ kind: "ready" });
    for (const waiting of early.splice(0)) made.receive(waiting);
  };
  process.once("disconnect", end);
  process.on("message", (told) => {
    // Both ends of the channel are this program's, and of one version.
    const message = told as ToControl;
    if (message.kind === "end") end();
    else if (message.kind === "configure") configured.settings = message.settings;
    else if (message.kind !== "begin") {
      if (loop === null) early.push(message);
      else loop.receive(message);
    } else if (!hasBegun) {
      hasBegun = true;
      start(message).catch(dieOf);
    }
  });
}

/** Null: as it was begun with. */
interface Configured {
  settings: Settings | null;
}

async function begin(
  { setup }: Extract<ToControl, { kind: "begin" }>,
  configured: Configured,
  onFault: (error: unknown) => void,
): Promise<ControlLoop> {
  const otlp = await otlpOf(setup);
  const sinks = openSinks(setup.settings.alerts?.sinks ?? [], () => systemClock.wall());
  const { settings } = setup;
  const rungs = createProbeRungs({ resolvers: settings.dns.resolvers, schedule: systemSchedule });
  const loop = createControlLoop({
    createEngine: () => createEngine(),
    store: storeOf(setup),
    companions: (hands) => [
      createForecasts(hands, {
        standby: { settings: () => configured.settings ?? settings, rungs, onFault },
        onFault,
      }),
      ...otlp(hands),
      createAlertDesk({
        settings: setup.settings.alerts,
        sinks,
        hands,
        node: setup.node,
        clock: systemClock,
        schedule: systemSchedule,
        chance: systemChance,
      }),
      createLadder(hands, { settings: () => configured.settings ?? settings, rungs, clock: systemClock, onFault }),
      ...statusDesks(hands, setup.settings.statusPage),
    ],
    send,
    onFault,
  });
  loop.restore(setup.restore);
  return loop;
}

/** A gateway that tells no collector anything loads nothing for it. */
async function otlpOf({
  settings,
  node,
  version,
}: Extract<ToControl, { kind: "begin" }>["setup"]): Promise<(hands: LoopHands) => Companion[]> {
  const { otlp } = settings;
  if (otlp === null) return () => [];
  const { openOtlp } = await import("./net/otlp.ts");
  const options = { ...otlp, node, version };
  return (hands) => [
    createOtlp(
      { open: (figures) => openOtlp(options, figures), schedule: systemSchedule, withQuery: otlp.queries },
      hands,
    ),
  ];
}

function statusDesks(hands: LoopHands, settings: StatusPageSettings | null): readonly Companion[] {
  if (settings === null) return [];
  let known: StatusFacts | null = null;
  const site = openStatusSite({
    bind: settings.bind,
    directory: settings.directory,
    page: () => (known === null ? null : statusPage(known, settings, systemClock.wall())),
    onFailure: (detail) => hands.tell("status-page.failing", detail),
  });
  const publish = (facts: StatusFacts): void => {
    known = facts;
    site.refresh();
  };
  return [createStatusDesk(hands, publish, () => site.close())];
}

function storeOf({ stateDirectory, settings }: Extract<ToControl, { kind: "begin" }>["setup"]): ControlStore | null {
  const { control } = settings;
  if (control === null || control.diskBytes === 0 || stateDirectory === null) return null;
  return openControlStore({
    directory: stateDirectory,
    bytesMax: control.diskBytes,
    factsBytesMax: control.factsBytes,
    onEvent: (code, detail) => send({ kind: "told", code, detail }),
    now: () => systemClock.monotonic(),
  });
}

/** The parent may be gone, which `disconnect` tells. */
function send(message: FromControl): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

main();
