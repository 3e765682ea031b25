/** A real control process that is told what a test wants it to have seen: hours of facts in a moment of real time. */
import { checkValue } from "../../src/config/load.ts";
import type { FromControl } from "../../src/contract/control-messages.ts";
import type { Answers, Question } from "../../src/contract/control-port.ts";
import type { Fact } from "../../src/contract/facts.ts";
import { forkControl } from "../../src/net/control-fork.ts";
import { until } from "./until.ts";

export interface ControlLife {
  tell(facts: readonly Fact[]): void;
  ask<Q extends Question>(question: Q): Promise<Answers[Q["ask"]]>;
  /** It writes down what it keeps, and is gone. */
  end(): Promise<void>;
}

/** `file`: a configuration without listeners. Resolves when it takes facts. */
export async function startControlLife(
  stateDirectory: string | null,
  session: string,
  file: Readonly<Record<string, unknown>>,
): Promise<ControlLife> {
  const { settings, problems } = checkValue(file);
  if (settings === null) throw new Error(JSON.stringify(problems));
  const answers = new Map<number, unknown>();
  let isReady = false;
  let ended = "";
  let batch = 0;
  let asked = 0;
  const channel = forkControl(new URL("../../src/controller.ts", import.meta.url), {
    onMessage(message: FromControl) {
      if (message.kind === "ready") isReady = true;
      if (message.kind === "answer") answers.set(message.number, message.answer);
    },
    onEnd(why) {
      ended = why;
    },
  });
  channel.send({ kind: "begin", setup: { version: "0.0.0", node: "edge-1", stateDirectory, settings, restore: true } });
  await until("the control process to be ready", () => (isReady ? true : null));
  return {
    tell(facts) {
      batch += 1;
      channel.send({ kind: "facts", batch: { session, number: batch, facts } });
    },
    async ask<Q extends Question>(question: Q): Promise<Answers[Q["ask"]]> {
      asked += 1;
      const number = asked;
      channel.send({ kind: "ask", number, question });
      return until(`an answer to ${question.ask}`, () =>
        answers.has(number) ? (answers.get(number) as Answers[Q["ask"]]) : null,
      );
    },
    async end() {
      if (ended === "") channel.send({ kind: "end" });
      await until("the control process to end", () => (ended === "" ? null : true));
    },
  };
}
