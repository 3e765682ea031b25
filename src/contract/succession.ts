/**
 * What a gateway and the process that takes its place say to each other. The sockets go along with the start of the
 * successor; what only one of them can have at a time goes when its predecessor says so. Until then the successor asks
 * the predecessor's ledger of keys, as a worker asks its supervisor's.
 */
import type { KnownLeft } from "./known-news.ts";
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
  | { readonly kind: "keys are free" }
  /** What is known of the origins. Looked at before it is believed. */
  | { readonly kind: "known"; readonly known: KnownLeft }
  /** Of the process that keeps the place: the predecessor has ended, in order or not. */
  | { readonly kind: "predecessor ended" };

export type FromSuccessor =
  /** It accepts connections. `hearsOfEnd`: it knows `predecessor ended`. Absent in older programs. */
  | { readonly kind: "ready"; readonly hearsOfEnd?: boolean }
  | { readonly kind: "key"; readonly message: KeyQuestion }
  /** It ends and has never served. `said`: what it wrote for people. Absent in older programs. */
  | { readonly kind: "failed"; readonly said: string }
  /** All that was asked has been answered. */
  | { readonly kind: "keys ended" };

/** A socket on its way to the next process, which the message carries. */
export interface SocketLeft {
  /** As configured: `127.0.0.1`, `unix:/run/goodgate.sock`. */
  readonly host: string;
  readonly port: number;
  /** The file that it listens at, if it is to be removed at the end. */
  readonly file: { readonly path: string; readonly dev: number; readonly ino: number } | null;
}

/**
 * What a gateway asks of the process that keeps its place for good (net/keeper.ts), which may be of an older program.
 * Sockets come before the order that they are for, each with a message of its own.
 */
export type ToKeeper =
  | { readonly kind: "next socket"; readonly socket: SocketLeft }
  | {
      readonly kind: "next";
      /** So many were sent. */
      readonly sockets: number;
      readonly state: string | null;
      readonly configuration: ConfigurationLeft | null;
    }
  | { readonly kind: "to next"; readonly message: ToSuccessor }
  | { readonly kind: "no next" };

export type FromKeeper =
  | { readonly kind: "from next"; readonly pid: number; readonly message: FromSuccessor }
  /** Also when it could not be started. */
  | { readonly kind: "next ended"; readonly because: string };
