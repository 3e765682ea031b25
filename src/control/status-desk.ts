/**
 * Keeps the status page up to date: gathers every few seconds what it is made of and hands it on. A companion of the
 * control loop. Who shows the page makes it anew each time, so that it says how old it is when nothing more comes.
 */
import type { StatusFacts } from "./status-page.ts";
import type { Companion, LoopHands } from "./control-loop.ts";

const EVERY_MS = 5_000;
const INCIDENTS_MAX = 200;

export function createStatusDesk(
  hands: Pick<LoopHands, "ask" | "history">,
  publish: (facts: StatusFacts) => void,
  close: () => Promise<void>,
): Companion {
  let publishedAt = -Infinity;
  return {
    hear(fact, outputs, isReplay) {
      if (isReplay || fact.kind !== "second") return;
      const at = fact.at + fact.lengthMs;
      const isNews = outputs.some(({ kind }) => kind === "incident");
      if (!isNews && at - publishedAt < EVERY_MS) return;
      publishedAt = at;
      publish({ health: hands.ask({ ask: "health" }), incidents: hands.history(INCIDENTS_MAX), at });
    },
    close,
  };
}
