/** The control process beside the gateway, and the way of facts to it. */
import { createHash } from "node:crypto";
import type { Settings } from "../config/settings.ts";
import type { Fact } from "../contract/facts.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import { createIdSource, systemChance } from "../net/chance.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import { forkControl } from "../net/control-fork.ts";
import { startControlProcess } from "../net/control-process.ts";
import type { ChannelListener, ControlChannel, ControlProcess } from "../net/control-process.ts";
import { lateChannel } from "./takeover.ts";
import { VERSION } from "./version.ts";

const CONTROLLER = new URL(import.meta.url.endsWith(".ts") ? "../controller.ts" : "../controller.js", import.meta.url);

export interface ControlPlace {
  readonly node: string;
  readonly state: string | null;
  readonly tell: (code: string, detail: string) => void;
  /** When the control process of a predecessor has ended. */
  readonly free: Promise<void> | undefined;
}

/** Null: it is switched off. */
export function startControl(settings: Settings, { node, state, tell, free }: ControlPlace): ControlProcess | null {
  if (settings.control === null) return null;
  const start = (listener: ChannelListener): ControlChannel => forkControl(CONTROLLER, listener);
  return startControlProcess({
    start: free === undefined ? start : lateChannel(free, start),
    setup: { version: VERSION, node, stateDirectory: state, settings },
    session: createIdSource()(),
    clock: systemClock,
    schedule: systemSchedule,
    chance: systemChance,
    tell,
  });
}

/** Facts of the time before there is anybody to tell wait here: the start of the gateway is one. */
export function createBridge(): {
  tell(this: void, fact: Fact): void;
  tellTraces(this: void, records: readonly ExchangeRecord[], leftOut: number): void;
  connect(this: void, control: ControlProcess | null): void;
} {
  const early: Fact[] = [];
  let tell = (fact: Fact): void => void early.push(fact);
  let process: ControlProcess | null = null;
  return {
    tell: (fact) => tell(fact),
    tellTraces: (records, leftOut) => process?.tellTraces(records, leftOut),
    connect(control) {
      process = control;
      tell = control === null ? () => undefined : (fact) => control.tellFact(fact);
      for (const fact of early.splice(0)) tell(fact);
    },
  };
}

/** By what is configured, so that a restart with the same file is the same revision. */
export function revisionOf(settings: Settings): string {
  return createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 12);
}
