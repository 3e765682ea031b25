/**
 * Which request keeps an origin busy, so that nobody else is answered there? A loop without end, a regular expression
 * that runs away, a parse of something enormous on the one thread of a process: it does not kill, and is answered in
 * the end, so by itself it looks like an honest page that takes its time.
 *
 * What tells them apart is what happens beside it. While a slow page is made, others are answered. What is said here of
 * a request is that it *pins* its origin:
 * - from the moment at which the origin got it, nothing was heard there;
 * - it is the oldest that waits there, so that none of the others can be what began it;
 * - others were sent there since and should have been answered: two of them were, at once, when another origin was asked
 *   beside this one; or three were sent, and a check failed as well;
 * - a connection was accepted since: the machine is there and its network, and only the process says nothing;
 * - another origin of its pool speaks, so that it is not all of them, and not the gateway.
 *
 * An origin that freezes by itself does so under whichever request is the oldest there. So once proves nothing: only a
 * request under which a second origin falls silent is suspect (poison.ts), and an answer to somebody else clears it.
 */
import { medianOf } from "./latency-window.ts";
import type { LatencyWindow } from "./latency-window.ts";
import { silentFromMs } from "./pool-silence.ts";

export interface PinWait<Self> {
  /** Monotonic ms since when it waits, and when it was sent; -1: it has not been sent yet. */
  readonly turnMs: number;
  readonly sentMs: number;
  /** Its number among the attempts at its address. */
  readonly nth: number;
  readonly newer: Self | null;
}

export interface PinMember<Wait> {
  /** Attempts that wait for their first byte, oldest first. */
  readonly waits: { readonly oldest: Wait | null };
  /** Monotonic ms when an answer and a new connection last came from it; -1: never. */
  readonly heardAt: number;
  readonly connectedAt: number;
  /** The same for a check that went well, and for one that did not. */
  readonly checkedAt: number;
  readonly checkFailedAt: number;
  /** Attempts there so far. */
  readonly attemptsSoFar: number;
  /** Attempts since it was last heard that another origin was asked for later, and answered first. */
  readonly outrun: number;
}

/** What is known of one that has waited for as long as tells. */
export type PinSign =
  /** Nobody else gets an answer while it waits. */
  | "pins"
  /** Somebody else has got one. */
  | "answered beside"
  /** Nobody has, but a check: where too few others are there to tell. */
  | "checked beside"
  | "unknown";

const OUTRUN_MIN = 2;
const OTHERS_MIN = 3;
/** What was under way already is answered for this long, and twice what an answer usually takes. */
const SLACK_MS = 10;

export interface PinFinding<Wait> {
  /** Index of the member at which it waits. */
  readonly member: number;
  readonly wait: Wait;
  readonly sign: PinSign;
}

/** What is known of each that waits for long enough. `stallEndedAt`: when this process last stood still, monotonic ms. */
export function lookForPins<Wait extends PinWait<Wait>>(
  members: readonly PinMember<Wait>[],
  latencies: LatencyWindow,
  stallEndedAt: number,
  now: number,
): PinFinding<Wait>[] {
  const fromMs = silentFromMs(latencies, now);
  if (fromMs === Infinity || now - stallEndedAt < fromMs) return [];
  const slackMs = SLACK_MS + 2 * medianOf(latencies, now);
  const found: PinFinding<Wait>[] = [];
  members.forEach((member, index) => {
    const othersSpeak = members.some((other) => other !== member && now - other.heardAt < fromMs);
    for (let wait = member.waits.oldest; wait !== null && now - wait.turnMs >= fromMs; wait = wait.newer) {
      const sign = signOf(member, wait, slackMs);
      found.push({ member: index, wait, sign: sign === "pins" && !othersSpeak ? "unknown" : sign });
    }
  });
  return found;
}

function signOf<Wait extends PinWait<Wait>>(member: PinMember<Wait>, wait: Wait, slackMs: number): PinSign {
  const quietFrom = wait.turnMs + slackMs;
  if (member.heardAt > quietFrom) return "answered beside";
  if (member.waits.oldest === wait && wait.sentMs >= 0 && isOwed(member, wait)) return "pins";
  return member.checkedAt > quietFrom ? "checked beside" : "unknown";
}

/** Others should have been answered there by now. */
function isOwed<Wait extends PinWait<Wait>>(member: PinMember<Wait>, { sentMs, nth }: Wait): boolean {
  if (member.connectedAt <= sentMs) return false;
  return member.outrun >= OUTRUN_MIN || (member.checkFailedAt > sentMs && member.attemptsSoFar - nth >= OTHERS_MIN);
}
