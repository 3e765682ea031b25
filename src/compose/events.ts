/** What only the composition sees (logs, listeners, signals), for whoever hears the gateway's events. */
import type { GatewayEvent } from "../contract/view.ts";
import { systemClock } from "../net/clock.ts";

export interface Events {
  /** What was told before has waited for it. */
  listen(listener: (event: GatewayEvent) => void): void;
  /** What only this file sees: the log, the listeners, signals. */
  tell(this: void, code: string, detail: string): void;
}

export function createEvents(): Events {
  const early: GatewayEvent[] = [];
  let heard = (event: GatewayEvent): void => void early.push(event);
  return {
    listen(listener) {
      heard = listener;
      for (const event of early.splice(0)) listener(event);
    },
    tell: (code, detail) => heard({ kind: "gateway", at: systemClock.wall(), code, detail }),
  };
}
