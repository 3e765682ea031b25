/**
 * The bundled sample origins, as whoever wants to see a gateway at work has them break: for a while, one pool at a
 * time, each kind a way in which real providers fail. Only there when the gateway was started in front of samples.
 */
export const OUTAGE_KINDS = ["crash", "hang", "slow", "errors"] as const;
export type OutageKind = (typeof OUTAGE_KINDS)[number];

/** What each kind does, for people. */
export const OUTAGE_WORDS: Readonly<Record<OutageKind, string>> = {
  crash: "its processes are gone: connections are refused",
  hang: "it takes requests and never answers",
  slow: "it answers two seconds late",
  errors: "it answers 500",
};

export interface SampleDesk {
  view(): SamplesView;
  /** The only other pool has to be whole: with nothing left there is nothing to see but failure. */
  breakPool(pool: string, kind: OutageKind, forMs: number): SampleBreak;
}

export interface SamplesView {
  readonly pools: readonly {
    readonly name: string;
    readonly origins: number;
    /** Null: it is whole. */
    readonly outage: { readonly kind: OutageKind; readonly until: number } | null;
  }[];
  /** Requests a second that the samples' own client sends. */
  readonly perSecond: number;
}

export type SampleBreak =
  | { readonly done: true; readonly pool: string; readonly kind: OutageKind; readonly until: number }
  | { readonly done: false; readonly why: "unknown pool" | "already broken"; readonly detail: string };

/** What `POST /samples/break` takes. */
export interface SampleBreakBody {
  kind: OutageKind;
  pool?: string;
  for?: string;
}

export interface SampleBroken {
  pool: string;
  kind: OutageKind;
  until: number;
}
