/**
 * Taking a place and giving it on. What a process finds when it starts (sockets, a predecessor, a service manager), and
 * how its own place goes to a successor: sockets first, so that both accept; then what only one can have at a time. No
 * key is begun by the successor while the predecessor may still promise something about it (store/late-ledger.ts).
 */
import type { Settings } from "../config/settings.ts";
import type { Ledger } from "../kernel/ledger.ts";
import type { ToControl } from "../contract/control-messages.ts";
import { systemSchedule } from "../net/clock.ts";
import type { ChannelListener, ControlChannel } from "../net/control-process.ts";
import { readHeritage } from "../net/heritage.ts";
import type { HandedSocket, Heritage } from "../net/heritage.ts";
import { meetPredecessor } from "../net/predecessor.ts";
import type { Predecessor } from "../net/predecessor.ts";
import { findServiceManager } from "../net/service-manager.ts";
import type { ServiceManager } from "../net/service-manager.ts";
import { startSuccessor } from "../net/successor.ts";
import type { Successor } from "../net/successor.ts";
import { LateLedger } from "../store/late-ledger.ts";
import type { Events } from "./events.ts";
import { openKeys, withoutPlaceForKeys } from "./state.ts";
import type { StartResult } from "../cli/ports.ts";

export interface Takeover {
  readonly heritage: Heritage;
  readonly predecessor: Predecessor | null;
  readonly manager: ServiceManager | null;
}

/** While it gives its place on, a connection that asks nothing for so long is closed. */
export const HAND_OVER_IDLE_MS = 5_000;

export function findTakeover(tell: Events["tell"]): Takeover {
  const heritage = readHeritage(process.env, process.pid);
  return {
    heritage,
    predecessor: heritage.from === "predecessor" ? meetPredecessor() : null,
    manager: findServiceManager(process.env, process.pid, (detail) => tell("service-manager.deaf", detail)),
  };
}

/** Everything serves: what is left over is closed, and whoever waits for this hears it. */
export async function tookOver({ heritage, predecessor, manager }: Takeover, tell: Events["tell"]): Promise<void> {
  const rest = heritage.closeRest();
  if (rest.length > 0) {
    tell(
      "listeners.not-used",
      `sockets were left to this process that no listener is configured for: ${rest.join(", ")}`,
    );
  }
  // Before the predecessor may end: the service manager must know by then whom to look at.
  await manager?.serves();
  predecessor?.ready();
}

export interface Keys {
  readonly ledger: Ledger | null;
  close(): Promise<void>;
}

/** The ledger of keys, at once or when the predecessor lets it go. */
export async function takeKeys(
  settings: Settings,
  state: string | null,
  { heritage, predecessor }: Takeover,
  tell: Events["tell"],
): Promise<{ readonly ok: true; readonly keys: Keys } | Extract<StartResult, { ok: false }>> {
  if (state !== null && predecessor !== null && heritage.state === state) {
    const late = new LateLedger();
    const opened = predecessor.keysAreFree.then(async () => {
      const ledger = await openKeys(state, settings, tell);
      late.open(ledger);
      return ledger;
    });
    return { ok: true, keys: { ledger: late, close: async () => (await opened).close() } };
  }
  const ledger = state === null ? null : await openKeys(state, settings, tell);
  const placeless = withoutPlaceForKeys(settings, state, ledger);
  if (placeless === null) return { ok: true, keys: { ledger, close: async () => ledger?.close() } };
  await ledger?.close();
  return placeless;
}

/** A control process whose first life waits until there is no other. */
export function lateChannel(
  free: Promise<void>,
  start: (listener: ChannelListener) => ControlChannel,
): (listener: ChannelListener) => ControlChannel {
  return (listener) => {
    let channel: ControlChannel | null = null;
    let isKilled = false;
    const early: ToControl[] = [];
    const begin = async (): Promise<void> => {
      await free;
      if (isKilled) return;
      channel = start(listener);
      for (const message of early) channel.send(message);
    };
    void begin();
    return {
      send: (message) => (channel === null ? void early.push(message) : channel.send(message)),
      kill() {
        if (channel !== null) channel.kill();
        else if (!isKilled) {
          isKilled = true;
          listener.onEnd("there is still another");
        }
      },
    };
  };
}

/** Null: there is no successor, which is told; this process goes on. */
export async function giveOn(
  sockets: readonly HandedSocket[],
  state: string | null,
  tell: Events["tell"],
): Promise<Successor | null> {
  tell("upgrade.started", "SIGUSR2: a successor is started with the program and the configuration that are there now");
  const started = await startSuccessor({ sockets, state, schedule: systemSchedule });
  if (started.ok) {
    tell("upgrade.done", `process ${started.successor.pid} serves; this one finishes what is under way and ends`);
    return started.successor;
  }
  tell("upgrade.failed", `the successor does not serve: ${started.because}; this process goes on as before`);
  return null;
}
