/** What a worker answers to the process that shows all workers as one gateway. */
import type { WorkerAnswers, WorkerQuestion } from "../contract/worker-messages.ts";
import type { Gateway } from "./gateway.ts";

export function answerQuestion(
  { view, actions }: Pick<Gateway, "view" | "actions">,
  question: WorkerQuestion,
): WorkerAnswers[WorkerQuestion["ask"]] {
  switch (question.ask) {
    case "look":
      return { status: view.status(), origins: view.origins(), metrics: view.metrics() };
    case "status":
      return view.status();
    case "origins":
      return view.origins();
    case "metrics":
      return view.metrics();
    case "exchanges":
      return view.exchanges(question.filter);
    case "exchange":
      return view.exchange(question.id);
    case "purge":
      return actions.purgeCache(question.target);
    case "drain origin":
      return actions.drainOrigin(question.order);
    case "restore origin":
      return actions.restoreOrigin(question.order);
  }
}
