/** What a verdict is, and the case that those get who judge between look-alikes. */
import type { CauseId, Party } from "../../kernel/causes.ts";
import { CAUSES, isCauseId } from "../../kernel/causes.ts";
import { CONCLUSIONS } from "../../kernel/conclusions.ts";
import type { ConclusionId } from "../../kernel/conclusions.ts";
import type { Evidence } from "../evidence.ts";
import type { AttemptRecord, ExchangeRecord } from "../record.ts";
import type { Surroundings } from "./surroundings.ts";

/** What a verdict may name: one exchange can show a cause, and surroundings what is behind it. */
export type Finding = CauseId | ConclusionId;

export type Because = readonly [Evidence, ...Evidence[]];

export type ExchangeVerdict =
  | { readonly kind: "decided"; readonly cause: Finding; readonly party: Party; readonly because: Because }
  | {
      readonly kind: "undecided";
      /** Likeliest first, as far as that can be said. */
      readonly between: readonly [Finding, Finding, ...Finding[]];
      /** When all of them have the same one; otherwise null. */
      readonly party: Party | null;
      readonly because: Because;
      /** What would tell them apart, for a person. */
      readonly tellApart: string;
    };

/** What a judge of look-alikes gets. */
export interface Case {
  readonly record: ExchangeRecord;
  readonly cause: CauseId;
  /** The attempt that failed of it; null: the exchange failed of it without one. */
  readonly attempt: AttemptRecord | null;
  readonly around: Surroundings;
  /** What the gateway saw when it judged. */
  readonly seen: Evidence;
}

export function decided(one: Case, cause: Finding, more: readonly Evidence[]): ExchangeVerdict {
  // The gateway may have known more of the party than the table says of its cause.
  const party =
    cause === one.cause && one.record.cause === cause ? (one.record.party ?? partyOf(cause)) : partyOf(cause);
  return { kind: "decided", cause, party, because: [one.seen, ...more] };
}

export function undecided(
  one: Case,
  between: readonly [Finding, Finding, ...Finding[]],
  more: readonly Evidence[],
  tellApart: string,
): ExchangeVerdict {
  const parties = new Set(between.map(partyOf));
  const [party] = parties;
  return {
    kind: "undecided",
    between,
    party: parties.size === 1 && party !== undefined ? party : null,
    because: [one.seen, ...more],
    tellApart,
  };
}

export function partyOf(finding: Finding): Party {
  return isCauseId(finding) ? CAUSES[finding].party : CONCLUSIONS[finding].party;
}

export function titleOf(finding: Finding): string {
  return isCauseId(finding) ? CAUSES[finding].title : CONCLUSIONS[finding].title;
}

export function lookFirstOf(finding: Finding): string {
  return isCauseId(finding) ? CAUSES[finding].lookFirst : CONCLUSIONS[finding].lookFirst;
}
