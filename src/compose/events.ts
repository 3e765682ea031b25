/**
 * What only the composition sees (logs, certificates, listeners, signals), on its way into the gateway's own events:
 * there the terminal, the stream of the API and the control process hear all of them alike.
 */
import type { GatewayEvent } from "../contract/view.ts";
import { systemClock } from "../net/clock.ts";

type OwnEvent = Extract<GatewayEvent, { kind: "gateway" }>;

export interface Events {
  /** What was told before has waited for it. */
  listen(listener: (event: OwnEvent) => void): void;
  /** What only this file sees: the log, the listeners, signals. */
  tell(this: void, code: string, detail: string): void;
}

export function createEvents(): Events {
  const early: OwnEvent[] = [];
  let heard = (event: OwnEvent): void => void early.push(event);
  return {
    listen(listener) {
      heard = listener;
      for (const event of early.splice(0)) listener(event);
    },
    tell: (code, detail) => heard({ kind: "gateway", at: systemClock.wall(), code, detail }),
  };
}
