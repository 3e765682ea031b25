/** One code of another system: the code as it is written there, what it means there, and other spellings of it. */
import type { CauseId } from "../../kernel/causes.ts";

export type ForeignRow = readonly [code: string, means: string, also?: readonly string[]];

/** Of a system that the table of causes does not list: which of ours show it. */
export type SystemCodeRow = readonly [code: string, means: string, here: readonly CauseId[]];
