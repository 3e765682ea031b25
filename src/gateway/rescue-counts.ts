/**
 * What was done for exchanges besides asking one origin once, counted from the decisions on their records when they
 * end. An exchange that needed nothing has no decisions and costs one comparison (telemetry.ts).
 */
import type { ExchangeRecord, Outcome } from "../contract/record.ts";
import type { RescueCounts } from "../contract/view.ts";

export function createRescueCounts(): RescueCounts {
  return {
    hedges: { started: 0, won: 0, cancelled: 0 },
    resumes: { begun: 0, completed: 0, mismatched: 0 },
    keys: { stored: 0, replayed: 0, uncertain: 0 },
  };
}

export function countRescues(counts: RescueCounts, { decisions, outcome }: ExchangeRecord): void {
  const { hedges, resumes, keys } = counts;
  let wentOn = false;
  for (const { code } of decisions) {
    switch (code) {
      case "hedge.sent":
        hedges.started += 1;
        break;
      case "hedge.won":
        hedges.won += 1;
        break;
      case "hedge.cancelled":
        hedges.cancelled += 1;
        break;
      case "resume.allowed.broken":
      case "resume.allowed.same-origin":
      case "resume.allowed.stalled":
        resumes.begun += 1;
        break;
      case "resume.continued":
        wentOn = true;
        break;
      case "resume.mismatch.validator":
        resumes.mismatched += 1;
        break;
      case "key.stored":
        keys.stored += 1;
        break;
      case "key.replayed":
        keys.replayed += 1;
        break;
      case "key.uncertain":
        keys.uncertain += 1;
        break;
      default:
    }
  }
  if (wentOn && IS_WHOLE[outcome]) resumes.completed += 1;
}

export function copyOfRescues({ hedges, resumes, keys }: RescueCounts): RescueCounts {
  return { hedges: { ...hedges }, resumes: { ...resumes }, keys: { ...keys } };
}

const IS_WHOLE: Readonly<Record<Outcome, boolean>> = {
  served: true,
  rescued: true,
  failed: false,
  refused: false,
  aborted: false,
};
