/**
 * Waiting for an event of what may end instead. `once` of node:events hears of errors and of nothing else: where a
 * connection is closed in order, it waits for ever.
 */
import type { EventEmitter } from "node:events";

/** What comes with the next `event`; rejects when an error or `end` comes first. Nothing may have ended before. */
export function eventBefore<T extends unknown[]>(emitter: EventEmitter, event: string, end = "close"): Promise<T> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      emitter.off(event, came).off(end, ended).off("error", failed);
    };
    const came = (...values: unknown[]): void => {
      done();
      resolve(values as T);
    };
    const ended = (): void => {
      done();
      reject(new Error(`"${end}" came before "${event}"`));
    };
    const failed = (error: unknown): void => {
      done();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    emitter.on(event, came).on(end, ended).on("error", failed);
  });
}
