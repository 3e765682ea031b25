/**
 * The control plane as the rest sees it: a process that can be asked, that tells what it concludes, and that may be
 * dead, hung or busy at any time. Nothing on a request's way asks it. Who asks waits for `ASK_MS` at most and is then
 * told since when nothing was heard of it: what is shown is marked as stale, never as healthy.
 */
import type { AlertTested } from "./alerts.ts";
import type { Fact, PersonFact } from "./facts.ts";
import type { Forecast, Incident } from "./incident.ts";
import type { SeriesAnswer, SeriesQuestion, ServiceHealth } from "./series.ts";

export const ASK_MS = 2_000;
/** A climb of the probe ladder takes its time, and so does a test of sinks. */
export const PROBE_ASK_MS = 20_000;

export interface ControlPort {
  /** `done` is called exactly once. */
  ask<Q extends Question>(question: Q, done: (answer: Answers[Q["ask"]] | NotAnswered) => void): void;
  /** Hears what the control plane tells until the returned function is called. */
  subscribe(listener: (news: News) => void): () => void;
  state(): ControlState;
}

export interface ControlState {
  readonly state: "running" | "starting" | "hung" | "dead" | "off";
  /** Epoch ms of the last sign of life; null: none yet. */
  readonly heardAt: number | null;
  readonly because: string;
  /** Facts that could not be handed over since the start: seconds, and events beyond their bound. */
  readonly factsLost: number;
  /** Seconds of facts that it has not taken yet; some are always under way. */
  readonly factsWaiting: number;
  /** Its resident memory; 0: not known, or there is no process. */
  readonly residentBytes: number;
  /** Exchanges that failed, were rescued or were slow, and of which no collector was told because there were too many. */
  readonly tracesLeftOut: number;
  readonly restarts: number;
}

/** Where there is no control plane. */
export const CONTROL_OFF: ControlState = {
  state: "off",
  heardAt: null,
  because: "it is switched off (control: false)",
  factsLost: 0,
  factsWaiting: 0,
  residentBytes: 0,
  tracesLeftOut: 0,
  restarts: 0,
};

export type Question =
  | { readonly ask: "incidents"; readonly state?: "open" | "closed"; readonly limit?: number }
  | { readonly ask: "incident"; readonly id: string }
  | { readonly ask: "act"; readonly fact: PersonFact }
  | { readonly ask: "forecasts" }
  | { readonly ask: "health" }
  | { readonly ask: "series"; readonly question: SeriesQuestion }
  | { readonly ask: "probes"; readonly limit?: number }
  /** Climb the ladder now, because a person wants to know. */
  | { readonly ask: "probe"; readonly service: string; readonly origin: string; readonly by: string }
  | { readonly ask: "alerts" }
  | { readonly ask: "silence"; readonly silence: NewSilence }
  | { readonly ask: "unsilence"; readonly id: string; readonly by: string }
  /** A marked message to a sink, or with an empty name to all of them. */
  | { readonly ask: "test alert"; readonly sink: string; readonly by: string };

export interface Answers {
  readonly incidents: readonly Incident[];
  readonly incident: Incident | null;
  /** Empty: done. Otherwise why not. */
  readonly act: { readonly refused: string };
  readonly forecasts: readonly Forecast[];
  readonly health: readonly ServiceHealth[];
  readonly series: SeriesAnswer;
  readonly probes: readonly Extract<Fact, { kind: "probe" }>[];
  readonly probe: Extract<Fact, { kind: "probe" }> | { readonly refused: string };
  readonly alerts: AlertsView;
  readonly silence: { readonly id: string } | { readonly refused: string };
  readonly unsilence: { readonly refused: string };
  readonly "test alert": { readonly tested: readonly AlertTested[] } | { readonly refused: string };
}

export interface NotAnswered {
  readonly unanswered: "off" | "dead" | "hung" | "failed";
  readonly because: string;
}

export type News =
  | { readonly kind: "incident"; readonly incident: Incident }
  | { readonly kind: "forecast"; readonly forecast: Forecast; readonly over: boolean }
  | { readonly kind: "probe"; readonly probe: Extract<Fact, { kind: "probe" }> }
  /** Once a second: the figures that a dashboard shows live. */
  | { readonly kind: "pulse"; readonly at: number; readonly services: readonly ServiceHealth[] }
  | { readonly kind: "control"; readonly state: ControlState };

export interface NewSilence {
  /** Dimension → value: of an incident's `where`, or `service`, `severity`, `party`, `cause`. All must match. */
  readonly where: Readonly<Record<string, string>>;
  readonly by: string;
  readonly reason: string;
  /** Epoch ms. */
  readonly until: number;
}

export interface Silence extends NewSilence {
  readonly id: string;
  readonly at: number;
}

export interface AlertsView {
  readonly silences: readonly Silence[];
  readonly sinks: readonly {
    readonly name: string;
    readonly kind: string;
    readonly state: "ok" | "failing" | "waiting" | "unused";
    readonly because: string;
    readonly lastAt: number | null;
  }[];
  /** Newest first, at most 200. */
  readonly sent: readonly {
    readonly at: number;
    readonly incident: string;
    readonly sink: string;
    readonly what: "open" | "update" | "repeat" | "escalate" | "taken" | "recovered";
    readonly outcome: "delivered" | "failed" | "waiting" | "silenced" | "quiet hours";
    readonly detail: string;
  }[];
}
