/**
 * What of the control plane outlives a restart. All of it is written in one go, once a second at most; what cannot be
 * written is told and does not stop anybody.
 */
import type { FactBatch } from "./control-messages.ts";
import type { Incident } from "./incident.ts";
import type { SeriesRow } from "./series.ts";

export interface ControlStore {
  /** What a second brought. All or nothing, and never an exception. */
  write(writing: ControlWriting): void;
  read(): ControlMemory;
  /** Newest first: incidents that are over, which nobody else may remember any more. */
  closedIncidents(limit: number): readonly Incident[];
  incident(id: string): Incident | null;
  /** Those that are not over, and those that began since. */
  incidentsSince(at: number): readonly Incident[];
  /** Things that others keep: silences, alerts that were sent. Oldest first. */
  documents(kind: string): readonly Document[];
  state(): ControlStoreState;
  close(): void;
}

export interface ControlWriting {
  /** As it came. Null: nothing came. */
  readonly batch: FactBatch | null;
  readonly rows: readonly SeriesRow[];
  readonly incidents: readonly Incident[];
  readonly documents: readonly Document[];
  /** What the engine holds. Null: as it was. */
  readonly saved: unknown;
  /** Epoch ms. */
  readonly at: number;
}

export interface Document {
  readonly kind: string;
  readonly id: string;
  readonly at: number;
  /** Epoch ms after which it may be forgotten. */
  readonly until: number;
  /** Plain data. Null: it is to be forgotten. */
  readonly body: unknown;
}

/** What is found at a start. */
export interface ControlMemory {
  /** Null: nothing. */
  readonly saved: unknown;
  /** When that was, epoch ms; 0: never. */
  readonly savedAt: number;
  readonly rows: readonly SeriesRow[];
  /** What was told after that, in order; to be read before anything is written. */
  readonly batches: Iterable<FactBatch>;
  /** The newest batch that was written down. */
  readonly session: string;
  readonly number: number;
}

export interface ControlStoreState {
  /** Empty: all is written. Otherwise why not. */
  readonly failing: string;
  readonly bytes: number;
  /** So many facts came since the engine was last saved that a start would take long to go through them, or could not. */
  readonly isSaveUrgent: boolean;
  readonly bytesMax: number;
}
