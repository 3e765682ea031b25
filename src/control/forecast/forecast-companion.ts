/**
 * The forecasts beside the control loop: they hear what it hears, look at standby pools now and then, answer what they are
 * asked, and write down every few minutes what takes longer to see than a gateway runs: the peaks of a week, when a
 * standby served last.
 */
import type { Companion, LoopHands } from "../control-loop.ts";
import { ForecastBook } from "./forecast-book.ts";
import { DAY, MINUTE } from "./forecaster.ts";
import { StandbyProbe } from "./standby-probe.ts";
import type { StandbyParts } from "./standby-probe.ts";

const KIND = "forecast-memory";
const SAVE_EVERY_MS: number = 10 * MINUTE;
const KEEP_MS: number = 35 * DAY;

export interface ForecastParts {
  /** How standby pools are looked at; null: they are not. */
  readonly standby: StandbyParts | null;
  readonly onFault: (error: unknown) => void;
}

export function createForecasts(
  hands: Pick<LoopHands, "news" | "ask" | "keep" | "kept">,
  { standby, onFault }: ForecastParts,
): Companion {
  const probe = standby === null ? null : new StandbyProbe(standby);
  const book = new ForecastBook(() => probe?.compared ?? []);
  book.restore(new Map(hands.kept(KIND).map(({ id, body }) => [id, body])), onFault);
  let now = 0;
  let savedAt = 0;
  const save = (): void => {
    savedAt = now;
    for (const [id, body] of book.save()) hands.keep({ kind: KIND, id, at: now, until: now + KEEP_MS, body });
  };
  return {
    hear(fact, _outputs, isReplay) {
      book.hear(fact);
      if (fact.kind !== "second") return;
      now = fact.at + fact.lengthMs;
      const news = book.tick(now, () => hands.ask({ ask: "health" }));
      // What was foreseen in an earlier life was told then; it is in the list.
      if (isReplay) return;
      probe?.tick(now);
      for (const one of news) hands.news({ kind: "forecast", ...one });
      if (savedAt === 0) savedAt = now;
      // Also when the clock was set back.
      if (Math.abs(now - savedAt) >= SAVE_EVERY_MS) save();
    },
    answer(question, done) {
      if (question.ask !== "forecasts") return undefined;
      done(book.list());
      return true;
    },
    close() {
      if (now > 0) save();
      return Promise.resolve();
    },
  };
}
