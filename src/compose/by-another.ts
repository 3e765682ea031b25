/** Settings that this process cannot change in itself: another one begins with them and takes its place. */
import type { ConfigOrder, PutResult } from "../contract/config-desk.ts";
import type { Revision } from "../contract/revision.ts";
import type { Running } from "./process-life.ts";

/**
 * Which of these fields no process is begun for, and why; null: none. What is kept has to move with `state`, or keys
 * that were used would be taken for new ones; and sample origins end with the process that has them.
 */
export function whyFixed(fields: readonly string[], hasSamples: boolean): PutResult | null {
  if (fields.includes("state")) {
    return needsRestart(
      "state can only be changed by a restart, because what is kept has to move with it; nothing was changed. " +
        "Stop the gateway, move the directory, then start it with the new path",
    );
  }
  if (hasSamples && fields.length > 0) {
    return needsRestart(
      `${fields.join(" and ")} can only be changed by another process, and the sample origins are this one's; nothing was changed`,
    );
  }
  return null;
}

/** Null: no successor is being started, which would begin without what is changed here now. */
export function whyNotNow({ isGivingOn }: Running): PutResult | null {
  if (!isGivingOn) return null;
  const detail =
    "another process is taking the place and would not know of it; nothing was changed. Ask again when it serves";
  return { kind: "refused", why: "draining", detail };
}

/** Resolves when it serves, or with the reason why it does not; then nothing has changed. */
export async function byAnother(
  life: Running,
  { text, file }: Pick<ConfigOrder, "text" | "file">,
  revision: Revision,
): Promise<PutResult> {
  const handed = await life.handOn(`configuration ${revision.number}`, { text, file, revision });
  if (handed.ok) return { kind: "applied" };
  return { kind: "refused", why: "unusable", detail: `no process could begin by it: ${handed.because}` };
}

function needsRestart(detail: string): PutResult {
  return { kind: "refused", why: "needs restart", detail };
}
