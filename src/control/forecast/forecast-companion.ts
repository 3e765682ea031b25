/** The forecasts beside the control loop: they hear what it hears, look at standby pools now and then, and answer what they are asked. */
import type { Companion, LoopHands } from "../control-loop.ts";
import { ForecastBook } from "./forecast-book.ts";
import { StandbyProbe } from "./standby-probe.ts";
import type { StandbyParts } from "./standby-probe.ts";

/** `standby`: how standby pools are looked at; null: they are not. */
export function createForecasts(
  hands: Pick<LoopHands, "news" | "ask">,
  standby: StandbyParts | null = null,
): Companion {
  const probe = standby === null ? null : new StandbyProbe(standby);
  const book = new ForecastBook(() => probe?.compared ?? []);
  return {
    hear(fact, _outputs, isReplay) {
      book.hear(fact);
      if (fact.kind !== "second") return;
      if (!isReplay) probe?.tick(fact.at + fact.lengthMs);
      const news = book.tick(fact.at + fact.lengthMs, () => hands.ask({ ask: "health" }));
      // What was foreseen in an earlier life was told then; it is in the list.
      if (!isReplay) for (const one of news) hands.news({ kind: "forecast", ...one });
    },
    answer(question, done) {
      if (question.ask !== "forecasts") return undefined;
      done(book.list());
      return true;
    },
  };
}
