/**
 * What the workers of one node tell each other: plain data that travels in `share` of worker-messages.ts, from a
 * worker to the hub beside the supervisor and from there to all others. Only what is rare travels: what changed, not
 * what was counted. Nothing on a request's way waits for it.
 *
 * Workers do not share a clock: their monotonic clocks began at different moments. So news says how long ago it was
 * decided (`agoMs`) and how long it holds from then on (`forMs`), and whoever keeps it lets it grow older.
 */
import type { LedgerAnswer, LedgerFilter, LedgerView, NewLedgerEntry } from "../kernel/ledger.ts";
import type { KeyState, LedgerEntry, LedgerFailure } from "../kernel/ledger.ts";
import type { ExchangeRecord } from "./record.ts";

/** One address of an origin, by the names of the configuration: two workers may differ in all else. */
export interface Place {
  readonly service: string;
  readonly pool: string;
  readonly origin: string;
  /** `127.0.0.1:3000`. */
  readonly address: string;
}

export type News =
  /** Traffic took an address out, one request tries it, or it is on its way back. */
  | {
      readonly kind: "ejection";
      readonly at: Place;
      readonly phase: "ejected" | "probation" | "ramping";
      readonly agoMs: number;
      /** From `agoMs` on: until a request may try it, until that trial is given up, until the ramp is over. */
      readonly forMs: number;
      readonly times: number;
      /** Nobody listens there: not a judgement that may be wrong. */
      readonly refused: boolean;
      readonly because: string;
    }
  /** The result of an active check, by what is asked of which address. */
  | {
      readonly kind: "check";
      readonly target: string;
      readonly agoMs: number;
      readonly ok: boolean;
      readonly detail: string;
      /** Null: no sign was asked for, or it did not get so far. */
      readonly identity: boolean | null;
      /** How the address stands after it. */
      readonly up: boolean;
    }
  /** A person took an origin out; `forMs` 0: or gave it back. */
  | {
      readonly kind: "drain";
      readonly service: string;
      readonly origin: string;
      readonly agoMs: number;
      readonly forMs: number;
      readonly by: string;
      readonly reason: string;
    }
  /** One route is kept from an address, or not any more. */
  | {
      readonly kind: "breaker";
      readonly at: Place;
      readonly route: string;
      readonly phase: "open" | "trying" | "closed";
      readonly agoMs: number;
      readonly forMs: number;
      readonly times: number;
      readonly because: string;
    }
  /** What happened to a request that may be the one that kills. Each worker judges alike from the same. */
  | {
      readonly kind: "poison";
      readonly service: string;
      readonly what: "broke" | "pinned" | "succeeded" | "refused";
      /** Empty for `refused`, which is about the origin. */
      readonly fingerprint: string;
      /** Address; empty for `succeeded`. */
      readonly origin: string;
      readonly agoMs: number;
      /** How long before that the attempt had begun. */
      readonly sentAgoMs: number;
    }
  /** It is kept away from now on. */
  | {
      readonly kind: "quarantine";
      readonly service: string;
      readonly fingerprint: string;
      readonly agoMs: number;
      readonly forMs: number;
      readonly times: number;
      readonly broken: readonly string[];
    }
  /** After how long an origin closes idle connections, and how that was learned. */
  | {
      readonly kind: "keep-alive";
      readonly at: Place;
      readonly teacher: "hint" | "closed" | "raced";
      readonly idleMs: number;
      readonly agoMs: number;
    }
  /**
   * What an address can take at once and how long it takes, as one process learned it. For those that begin: who serves
   * already learns it from his own part of the traffic.
   */
  | {
      readonly kind: "load";
      readonly at: Place;
      readonly agoMs: number;
      /** So many share the traffic of which it is the part of one. */
      readonly sharers: number;
      /** 0: it is not limited, or that is not learned. */
      readonly limit: number;
      /** How long before that it shrank. */
      readonly shrunkAgoMs: number;
      /** To the first byte; -1: not known. */
      readonly latencyMs: number;
      /** Of routes by name: what is usual here, and a limit of their own; 0: they have none. */
      readonly routes: readonly { readonly name: string; readonly usualMs: number; readonly limit: number }[];
    }
  /** Another pool of these comes first. */
  | {
      readonly kind: "pool";
      readonly service: string;
      readonly pools: readonly string[];
      readonly first: string;
      readonly agoMs: number;
      readonly relapses: number;
    }
  /** A request may have changed what these URLs of a service lead to: stored responses are forgotten. */
  | { readonly kind: "changed"; readonly service: string; readonly host: string; readonly targets: readonly string[] };

/** The one request that may try something again, of all workers together. */
export type TurnKey = string;

/** A row of a rate limit: which limit, and of whom. */
export interface RateKey {
  /** Of rate-names.ts. */
  readonly limit: string;
  /** Of the client or field value; the same number in every worker. */
  readonly key: number;
}

export type ToHub =
  /** It has begun, or has got other addresses: what all know is told it. */
  | { readonly kind: "hello" }
  | { readonly kind: "news"; readonly news: readonly News[] }
  | { readonly kind: "turn wanted"; readonly turn: TurnKey }
  /** It was had and not used, or it is over. */
  | { readonly kind: "turn over"; readonly turn: TurnKey }
  | { readonly kind: "rates"; readonly rows: readonly RateRow[] }
  /** It gives up its base for good; what it admitted by it still counts. */
  | { readonly kind: "rates end"; readonly levels: readonly RateLevel[] }
  /** It stood still, gave up its base for that, and would have one again. */
  | { readonly kind: "rates resume" }
  | { readonly kind: "ledger"; readonly number: number; readonly operation: KeyOperation }
  /** No exchange here works on the key any more. */
  | { readonly kind: "key over"; readonly id: string }
  /** Records that are worth keeping, and how many were left out for being too many. */
  | { readonly kind: "kept"; readonly records: readonly ExchangeRecord[]; readonly leftOut: number };

export type FromHub =
  | { readonly kind: "news"; readonly news: readonly News[] }
  | { readonly kind: "turn"; readonly turn: TurnKey }
  /** Somebody else wants it: to be given back if it is not in use. */
  | { readonly kind: "turn recalled"; readonly turn: TurnKey }
  /** Whether this worker does the active checks for all. */
  | { readonly kind: "checker"; readonly on: boolean }
  | { readonly kind: "rates"; readonly rows: readonly RateGrant[] }
  | { readonly kind: "rates begin"; readonly begin: RateBegin }
  | { readonly kind: "rates end" }
  | { readonly kind: "ledger"; readonly number: number; readonly result: KeyResult; readonly view: LedgerView }
  /** The worker that worked on the key does no more: whoever waits for it may ask again. */
  | { readonly kind: "key over"; readonly id: string };

/** What a worker says of its part of one row. */
export interface RateRow extends RateKey {
  /** `ask`: it has run out. `used`: what it used since it last said so. `told`: it gave up its base, as it was asked to. */
  readonly say: "ask" | "used" | "told";
  /** Requests. */
  readonly used: number;
  /** Of what it had been given and does not need. */
  readonly back: number;
  /** How many it would like to have. */
  readonly want: number;
  /** What still counts of requests that it admitted by its base, in units of rate-limit.ts. */
  readonly level: number;
  /** It had a base when it said so; otherwise one may be on its way to it. */
  readonly based: boolean;
}

/** What the hub says of a row. */
export interface RateGrant extends RateKey {
  /** `pool`: give up the base, and tell its level. `grant`: so many more. `back`: give back what is not in use. `base`: the base holds again. */
  readonly say: "pool" | "grant" | "back" | "base";
  readonly count: number;
  /** How long no more can be had; 0: ask at any time. */
  readonly waitMs: number;
  /** How many are left for all together, for the client's information. */
  readonly remaining: number;
}

/** What a worker's base is worth when it begins. */
export interface RateBegin {
  /** Its place was another's, who went without a word so long ago: what that one admitted may still count. -1: nobody's. */
  readonly lostAgoMs: number;
  /** Rows of which it has no base. */
  readonly pooled: readonly RateKey[];
  /** What its predecessor had admitted by the base. */
  readonly levels: readonly RateLevel[];
}

/** Of one limit: keys, and what still counts of each. */
export interface RateLevel {
  readonly limit: string;
  readonly keys: readonly number[];
  readonly levels: readonly number[];
}

export type KeyOperation =
  | { readonly op: "begin"; readonly entry: NewLedgerEntry }
  | { readonly op: "again"; readonly id: string; readonly requestId: string }
  | { readonly op: "answer"; readonly id: string; readonly answer: LedgerAnswer }
  | { readonly op: "mark"; readonly id: string; readonly state: Exclude<KeyState, { kind: "started" }> }
  | { readonly op: "forget"; readonly id: string }
  | { readonly op: "find"; readonly filter: LedgerFilter };

export type KeyResult =
  | { readonly kind: "begun" }
  | { readonly kind: "found"; readonly entry: LedgerEntry; readonly answer: LedgerAnswer | null }
  | { readonly kind: "under way"; readonly fingerprint: string }
  | { readonly kind: "done" }
  | { readonly kind: "entries"; readonly entries: readonly LedgerEntry[] }
  | LedgerFailure;

/** One end of a channel on which only these messages go. What is sent into a closed one is dropped. */
export interface Channel<Sent, Received> {
  send(message: Sent): void;
  /** Set by whoever listens. */
  onMessage: (message: Received) => void;
}
