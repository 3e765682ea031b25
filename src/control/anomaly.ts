/** A watch that gave alarm: what is unusual, where, and since when. What it means is for the diagnosis to say. */

export type AnomalyKind =
  | "failed"
  | "rescued"
  | "attempts"
  | "slow"
  | "slow origin"
  | "left"
  | "refused"
  | "out"
  | "silence"
  | "names"
  | "checks"
  | "budget"
  | "stall"
  | "wall"
  | "crash";

export interface Anomaly {
  readonly key: string;
  readonly kind: AnomalyKind;
  /** Empty: the gateway itself. */
  readonly service: string;
  readonly where: Readonly<Record<string, string>>;
  /** Epoch ms of its first sign. */
  readonly since: number;
  /** One failure or two, or none yet: enough by itself, and too little where a deploy is under way. Nothing new: it is spared now (isSpared). */
  readonly rests?: "few failures" | "nothing new";
}
