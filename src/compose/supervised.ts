/**
 * A gateway in several workers: this process opens the listening sockets, supervises the workers, and has the admin
 * server, the control process and the ledger of keys beside it. It carries no traffic.
 */
import { hostname } from "node:os";
import type { StartResult } from "../cli/ports.ts";
import type { Settings } from "../config/settings.ts";
import type { GatewayEvent } from "../contract/view.ts";
import type { WorkerChannel } from "../contract/worker-messages.ts";
import { WorkerHub } from "../control/worker-hub.ts";
import { createIdSource, systemChance } from "../net/chance.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import { createSupervisor } from "../net/supervisor.ts";
import type { Supervisor } from "../net/supervisor.ts";
import { FIRST_SOCKET, forkWorker } from "../net/worker-fork.ts";
import { createBridge, revisionOf, startControl } from "./control.ts";
import { LAST_WORDS_MS } from "./data-plane.ts";
import { listenFailure } from "./error-text.ts";
import { bindListeners } from "./listener-sockets.ts";
import type { ListenerSockets } from "./listener-sockets.ts";
import type { StartedWith } from "./one-process.ts";
import { running } from "./process-life.ts";
import { stateDirectoryOf } from "./state.ts";
import { giveOn, HAND_OVER_IDLE_MS, takeKeys, tookOver } from "./takeover.ts";
import { VERSION } from "./version.ts";

const WORKER = new URL(import.meta.url.endsWith(".ts") ? "../worker.ts" : "../worker.js", import.meta.url);

export async function startSupervised(
  settings: Settings,
  workers: number,
  { events, takeover }: StartedWith,
): Promise<StartResult> {
  const listeners = new Set<(event: GatewayEvent) => void>();
  const state = stateDirectoryOf(settings);
  const taken = await takeKeys(settings, state, takeover, events.tell);
  if (!taken.ok) return taken;
  const { keys } = taken;
  let sockets: ListenerSockets;
  try {
    sockets = await bindListeners(settings.listeners, workers, takeover.heritage);
  } catch (error) {
    await keys.close();
    return { ok: false, what: "listener", ...listenFailure(error, settings.listeners[0]?.bind ?? null) };
  }
  const node = settings.node === "" ? hostname() : settings.node;
  const revision = revisionOf(settings);
  const newId = createIdSource();
  const seed = newId() + newId();
  const bridge = createBridge();

  const hub = new WorkerHub({ clock: systemClock, settings, workers, ledger: keys.ledger });

  function follow(channel: WorkerChannel): void {
    const member = hub.join(channel.worker, (message) => channel.send({ kind: "share", message }));
    channel.onMessage((message) => {
      if (message.kind === "share") member.hear(message.message);
      else if (message.kind === "fact") bridge.tell(message.fact);
      else if (message.kind === "event") for (const listener of listeners) listener(message.event);
    });
    channel.onRetire(() => member.retire());
    channel.onEnd(() => member.leave());
  }

  let stop = (_code: number, _why: string): void => undefined;
  const supervisor: Supervisor = createSupervisor({
    workers,
    drainMs: () => settings.drainMs,
    start(worker, life, listener) {
      const { descriptors, binds } = sockets.ofWorker(worker);
      const child = forkWorker(WORKER, descriptors, listener);
      let next = FIRST_SOCKET;
      const inherited = binds.map(({ bind, count }) => {
        const first = next;
        next += count;
        return { bind, descriptors: Array.from({ length: count }, (_, index) => first + index) };
      });
      child.send({
        kind: "begin",
        setup: {
          version: VERSION,
          node,
          worker,
          workers,
          life,
          settings,
          revision,
          seed,
          stateDirectory: state,
          sockets: inherited,
        },
      });
      return child;
    },
    sockets: (worker) => sockets.handlesOf(worker),
    onLife: follow,
    clock: systemClock,
    schedule: systemSchedule,
    chance: systemChance,
    tell: events.tell,
    onHopeless: (detail) => stop(70, detail),
  });
  const failed = await supervisor.start();
  if (failed !== null) {
    sockets.close();
    await keys.close();
    // What a worker cannot open is what a single process could not either.
    const what = failed.what as Extract<StartResult, { ok: false }>["what"];
    return { ok: false, what, where: failed.where, code: failed.code };
  }
  const control = startControl(settings, { node, state, tell: events.tell, free: takeover.predecessor?.controlIsFree });
  bridge.connect(control);
  const end = async (): Promise<void> => {
    await supervisor.drain(0);
    await control?.close(LAST_WORDS_MS);
    await keys.close();
    sockets.close();
  };
  const giveOnPlace = async (): Promise<(() => Promise<void>) | null> => {
    const successor = await giveOn(sockets.handOn(), state, hub.keys, events.tell);
    if (successor === null) return null;
    return async () => {
      const drained = supervisor.drain(HAND_OVER_IDLE_MS);
      await control?.close(LAST_WORDS_MS);
      await successor.send({ kind: "control is free" });
      await drained;
      await successor.endKeys();
      await keys.close();
      await successor.send({ kind: "keys are free" });
      sockets.close();
    };
  };
  process.on("SIGUSR1", () => supervisor.broadcast({ kind: "reopen" }));
  const life = running({
    listeners: sockets.addresses,
    admin: null,
    drainMs: () => settings.drainMs,
    config: null,
    events,
    subscribe: (listener) => void listeners.add(listener),
    end,
    giveOn: giveOnPlace,
    manager: takeover.manager,
    cut: () => supervisor.stop(),
  });
  stop = life.stop;
  await tookOver(takeover, events.tell);
  return { ok: true, gateway: life.gateway };
}
