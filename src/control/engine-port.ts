/**
 * The engine as the control loop sees it. It is a function of facts: it reads no clock, and two engines that were told
 * the same say the same. What it holds can be written down and put back, so that a restart forgets nothing.
 */
import type { Answers, News, Question } from "../contract/control-port.ts";
import type { Fact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import type { SeriesRow } from "../contract/series.ts";

export interface Engine {
  step(fact: Fact): readonly Output[];
  /** Time has come to `now`, epoch ms, by the facts: called after each second that was told. */
  tick(now: number): readonly Output[];
  /** `act`: whether that can be done; it is done by telling the fact. */
  answer<Q extends EngineQuestion>(question: Q): Answers[Q["ask"]];
  /** Points that are complete at `now` and were not given out before. */
  takeRows(now: number): readonly SeriesRow[];
  /** Everything but those rows, as plain data. */
  save(): unknown;
  /** Of an engine that was told nothing yet. Throws when it cannot be read: then a new one begins. */
  restore(saved: unknown, rows: readonly SeriesRow[]): void;
  /**
   * Until the next call facts are told again that led to these incidents: what is found in them keeps its id, also where this
   * engine sees it at another moment, or more or fewer of them, than the one that saw them first.
   */
  recall(known: readonly Incident[]): void;
}

/** What it knows by itself; the rest is answered beside it. */
export type EngineQuestion = Extract<Question, { ask: "incidents" | "incident" | "act" | "health" | "series" }>;

export type Output = Extract<News, { kind: "incident" | "forecast" }> | Wish;

/** What it would like to know or have done; whoever can, does, and tells by a fact. */
export interface Wish {
  readonly kind: "wish";
  /** Climb the ladder of probes at this origin. */
  readonly wish: "probe";
  readonly service: string;
  readonly origin: string;
  readonly because: string;
}
