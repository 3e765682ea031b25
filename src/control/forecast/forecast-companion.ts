/** The forecasts beside the control loop: they hear what it hears, and answer what it is asked about them. */
import type { Companion, LoopHands } from "../control-loop.ts";
import { ForecastBook } from "./forecast-book.ts";

export function createForecasts(hands: Pick<LoopHands, "news" | "ask">): Companion {
  const book = new ForecastBook();
  return {
    hear(fact, _outputs, isReplay) {
      book.hear(fact);
      if (fact.kind !== "second") return;
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
