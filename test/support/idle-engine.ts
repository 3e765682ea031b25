/** An engine that concludes nothing, to make others of. */
import type { Answers } from "../../src/contract/control-port.ts";
import type { Engine, EngineQuestion } from "../../src/control/engine-port.ts";

export function createIdleEngine(): Engine {
  return {
    step: () => [],
    tick: () => [],
    answer: <Q extends EngineQuestion>(question: Q) => answerOf(question) as Answers[Q["ask"]],
    takeRows: () => [],
    save: () => null,
    restore: () => undefined,
    recall: () => undefined,
  };
}

function answerOf(question: EngineQuestion): Answers[EngineQuestion["ask"]] {
  switch (question.ask) {
    case "incidents":
    case "health":
      return [];
    case "incident":
      return null;
    case "act":
      return { refused: "there is no such incident" };
    case "series":
      return { resolution: question.question.resolution, series: [] };
  }
}
