/**
 * The ledger port: what was promised for each Idempotency-Key, kept so that it outlives this process. The gateway
 * says what to keep and when; how it becomes durable is the store's (store/ledger.ts). A simulator can stand in for
 * the disk and lose what was not committed.
 *
 * Calls take effect in the order in which they are made. No `done` is called from inside the call that it belongs
 * to, and each is called exactly once. What `done` says is durable: it survives a crash of process and machine.
 */

/** What is known of a key; policies/idempotency.ts decides what it means. */
export type KeyState =
  /** Sent, or about to be: durable before the first byte can leave. */
  | { readonly kind: "started" }
  /** `kept` is false when only the fact is known: the answer was too large to be stored. */
  | { readonly kind: "answered"; readonly status: number; readonly kept: boolean; readonly because: string }
  /** It may have been carried out, and nobody here knows. */
  | { readonly kind: "uncertain"; readonly because: string };

export interface LedgerEntry {
  /** Hex; the same for two requests that are meant to be the same one (gateway/idempotency-scope.ts). */
  readonly id: string;
  /** As the client wrote it, for people. */
  readonly key: string;
  /** Of the request's method, target and body, of a long body of its beginning. */
  readonly fingerprint: string;
  readonly service: string;
  readonly route: string;
  readonly method: string;
  readonly target: string;
  /** Of the exchange that began it. */
  readonly requestId: string;
  /** Epoch ms. */
  readonly startedAt: number;
  /** Epoch ms; from then on the key is as if it had never been used. */
  readonly expiresAt: number;
  readonly state: KeyState;
}

export type NewLedgerEntry = Omit<LedgerEntry, "state">;

/** An answer as it came from the origin: its head as bytes, its body without transfer coding. */
export interface LedgerAnswer {
  /** Fingerprint of the whole request that it answers. Empty: the entry's says it all, or its end was never read. */
  readonly request: string;
  readonly status: number;
  readonly head: Uint8Array;
  readonly body: Uint8Array;
}

/** Why nothing was kept. */
export interface LedgerFailure {
  readonly kind: "failed";
  readonly code:
    /** The bound on its size is reached and nothing may be forgotten yet. */
    | "full"
    | "disk-full"
    /** More waits for the disk than may wait. */
    | "busy"
    /** The file cannot be written or read. */
    | "broken"
    /** The gateway stops, or the ledger has failed before. */
    | "closed";
  readonly detail: string;
}

export type Begun =
  | { readonly kind: "begun" }
  /** `answer` is there when the state is `answered` and kept. */
  | { readonly kind: "found"; readonly entry: LedgerEntry; readonly answer: LedgerAnswer | null }
  /** Another process works on it: `whenOver` tells when that is over, and then the same is to be asked again. */
  | { readonly kind: "under way"; readonly fingerprint: string }
  | LedgerFailure;

export interface LedgerFilter {
  /** Only this entry. */
  readonly id?: string;
  /** Only this key, exactly as clients write it. */
  readonly key?: string;
  /** Only what is uncertain. */
  readonly uncertain?: boolean;
  readonly limit: number;
}

/** Gauges. */
export interface LedgerView {
  keys: number;
  /** What they take, by its own count. */
  bytes: number;
}

export interface Ledger {
  view(): LedgerView;
  /** Records the key as started unless it is known already. Entries that expired count as unknown. */
  begin(entry: NewLedgerEntry, done: (begun: Begun) => void): void;
  /** A known key is started once more, by another exchange. */
  again(id: string, requestId: string, done: (failure: LedgerFailure | null) => void): void;
  answer(id: string, answer: LedgerAnswer, done: (failure: LedgerFailure | null) => void): void;
  /** Any other state. */
  mark(id: string, state: Exclude<KeyState, { kind: "started" }>, done: (failure: LedgerFailure | null) => void): void;
  /** The key was provably not used: it is free again. */
  forget(id: string, done: (failure: LedgerFailure | null) => void): void;
  /** Nobody here works on it any more. Of a ledger that several processes have together; so is the one below. */
  over?(id: string): void;
  /** Calls `done` when the process that works on it says so, or has ended. Returns what cancels that. */
  whenOver?(id: string, done: () => void): () => void;
  /** Newest first. */
  find(filter: LedgerFilter, done: (found: readonly LedgerEntry[] | LedgerFailure) => void): void;
}
