/**
 * What a gateway and the process that takes its place say to each other. The sockets go along with the start of the
 * successor; what only one of them can have at a time goes when its predecessor says so. Until then the successor asks
 * the predecessor's ledger of keys, as a worker asks its supervisor's.
 */
import type { Revision } from "./revision.ts";
import type { FromHub, ToHub } from "./shared-knowledge.ts";

export type KeyAnswer = Extract<FromHub, { kind: "ledger" | "key over" }>;
export type KeyQuestion = Extract<ToHub, { kind: "ledger" | "key over" }>;

/** What a successor begins with instead of the file on the disk. */
export interface ConfigurationLeft {
  /** Of the whole file. */
  readonly text: string;
  /** What it is called in problems. */
  readonly file: string;
  readonly revision: Revision;
}

/** What became of having a successor take the place. */
export type HandedOn = { readonly ok: true; readonly pid: number } | { readonly ok: false; readonly because: string };

export type ToSuccessor =
  /** The control process has ended: facts and incidents can be read and written by another. */
  | { readonly kind: "control is free" }
  | { readonly kind: "key"; readonly message: KeyAnswer }
  /** Nothing works on a key here any more: ask nothing from now on. */
  | { readonly kind: "keys end" }
  /** The ledger is closed: another can open it. */
  | { readonly kind: "keys are free" };

export type FromSuccessor =
  /** It accepts connections. */
  | { readonly kind: "ready" }
  | { readonly kind: "key"; readonly message: KeyQuestion }
  /** All that was asked has been answered. */
  | { readonly kind: "keys ended" };
