/** What a code of another system means, as the API and the CLI tell it: there, here, and how to tell apart what it can be. */
import type { Party } from "../kernel/causes.ts";
import { CAUSES, isCauseId } from "../kernel/causes.ts";
import type { CauseId } from "../kernel/causes.ts";
import { CONCLUSIONS } from "../kernel/conclusions.ts";
import type { ForeignCode, ForeignSystem } from "./foreign-codes.ts";
import { SYSTEM_NAMES } from "./foreign-codes.ts";
import type { Finding } from "./verdict/case.ts";

export interface ToldCode {
  system: ForeignSystem;
  /** The system as people call it. */
  name: string;
  /** As it is written there. */
  code: string;
  /** Other spellings. */
  also: string[];
  /** What it means there. */
  means: string;
  /** What it can be here; empty: nothing that this gateway meets. */
  here: ToldFinding[];
}

export interface ToldFinding {
  id: Finding;
  title: string;
  party: Party;
  /** What shows it, and what tells it from the others. */
  evidence: string;
  lookFirst: string;
}

export function tellCode({ system, code, also, means, here }: ForeignCode): ToldCode {
  return { system, name: SYSTEM_NAMES[system], code, also: [...also], means, here: here.map(tellFinding) };
}

/** Causes by which a kept exchange shows what one of the codes can be here. */
export function causesOf(codes: readonly ForeignCode[]): CauseId[] {
  const causes = codes
    .flatMap(({ here }) => here)
    .flatMap((finding) => (isCauseId(finding) ? [finding] : CONCLUSIONS[finding].showsAs));
  return [...new Set(causes)];
}

function tellFinding(id: Finding): ToldFinding {
  const { title, party, evidence, lookFirst } = isCauseId(id) ? CAUSES[id] : CONCLUSIONS[id];
  return { id, title, party, evidence, lookFirst };
}
