/**
 * What a service manager wants to hear (sd_notify(3)): that the gateway serves, that it stops, that it lives, and which
 * process is the main one after another has taken its place.
 *
 * systemd listens on a datagram socket of the file system, which Node.js cannot write to. So its own `systemd-notify`
 * says it: a process for each message, of which there are a handful in a life and one per half watchdog time. The unit
 * has to let it speak for the service (NotifyAccess=all). Where there is no such program, that is told once.
 */
import { spawn } from "node:child_process";

export interface ServiceManager {
  /** Resolves when it has been heard, or cannot be. */
  tell(...assignments: readonly string[]): Promise<void>;
  /** This process is the main one from now on. */
  serves(): Promise<void>;
  /** The configuration is being read again (Type=notify-reload asks for the time); `isReloaded` when that is over. */
  reloads(): Promise<void>;
  isReloaded(): Promise<void>;
  close(): void;
}

const COMMAND = "systemd-notify";

/** Null: nobody wants to hear anything. */
export function findServiceManager(
  env: NodeJS.ProcessEnv,
  pid: number,
  onDeaf: (detail: string) => void,
): ServiceManager | null {
  if ((env["NOTIFY_SOCKET"] ?? "") === "") return null;
  let isDeaf = false;
  let watchdog: NodeJS.Timeout | null = null;

  function tell(...assignments: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      const child = spawn(COMMAND, assignments, { stdio: "ignore" });
      child.unref();
      const failed = (why: string): void => {
        if (!isDeaf)
          onDeaf(`${COMMAND} cannot tell the service manager anything (${why}); a unit with Type=exec needs none`);
        isDeaf = true;
        resolve();
      };
      child.once("error", (error) => failed(error.message));
      child.once("exit", (code) => (code === 0 ? resolve() : failed(`exit code ${code}`)));
    });
  }

  return {
    tell,
    async serves() {
      await tell("READY=1", `MAINPID=${pid}`);
      const watchedMs = Number(env["WATCHDOG_USEC"] ?? 0) / 1000;
      if (watchedMs > 0 && watchdog === null) {
        watchdog = setInterval(() => void tell("WATCHDOG=1"), watchedMs / 2);
        watchdog.unref();
      }
    },
    reloads: () => tell("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    isReloaded: () => tell("READY=1"),
    close() {
      if (watchdog !== null) clearInterval(watchdog);
    },
  };
}
