/**
 * Where a running gateway is given another configuration, and what becomes of it: what the API, the command line and a
 * signal all ask, and are all answered alike.
 */
import type { ConfigProblem } from "../config/problems.ts";
import type { SettingChange } from "../config/setting-changes.ts";
import type { Settings } from "../config/settings.ts";
import type { Revision } from "./revision.ts";

export interface ConfigDesk {
  state(): ConfigState;
  /** What is in effect, with everything hidden that must stay unknown. */
  shown(): Settings;
  /** One after the other. */
  apply(order: ConfigOrder): Promise<ConfigOutcome>;
  /** The file that the gateway was started with is read again. */
  reload(order: Omit<ConfigOrder, "text" | "file">): Promise<ConfigOutcome>;
}

export interface ConfigOrder {
  /** Of the whole file. */
  readonly text: string;
  /** What the file is called in problems. */
  readonly file: string;
  /** Empty: nobody said. */
  readonly by: string;
  readonly reason: string;
  /** Everything is checked and nothing is changed. */
  readonly dryRun: boolean;
  /** What would be refused because it takes away so much is meant. */
  readonly allowRemoval: boolean;
}

export type ConfigOutcome =
  | { readonly kind: "applied"; readonly revision: Revision }
  /** Of a dry run. */
  | { readonly kind: "would apply"; readonly changes: readonly SettingChange[] }
  /** It is in effect already. */
  | { readonly kind: "unchanged"; readonly revision: Revision }
  | ConfigRefusal;

/** Nothing was changed. */
export interface ConfigRefusal {
  readonly kind: "refused";
  readonly why:
    /** The text has problems. */
    | "invalid"
    /** It takes away so much that somebody has to say that it is meant. */
    | "removes"
    /** A file, an address or a secret that it names cannot be had. */
    | "unusable"
    /** Only a new process can begin with it. */
    | "needs restart"
    | "draining"
    /** There is no file to read again, or it cannot be read. */
    | "no file";
  readonly detail: string;
  readonly problems: readonly ConfigProblem[];
}

/** Of putting settings into effect in a process. */
export type PutResult =
  | { readonly kind: "applied" }
  /** The settings are the same, and so are the files that they name. */
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly why: ConfigRefusal["why"]; readonly detail: string };

export interface ConfigState {
  revision: Revision;
  /** What became of the last order that was no dry run; before the first one that of the start. */
  lastOk: boolean;
  /** Epoch ms. */
  lastAt: number;
  /** Why the last one was refused; empty when it was not. */
  lastProblem: string;
}
