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
import type { ServiceManager } from "../net/service-manager.ts";
import { onStopSignal, STOP_SIGNALS, STOP_SIGNALS_BUT_HANGUP } from "../net/stop-signals.ts";
import type { StopSignal } from "../net/stop-signals.ts";
import { describe } from "./error-text.ts";
import type { Events } from "./events.ts";

/** This many uncaught exceptions within this time, and the process is not worth keeping. */
const FAULTS_MAX = 10;

const FAULTS_WINDOW_MS = 60_000;

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
  /** Starts a successor; resolves with what is to be done once it serves, or null when there is none. */
  readonly giveOn: () => Promise<(() => Promise<void>) | null>;
  readonly manager: ServiceManager | null;
  /** At once: what is cut leaves its records, and the log gets them. */
  readonly cut: () => Promise<void>;
}

/** The life of a gateway that serves, until a signal or too many faults end it. */
export function running({ listeners, admin, drainMs, config, events, subscribe, end, giveOn, manager, cut }: Life): {
  readonly gateway: RunningGateway;
  /** Ends it in order, with this exit code. */
  readonly stop: (code: number, why: string) => void;
} {
  const { promise: stopped, resolve } = Promise.withResolvers<number>();
  let stopping = false;
  const leave = (code: number, end: () => Promise<void>): void => {
    stopping = true;
    manager?.close();
    end().then(
      () => resolve(code),
      (error: unknown) => {
        process.stderr.write(`goodgate: a fault while stopping (gw.internal):\n${describe(error)}\n`);
        resolve(EXIT.internal);
      },
    );
  };
  const stop = (code: number, why: string): void => {
    if (stopping) return;
    events.tell("stopping", why);
    void manager?.tell("STOPPING=1");
    leave(code, end);
  };
  let isGivingOn = false;
  const upgrade = async (): Promise<void> => {
    if (isGivingOn || stopping) return;
    isGivingOn = true;
    const endOfThis = await giveOn();
    isGivingOn = false;
    if (endOfThis !== null && !stopping) leave(EXIT.ok, endOfThis);
  };
  process.on("SIGUSR2", () => void upgrade());
  const signals = config === null ? STOP_SIGNALS : STOP_SIGNALS_BUT_HANGUP;
  const heard = (signal: StopSignal, again: boolean): void => {
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
      // What becomes of it is told as an event.
      void config.reload({ by: "SIGHUP", reason: "", dryRun: false, allowRemoval: false });
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
  return { gateway, stop };
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
