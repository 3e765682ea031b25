/**
 * What a conclusion stands on. Diagnosis may only say what it can cite: an `Evidence` without a citation cannot be
 * written down, and neither can a hypothesis without evidence (contract/incident.ts).
 */
export type Citation =
  /** A figure over a stretch of time, and what it was before or beside it. Times are epoch ms, `to` exclusive. */
  | {
      readonly kind: "figure";
      /** What was counted: `failures`, `attempts`, `latency p95`, `loop delay p99`, … */
      readonly figure: string;
      /** Of what: dimension → value, e.g. `{ service: "shop", origin: "http://a1:3000" }`. */
      readonly where: Readonly<Record<string, string>>;
      readonly from: number;
      readonly to: number;
      readonly value: number;
      /** Null: nothing to compare with. */
      readonly usual: number | null;
      /** `exchanges`, `ms`, `ratio`, `bytes`, … */
      readonly unit: string;
    }
  /** A recorded exchange, and the fields of its record that say it. */
  | {
      readonly kind: "exchange";
      readonly id: string;
      readonly at: number;
      readonly fields: Readonly<Record<string, string | number>>;
    }
  | { readonly kind: "change"; readonly id: string; readonly at: number; readonly text: string }
  /** An event of the gateway: an origin's state, a pool's share, a resolver's answer. */
  | { readonly kind: "event"; readonly at: number; readonly code: string; readonly text: string }
  /** A rung of the probe ladder. */
  | {
      readonly kind: "probe";
      readonly id: string;
      readonly at: number;
      readonly rung: string;
      readonly result: "holds" | "breaks" | "unknown";
      readonly text: string;
    };

export interface Evidence {
  /** One sentence. */
  readonly text: string;
  readonly cites: readonly [Citation, ...Citation[]];
}
