/**
 * The life of a process that serves, until a signal or too many faults end it.
 *
 * An exception that nobody caught is a fault of this program (cause gw.internal) in the handling of one
 * socket or timer. It is printed and serving goes on: ending the process would break every other exchange
 * for one that is broken already. A process that throws again and again is past that; it drains and exits
 * with code 70, so that its supervisor starts a new one.
 */
import { constants } from "node:os";
import { EXIT } from "../cli/exit-codes.ts";
import type { RunningGateway } from "../cli/ports.ts";
import type { Bind } from "../config/settings.ts";
import type { ConfigDesk } from "../contract/config-desk.ts";
import type { GatewayEvent } from "../contract/view.ts";
import type { AdminServer } from "../net/admin-server.ts";
import { systemClock } from "../net/clock.ts";
import type { ConfigurationLeft, HandedOn } from "../contract/succession.ts";
import type { ServiceManager } from "../net/service-manager.ts";
import { onStopSignal, STOP_SIGNALS, STOP_SIGNALS_BUT_HANGUP } from "../net/stop-signals.ts";
import type { StopSignal } from "../net/stop-signals.ts";
import type { Successor } from "../net/successor.ts";
import { describe } from "./error-text.ts";
import type { Events } from "./events.ts";
import type { Order } from "./takeover.ts";

/** This many uncaught exceptions within this time, and the process is not worth keeping. */
const FAULTS_MAX = 10;

const FAULTS_WINDOW_MS = 60_000;

const UPGRADE_SIGNAL = "SIGUSR2";
/** Of a container, which ends with it. */
const FIRST_PROCESS = 1;

export interface Life {
  readonly listeners: readonly Bind[];
  readonly admin: AdminServer | null;
  readonly drainMs: () => number;
  /** Null: there is no file to read again, and SIGHUP ends the process as it usually does. */
  readonly config: ConfigDesk | null;
  readonly events: Events;
  readonly subscribe: (listener: (event: GatewayEvent) => void) => void;
  /** In order, within the bound for draining. */
  readonly end: () => Promise<void>;
  /** Somebody waits for this process who cannot be told of another one. */
  readonly isWaitedFor: boolean;
  /** Starts a successor, and says what is to be done once it serves. */
  readonly giveOn: (order: Order) => Promise<Given>;
  readonly manager: ServiceManager | null;
  /** At once: what is cut leaves its records, and the log gets them. */
  readonly cut: () => Promise<void>;
}

export type Given =
  | { readonly ok: true; readonly successor: Successor; readonly end: () => Promise<void> }
  | { readonly ok: false; readonly because: string };

export interface Running {
  readonly gateway: RunningGateway;
  /** Ends it in order, with this exit code. */
  stop(code: number, why: string): void;
  /**
   * Has a successor take the place. `configuration`: what it begins with; null: the file on the disk. Whoever started
   * this process for good (a container, a shell, another program) would take its end for the gateway's: where nobody
   * can be told of another process, this one stays behind it, passes signals on and ends when and as it ends.
   */
  handOn(because: string, configuration: ConfigurationLeft | null): Promise<HandedOn>;
}

/** The life of a gateway that serves, until a signal or too many faults end it. */
export function running(life: Life): Running {
  const { listeners, admin, drainMs, config, events, subscribe, end, giveOn, isWaitedFor, manager, cut } = life;
  const { promise: stopped, resolve } = Promise.withResolvers<number>();
  let stopping = false;
  /** Whom this process stays behind; 0: nobody. */
  let heir = 0;
  const leave = (end: () => Promise<number>): void => {
    stopping = true;
    manager?.close();
    end().then(resolve, (error: unknown) => {
      process.stderr.write(`goodgate: a fault while stopping (gw.internal):\n${describe(error)}\n`);
      resolve(EXIT.internal);
    });
  };
  const stop = (code: number, why: string): void => {
    if (stopping) return;
    events.tell("stopping", why);
    void manager?.tell("STOPPING=1");
    leave(async () => {
      await end();
      return code;
    });
  };
  let isGivingOn = false;
  async function handOn(because: string, configuration: ConfigurationLeft | null): Promise<HandedOn> {
    if (stopping) return { ok: false, because: "this process ends" };
    if (isGivingOn) return { ok: false, because: "another successor is being started" };
    isGivingOn = true;
    // A signal is somebody's who knows which process he looks at.
    const isBySignal = because === UPGRADE_SIGNAL && process.pid !== FIRST_PROCESS;
    const stays = manager === null && (isWaitedFor || !isBySignal);
    const given = await giveOn({ because, configuration, stays });
    isGivingOn = false;
    if (!given.ok) return given;
    const { pid, ended } = given.successor;
    if (hasBegunToStop()) {
      // It was told to stop meanwhile, which means the gateway.
      pass(pid, "SIGTERM");
      return { ok: false, because: "this process ends" };
    }
    if (stays) heir = pid;
    leave(async () => {
      await given.end();
      return stays ? ended : EXIT.ok;
    });
    return { ok: true, pid };
  }
  /** What becomes of it is told as an event. */
  async function reload(desk: ConfigDesk): Promise<void> {
    await manager?.reloads();
    await desk.reload({ by: "SIGHUP", reason: "", dryRun: false, allowRemoval: false });
    // A process that has taken the place says so itself.
    if (!stopping) await manager?.isReloaded();
  }
  let reloads = Promise.resolve();
  const hasBegunToStop = (): boolean => stopping;
  process.on(UPGRADE_SIGNAL, () => {
    if (heir > 0) pass(heir, UPGRADE_SIGNAL);
    else if (isGivingOn) events.tell("upgrade.failed", `${UPGRADE_SIGNAL}: another successor is being started already`);
    else void handOn(UPGRADE_SIGNAL, null);
  });
  process.on("SIGUSR1", () => {
    if (heir > 0) pass(heir, "SIGUSR1");
  });
  const signals = config === null ? STOP_SIGNALS : STOP_SIGNALS_BUT_HANGUP;
  const heard = (signal: StopSignal, again: boolean): void => {
    if (heir > 0) {
      pass(heir, signal);
      return;
    }
    if (again) {
      // The conventional code of a process that a signal ended.
      const exit = (): never => process.exit(128 + constants.signals[signal]);
      void cut().then(exit, exit);
      return;
    }
    stop(EXIT.ok, `${signal}: finishing what is under way, ${drainMs() / 1000} s at most; again to stop at once`);
  };
  onStopSignal(process, systemClock, heard, signals);
  if (config !== null)
    process.on("SIGHUP", () => {
      // One after the other: the one before may have had another process take the place, and this is for that one then.
      const follow = (): Promise<void> | void => (heir > 0 ? pass(heir, "SIGHUP") : reload(config));
      reloads = reloads.then(follow, follow);
    });
  onFault((count) => {
    if (count >= FAULTS_MAX) {
      stop(
        EXIT.internal,
        `${count} faults within ${FAULTS_WINDOW_MS / 1000} s: draining, so that a new process can take over`,
      );
    }
  });
  const gateway: RunningGateway = {
    listeners,
    admin: admin === null ? null : { host: admin.host, port: admin.port },
    onEvent(listener) {
      events.listen(listener);
      subscribe(listener);
    },
    stopped,
  };
  return { gateway, stop, handOn };
}

function pass(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended, and so will this one.
  }
}

/** Prints every exception that nobody caught (a rejected promise is one) and says how many there were lately. */
export function onFault(heard: (countLately: number) => void): void {
  const at: number[] = [];
  process.on("uncaughtException", (error) => {
    process.stderr.write(`goodgate: a fault in Goodgate itself (gw.internal); serving goes on:\n${describe(error)}\n`);
    const now = systemClock.monotonic();
    at.push(now);
    while (at.length > FAULTS_MAX || now - (at[0] ?? now) > FAULTS_WINDOW_MS) at.shift();
    heard(at.length);
  });
}
