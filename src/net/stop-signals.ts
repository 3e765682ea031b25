/**
 * The signals by which people and supervisors end a server: SIGTERM, SIGINT (Ctrl-C), SIGHUP (the terminal
 * was closed). The first asks for a graceful end, a second one, later, for an end at once.
 *
 * Signals that come together count as one: Ctrl-C reaches every process of the terminal's group, and the
 * launcher or npm above this process passes it on a second time.
 */
import type { Clock } from "../kernel/clock.ts";

export type StopSignal = "SIGTERM" | "SIGINT" | "SIGHUP";

/** What `process` is to this file. */
export interface SignalSource {
  on(signal: StopSignal, heard: (signal: StopSignal) => void): unknown;
  off(signal: StopSignal, heard: (signal: StopSignal) => void): unknown;
}

export const STOP_SIGNALS: readonly StopSignal[] = ["SIGTERM", "SIGINT", "SIGHUP"];
/** Where SIGHUP means that the configuration is to be read again. */
export const STOP_SIGNALS_BUT_HANGUP: readonly StopSignal[] = ["SIGTERM", "SIGINT"];
const TOGETHER_MS = 500;

/** `again` is false the first time. The returned function stops listening, which gives the signals their usual effect back. */
export function onStopSignal(
  source: SignalSource,
  clock: Clock,
  stop: (signal: StopSignal, again: boolean) => void,
  signals: readonly StopSignal[] = STOP_SIGNALS,
): () => void {
  let firstAt = -1;
  const heard = (signal: StopSignal): void => {
    const now = clock.monotonic();
    if (firstAt < 0) {
      firstAt = now;
      stop(signal, false);
    } else if (now - firstAt >= TOGETHER_MS) {
      stop(signal, true);
    }
  };
  for (const signal of signals) source.on(signal, heard);
  return () => {
    for (const signal of signals) source.off(signal, heard);
  };
}
