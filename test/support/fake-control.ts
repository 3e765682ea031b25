/** A control plane in the test's hand: it answers what it is given, and tells what it is told to tell. */
import type {
  Answers,
  ControlPort,
  ControlState,
  News,
  NotAnswered,
  Question,
} from "../../src/contract/control-port.ts";
import { RUNNING } from "./sample-diagnosis.ts";

type Reply<Q extends Question["ask"]> = (question: Extract<Question, { ask: Q }>) => Answers[Q] | NotAnswered;
export type Replies = { [Q in Question["ask"]]?: Reply<Q> };

export interface FakeControl extends ControlPort {
  readonly asked: Question[];
  /** Changed by a test; a question without one is not answered. */
  replies: Replies;
  stateNow: ControlState;
  emit(news: News): void;
  /** How many listen. */
  listeners(): number;
}

export function fakeControl(replies: Replies = {}): FakeControl {
  const listeners = new Set<(news: News) => void>();
  const control: FakeControl = {
    asked: [],
    replies,
    stateNow: { ...RUNNING, heardAt: 0 },
    ask(question, done) {
      control.asked.push(question);
      // The table has for each question the reply of its own kind; the compiler cannot follow that through the union.
      const reply = control.replies[question.ask] as ((question: Question) => never) | undefined;
      done(
        reply === undefined ? ({ unanswered: "failed", because: "nothing was prepared" } as never) : reply(question),
      );
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    state: () => control.stateNow,
    listeners: () => listeners.size,
    emit(news) {
      for (const listener of listeners) listener(news);
    },
  };
  return control;
}
