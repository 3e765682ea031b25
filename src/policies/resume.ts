/**
 * Whether a body that broke, or stands still, is continued now. It may take many origins and many breaks until a large
 * file is through, so attempts are not counted as they are for a request: what counts is whether they bring anything.
 * An attempt that brought a good part starts the count afresh; a few in a row that did not are the end of it, and in all
 * there are no more than the route allows.
 *
 * The budget guards origins against being asked twice for the same work. What the client has is not asked for again, so
 * a break after a good part takes no token: with it a cut line under a thousand downloads would use up what the service
 * keeps for everything else. A stalled origin is still at work, and asking a second one besides always takes a token.
 *
 * Others may turn out to have other bytes, or none. The origin that the good part came from is the one that is known to
 * have the rest, so it is owed one question: a client does not lose half a body because the budget went to those that
 * did not have it, nor because the only one that has it is held back.
 */
import type { DecisionCode } from "../kernel/decisions.ts";
import type { RetryClass } from "../kernel/causes.ts";
import { durationInWords, sizeInWords } from "./words.ts";

export interface ResumeOptions {
  /** Attempts that any request may have, the first included. 1: nothing is resumed. */
  readonly attemptsMax: number;
  /** Continuations of one body in all. */
  readonly timesMax: number;
  /** After how long without a byte a client is left no longer: the limit of any silence. 0: for ever. */
  readonly gapMs: number;
}

/** Changed in place by `countResume`. */
export interface ResumeState {
  /** Continuations asked for. */
  times: number;
  /** Attempts in a row that brought too little. */
  fruitless: number;
  /** Bytes that the client had when the newest attempt began. */
  from: number;
  /** A good part has come, and the origin that the client's bytes come from has not been asked since. */
  sameOwed: boolean;
}

export interface ResumeInput {
  readonly retryClass: RetryClass;
  /** The origin is silent but its connection stands: the second one would work beside it. */
  readonly stalled: boolean;
  /** How long the client has had nothing, while it would have taken something. */
  readonly silentMs: number;
  readonly received: number;
  /** Bytes of the whole body. */
  readonly bodyBytes: number;
  /** Usable addresses that may still be asked. */
  readonly othersLeft: number;
  /** The address that the client's bytes came from may be asked again on a new connection. */
  readonly sameLeft: boolean;
  readonly budgetLeft: boolean;
  /** `budgetInWords`, needed only when nothing is left. */
  readonly budgetWords: string;
}

export type ResumeCode = Extract<DecisionCode, `resume.${"allowed" | "refused"}.${string}`>;

export interface ResumeVerdict {
  readonly resume: boolean;
  readonly target: "other" | "same";
  /** A token is to be taken from the retry budget. */
  readonly takesToken: boolean;
  readonly code: ResumeCode;
  /** For people, a full clause. */
  readonly reason: string;
}

/** What counts as a good part: this much, or a tenth of what was missing, so that small bodies get their chance. */
export const PROGRESS_BYTES: number = 64 * 1024;
const PROGRESS_RATIO = 0.1;

/**
 * So many times the attempts of a request may bring too little in a row: what the client has is lost with the last one,
 * and asking for a part again costs an origin less than a request from the start.
 */
const PATIENCE = 2;

export function createResume(received = 0): ResumeState {
  return { times: 0, fruitless: 0, from: received, sameOwed: false };
}

export function decideResume(options: ResumeOptions, state: ResumeState, input: ResumeInput): ResumeVerdict {
  if (input.retryClass === "RX") return refuse("resume.refused.no-cure", "another origin does not cure this failure");
  if (options.attemptsMax <= 1) return refuse("resume.refused.attempts", "the service makes one attempt only");
  const fruitless = fruitlessAfter(state, input);
  if (fruitless >= options.attemptsMax * PATIENCE) {
    return refuse(
      "resume.refused.attempts",
      `${fruitless} attempts in a row brought too little, the newest ${sizeInWords(input.received - state.from)}`,
    );
  }
  if (state.times >= options.timesMax)
    return refuse("resume.refused.times", `it has been continued ${state.times} times`);
  // The first one that is asked after a long silence is what ends it, mostly; a second one only makes it longer.
  const wasAsked = state.times > 0 && input.received === state.from;
  if (wasAsked && options.gapMs > 0 && input.silentMs >= options.gapMs)
    return refuse("resume.refused.silence", `the client has had nothing for ${durationInWords(input.silentMs)}`);
  const target = input.othersLeft > 0 ? "other" : "same";
  if (target === "same" && !input.sameLeft)
    return refuse("resume.refused.no-origin", "no origin is left that may have the rest");
  const isFree = !input.stalled && input.received - state.from >= PROGRESS_BYTES;
  if (isFree) return allow(target, "a good part had come", input);
  if (input.budgetLeft) return allow(target, "", input);
  if (input.sameLeft && state.sameOwed && !input.stalled)
    return allow("same", "a good part had come from there", input);
  return refuse("resume.refused.budget", `the retry budget is used up (${input.budgetWords})`);
}

/** A continuation is being asked for. */
export function countResume(
  state: ResumeState,
  received: number,
  bodyBytes: number,
  target: ResumeVerdict["target"],
): void {
  state.fruitless = fruitlessAfter(state, { received, bodyBytes });
  state.sameOwed = target === "other" && (state.sameOwed || received - state.from >= PROGRESS_BYTES);
  state.times += 1;
  state.from = received;
}

/** Attempts in a row that brought too little, when the newest one ends here. */
function fruitlessAfter(
  state: ResumeState,
  { received, bodyBytes }: Pick<ResumeInput, "received" | "bodyBytes">,
): number {
  const brought = received - state.from;
  const missing = bodyBytes - state.from;
  const enough = brought >= PROGRESS_BYTES || (brought > 0 && brought >= missing * PROGRESS_RATIO);
  return enough ? 0 : state.fruitless + 1;
}

/** `free`: why no token is taken; empty: one is. */
function allow(target: "other" | "same", free: string, input: ResumeInput): ResumeVerdict {
  const { received, bodyBytes } = input;
  const missing = `${sizeInWords(bodyBytes - received)} of ${sizeInWords(bodyBytes)} are missing, from byte ${received}`;
  const paid = free === "" ? "" : `; outside the retry budget, because ${free}`;
  const verdict = { resume: true, target, takesToken: free === "" };
  if (input.stalled) {
    const where = target === "other" ? "elsewhere" : "there on a new connection";
    const reason = `the origin is silent: the rest is asked for ${where} besides; ${missing}`;
    return { ...verdict, code: "resume.allowed.stalled", reason };
  }
  if (target === "other")
    return { ...verdict, code: "resume.allowed.broken", reason: `resumed at another origin: ${missing}${paid}` };
  const why = input.othersLeft > 0 ? "which is known to have the rest" : "because no other is left";
  return {
    ...verdict,
    code: "resume.allowed.same-origin",
    reason: `resumed at the same origin on a new connection, ${why}: ${missing}${paid}`,
  };
}

function refuse(code: ResumeCode, why: string): ResumeVerdict {
  return { resume: false, target: "other", takesToken: false, code, reason: `not resumed: ${why}` };
}
