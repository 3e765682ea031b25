/** Records of exchanges that failed, for verdicts: one attempt, of which a test says what it is about. */
import type { AttemptRecord, ExchangeRecord, FailureSigns, OwnState } from "../../src/contract/record.ts";
import type { CauseId } from "../../src/kernel/causes.ts";
import { CAUSES } from "../../src/kernel/causes.ts";
import { storyRecord } from "./story-records.ts";

export interface FailedAttempt extends Partial<Omit<AttemptRecord, "signs">> {
  readonly cause: CauseId | null;
  readonly signs?: Partial<Omit<FailureSigns, "own">> & { readonly own?: Partial<OwnState> };
}

const WELL: OwnState = { lastStallMs: 0, stallAgoMs: -1, loopLateMs: 0, descriptorsLeft: 900 };

const SIGNS: FailureSigns = {
  end: "FIN",
  detail: "",
  limitMs: 0,
  framing: "none",
  requestSent: true,
  stallMs: 0,
  keepAliveMs: -1,
  answeredAgoMs: -1,
  connectedAgoMs: -1,
  inFlight: 1,
  leftAnswer: false,
  marks: [],
  asked: null,
  own: WELL,
};

/** An attempt that failed on a new connection, unless `changes` say otherwise. */
export function failedAttempt(number: number, { signs = {}, ...changes }: FailedAttempt): AttemptRecord {
  const [ordinary] = storyRecord().attempts;
  if (ordinary === undefined) throw new Error("an ordinary record has an attempt");
  return {
    ...ordinary,
    number,
    status: 0,
    receivedBytes: 0,
    firstByteUs: -1,
    headUs: -1,
    evidence: changes.cause === null ? "" : "seen",
    ...changes,
    signs: changes.cause === null ? null : { ...SIGNS, ...signs, own: { ...WELL, ...signs.own } },
  };
}

/** The exchange has the cause of its last attempt, and so has `record` what `changes` do not replace. */
export function failedRecord(
  attempts: readonly FailedAttempt[],
  changes: Partial<ExchangeRecord> = {},
): ExchangeRecord {
  const made = attempts.map((attempt, index) => failedAttempt(index + 1, attempt));
  const cause = made.at(-1)?.cause ?? null;
  return storyRecord({
    outcome: cause === null ? "rescued" : "failed",
    cause,
    party: cause === null ? null : CAUSES[cause].party,
    evidence: cause === null ? "" : "seen",
    own: cause === null ? null : WELL,
    attempts: made,
    ...changes,
  });
}
