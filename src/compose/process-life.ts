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
import { Keeper } from "../net/keeper.ts";
import type { ConfigurationLeft, HandedOn } from "../contract/succession.ts";
import { guardOrphan } from "../net/orphan-guard.ts";
import { onStopSignal, STOP_SIGNALS, STOP_SIGNALS_BUT_HANGUP } from "../net/stop-signals.ts";
import type { StopSignal } from "../net/stop-signals.ts";
import { giveBackMemory } from "../net/give-back-memory.ts";
import type { Successor } from "../net/successor.ts";
import { describe } from "./error-text.ts";
import type { Events } from "./events.ts";
import type { Order, Takeover } from "./takeover.ts";

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
  /** For what is told by `events` as well. */
  readonly subscribe: (listener: (event: GatewayEvent) => void) => void;
  /** In order, within the bound for draining. */
  readonly end: () => Promise<void>;
  readonly takeover: Takeover;
  /** Starts a successor, and says what is to be done once it serves. */
  readonly giveOn: (order: Order) => Promise<Given>;
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
   * the first process for good (a container, a shell, another program) would take its end for the gateway's: where
   * nobody can be told of another process, that one keeps the place (net/keeper.ts), and all others end.
   */
  handOn(because: string, configuration: ConfigurationLeft | null): Promise<HandedOn>;
  /** A successor is being started: what is changed here from now on it would not know. */
  readonly isGivingOn: boolean;
}

/** The life of a gateway that serves, until a signal or too many faults end it. */
export function running(life: Life): Running {
  const { listeners, admin, drainMs, config, events, subscribe, end, giveOn, takeover, cut } = life;
  const { heritage, predecessor, manager } = takeover;
  const { promise: stopped, resolve } = Promise.withResolvers<number>();
  let stopping = false;
  const keeper = new Keeper();
  /** This process does nothing else any more. */
  let isKeeper = false;
  /** No successor is wanted from then on. */
  const unwanted = new AbortController();
  const leave = (end: () => Promise<number>): void => {
    stopping = true;
    manager?.close();
    end().then(resolve, (error: unknown) => {
      fault(error);
      resolve(EXIT.internal);
    });
  };
  const stop = (code: number, why: string): void => {
    if (stopping) return;
    events.tell("stopping", why);
    unwanted.abort();
    void manager?.tell("STOPPING=1");
    leave(async () => {
      await end();
      return code;
    });
  };
  let isGivingOn = false;
  /** Over when it serves or does not. */
  let givingOn: Promise<unknown> = Promise.resolve();
  /** Whoever serves now; 0: this process. */
  let heir = 0;
  function handOn(because: string, configuration: ConfigurationLeft | null): Promise<HandedOn> {
    if (stopping) return Promise.resolve({ ok: false, because: "this process ends" });
    if (isGivingOn) return Promise.resolve({ ok: false, because: "another successor is being started" });
    isGivingOn = true;
    const handed = handOnNow(because, configuration).finally(() => {
      isGivingOn = false;
    });
    givingOn = handed.catch(() => undefined);
    return handed;
  }
  async function handOnNow(because: string, configuration: ConfigurationLeft | null): Promise<HandedOn> {
    // A signal is somebody's who knows which process he looks at.
    const isBySignal = because === UPGRADE_SIGNAL && process.pid !== FIRST_PROCESS;
    const isKept = heritage.isKept && predecessor !== null;
    const stays = manager === null && !isKept && (heritage.isWaitedFor || !isBySignal);
    const given = await giveOn({
      because,
      configuration,
      stays: stays || isKept,
      start: isKept ? predecessor.startNext : keeper.start,
      unwanted: unwanted.signal,
      afterwards: stays ? "waits for it" : "ends",
    });
    if (!given.ok) return given;
    const { pid } = given.successor;
    if (hasBegunToStop()) {
      // It was told to stop meanwhile, which means the gateway.
      pass(pid, "SIGTERM");
      return { ok: false, because: "this process ends" };
    }
    isKeeper = stays;
    heir = pid;
    leave(async () => {
      const finished = finish(given);
      if (!stays) return finished.then(() => EXIT.ok);
      void finished.catch(fault).then(giveBackMemory);
      const code = await keeper.ended;
      // A gateway that crashed is to be started again at once.
      if (code === EXIT.ok) await finished;
      return code;
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
    if (isKeeper) keeper.pass(UPGRADE_SIGNAL);
    else if (isGivingOn) events.tell("upgrade.failed", `${UPGRADE_SIGNAL}: another successor is being started already`);
    else void handOn(UPGRADE_SIGNAL, null);
  });
  process.on("SIGUSR1", () => {
    if (isKeeper) keeper.passToAll("SIGUSR1");
  });
  const signals = config === null ? STOP_SIGNALS : STOP_SIGNALS_BUT_HANGUP;
  const heard = (signal: StopSignal, again: boolean): void => {
    if (isKeeper) {
      keeper.passToAll(signal);
      if (again) void cut();
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
      const follow = async (): Promise<void> => {
        await givingOn;
        if (isKeeper) keeper.pass("SIGHUP");
        else if (heir !== 0) pass(heir, "SIGHUP");
        else await reload(config);
      };
      reloads = reloads.then(follow, follow);
    });
  if (heritage.isWaitedFor) {
    guardOrphan();
    // Whoever ended that one meant the gateway, or starts another one, which needs the address.
    void predecessor?.starterEnded.then(() =>
      stop(EXIT.ok, "the process that was started first has ended: finishing what is under way and ending"),
    );
  }
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
    onEvent: subscribe,
    stopped,
  };
  return {
    gateway,
    stop,
    handOn,
    get isGivingOn() {
      return isGivingOn;
    },
  };
}

/** Whatever becomes of it: nothing is kept from the successor any more. */
async function finish({ successor, end }: Extract<Given, { ok: true }>): Promise<void> {
  try {
    await end();
  } finally {
    await successor.send({ kind: "predecessor ended" });
  }
}

function fault(error: unknown): void {
  process.stderr.write(`goodgate: a fault while stopping (gw.internal):\n${describe(error)}\n`);
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
