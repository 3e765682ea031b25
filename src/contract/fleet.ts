/**
 * What the nodes of a fleet have in common, in a database that all of them reach: rows of plain text, a lease, and who
 * was there lately. What the rows mean is for those to say who write them; where they are is for the store to know.
 */

/** Nothing of it is asked for on a request's way. */
export interface FleetStore {
  view(): FleetView;
  /** Begins to follow; `hear` gets all of it each time a connection is made (`isWhole`), and then what is new. */
  start(hear: HearShared): void;
  /** Null: another node has the lease. Rejects: nobody can be asked. What is new was heard before it resolves. */
  take(): Promise<SharedTerm | null>;
  stop(): Promise<void>;
}

/** Resolves when it is in effect here, which is then told to the others. */
export type HearShared = (rows: readonly SharedRow[], isWhole: boolean) => Promise<void>;

export interface SharedRow {
  readonly kind: "certificate" | "name" | "authority" | "account" | "proof";
  readonly id: string;
  /** JSON. Null: there is none any more. */
  readonly body: string | null;
}

/** The lease, as long as it is ours. */
export interface SharedTerm {
  /** All or nothing. False: the lease is somebody else's by now, and nothing was written. Rejects: nobody knows. */
  write(rows: readonly SharedRow[]): Promise<boolean>;
  /** Resolves when all nodes that were there lately have what was written, or after a while without them. */
  spread(): Promise<void>;
  giveBack(): Promise<void>;
}

/** How it is with the database, for people. */
export interface FleetView {
  /** `unreachable`: it is tried again. `unusable`: it answers, and somebody has to change something; tried as well. */
  readonly state: "connecting" | "connected" | "unreachable" | "unusable";
  /** Why it is not connected; empty when it is. */
  readonly detail: string;
  /** Epoch ms: since when the state is what it is. */
  readonly since: number;
  /** `HOST:PORT/NAME`; empty: that is not known yet. */
  readonly database: string;
  /** The node that has the lease, as last heard; empty: none. */
  readonly holder: string;
  /** Those that were there within a day, as last heard, this one among them. */
  readonly nodes: readonly FleetNode[];
}

export interface FleetNode {
  readonly name: string;
  /** Epoch ms. */
  readonly seenAt: number;
  /** It has all that is written. */
  readonly isCurrent: boolean;
}
