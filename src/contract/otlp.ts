/** What is told to an OpenTelemetry collector, and how it is asked to. */
import type { Span } from "./spans.ts";

export interface OtlpOptions {
  /** Without the path: `http://127.0.0.1:4318`. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly node: string;
  readonly version: string;
  readonly traces: boolean;
  readonly metrics: boolean;
  readonly intervalMs: number;
}

export interface Otlp {
  /** `done` is called once: null when the collector took them, otherwise why not. */
  send(spans: readonly Span[], done: (failure: string | null) => void): void;
  close(): Promise<void>;
}

/** Counters since the start of this process, and gauges. */
export type OtlpFigures = readonly {
  readonly metric: "exchanges" | "causes" | "attempts" | "failures" | "duration" | "incidents" | "traces left out";
  readonly value: number;
  readonly attributes: Readonly<Record<string, string>>;
}[];
