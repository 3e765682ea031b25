/**
 * What goes between the gateway's process and the control process: plain data over the channel that Node opens
 * between a process and the one that it forks. Every batch of facts is acknowledged, so that the sender knows what the
 * other side has and never piles up more than a few seconds of it.
 */
import type { Settings } from "../config/settings.ts";
import type { Answers, News, NotAnswered, Question } from "./control-port.ts";
import type { Fact } from "./facts.ts";
import type { ExchangeRecord } from "./record.ts";

export type ToControl =
  /** First of all. */
  | { readonly kind: "begin"; readonly setup: ControlSetup }
  | { readonly kind: "facts"; readonly batch: FactBatch }
  /** For a collector: passed on or lost, and never written down. */
  | { readonly kind: "traces"; readonly records: readonly ExchangeRecord[]; readonly leftOut: LeftOut }
  | { readonly kind: "ask"; readonly number: number; readonly question: Question }
  /** Somebody looks: figures are told once a second. */
  | { readonly kind: "watched"; readonly on: boolean }
  /** What it was given with `begin` is configured otherwise now, as far as it need not begin anew for it. */
  | { readonly kind: "configure"; readonly settings: Settings }
  /** Write down what is to be kept and end. */
  | { readonly kind: "end" };

/** Exchanges that a collector should have been told of and is not, since the message before. */
export interface LeftOut {
  /** There were more than are told in a second. */
  readonly bound: number;
  /** No control process was there to take them, or it did not keep up. */
  readonly process: number;
}

export type FromControl =
  | { readonly kind: "ready" }
  | { readonly kind: "took"; readonly number: number }
  | {
      readonly kind: "answer";
      readonly number: number;
      readonly answer: Answers[Question["ask"]] | NotAnswered;
    }
  | { readonly kind: "news"; readonly news: News }
  /** For the gateway's event stream. */
  | { readonly kind: "told"; readonly code: string; readonly detail: string };

export interface ControlSetup {
  readonly version: string;
  readonly node: string;
  /** Null: nothing outlives the process. */
  readonly stateDirectory: string | null;
  readonly settings: Settings;
  /** False after it ended several times in a row soon after its start: what it remembers may be what it dies of. */
  readonly restore: boolean;
}

export interface FactBatch {
  /** Which life of the gateway: numbers begin anew with each. */
  readonly session: string;
  readonly number: number;
  readonly facts: readonly Fact[];
}

/** Whether the process would open the same when it begins: sinks, collector, page and store, at which it looks once. */
export function isOpenedAlike(one: Settings, other: Settings): boolean {
  return openedWith(one) === openedWith(other);
}

function openedWith({ control, alerts, otlp, statusPage, dns }: Settings): string {
  return JSON.stringify([control, alerts, otlp, statusPage, dns.resolvers]);
}
