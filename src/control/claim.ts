/**
 * A hypothesis while it is being weighed. Evidence is worth points, about one for "rather", two for "likely", three for "hardly
 * anything else", and the points of rivals are compared as logarithms of odds. A claim without evidence for it is no claim.
 */
import type { Evidence } from "../contract/evidence.ts";
import type { CauseId, Party } from "../kernel/causes.ts";
import { CAUSES, isCauseId } from "../kernel/causes.ts";
import type { ConclusionId } from "../kernel/conclusions.ts";
import { CONCLUSIONS } from "../kernel/conclusions.ts";

export type AnyCause = CauseId | ConclusionId;

export interface Claim {
  readonly cause: AnyCause;
  readonly party: Party;
  /** One sentence about this case. */
  readonly claim: string;
  readonly where: Readonly<Record<string, string>>;
  readonly points: number;
  readonly for: readonly Evidence[];
  readonly against: readonly Evidence[];
}

export class Weighing {
  readonly cause: AnyCause;
  readonly #claim: string;
  readonly #where: Readonly<Record<string, string>>;
  #points = 0;
  readonly #for: { readonly points: number; readonly evidence: Evidence }[] = [];
  readonly #against: { readonly points: number; readonly evidence: Evidence }[] = [];

  constructor(cause: AnyCause, claim: string, where: Readonly<Record<string, string>> = {}) {
    this.cause = cause;
    this.#claim = claim;
    this.#where = where;
  }

  /** `when` false: nothing is said, neither for nor against. */
  speaksFor(points: number, evidence: Evidence, when: boolean = true): this {
    if (!when) return this;
    this.#points += points;
    this.#for.push({ points, evidence });
    return this;
  }

  speaksAgainst(points: number, evidence: Evidence, when: boolean = true): this {
    if (!when) return this;
    this.#points -= points;
    this.#against.push({ points, evidence });
    return this;
  }

  done(): Claim {
    return {
      cause: this.cause,
      party: partyOf(this.cause),
      claim: this.#claim,
      where: this.#where,
      points: this.#points,
      for: strongestFirst(this.#for),
      against: strongestFirst(this.#against),
    };
  }
}

export function partyOf(cause: AnyCause): Party {
  return isCauseId(cause) ? CAUSES[cause].party : CONCLUSIONS[cause].party;
}

export function titleOf(cause: AnyCause): string {
  return isCauseId(cause) ? CAUSES[cause].title : CONCLUSIONS[cause].title;
}

export function firstStepOf(cause: AnyCause): string {
  return isCauseId(cause) ? CAUSES[cause].lookFirst : CONCLUSIONS[cause].lookFirst;
}

/** What is worth points for two reasons is said once. */
function strongestFirst(items: readonly { readonly points: number; readonly evidence: Evidence }[]): Evidence[] {
  const sums = new Map<string, { points: number; readonly evidence: Evidence }>();
  for (const { points, evidence } of items) {
    const sum = sums.get(evidence.text);
    if (sum === undefined) sums.set(evidence.text, { points, evidence });
    else sum.points += points;
  }
  return [...sums.values()].toSorted((a, b) => b.points - a.points).map(({ evidence }) => evidence);
}
