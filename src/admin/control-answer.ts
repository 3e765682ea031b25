/**
 * Asking the control plane on behalf of a path. When it does not answer, the answer is a problem with the reason and
 * since when: an old conclusion is never given out as a new one.
 */
import type { AdminResponse } from "../contract/admin-http.ts";
import { CONTROL_OFF } from "../contract/control-port.ts";
import type { Answers, ControlState, NotAnswered, Question } from "../contract/control-port.ts";
import { respondProblem } from "./answers.ts";
import { LIMIT_MAX, quoted } from "./exchange-query.ts";
import type { AdminContext } from "./operations.ts";

const LIMIT_DEFAULT = 50;
export const LIMIT_PARAMETER = {
  name: "limit",
  description: "How many at most.",
  schema: { type: "integer", minimum: 1, maximum: LIMIT_MAX, default: LIMIT_DEFAULT },
} as const;

const SWITCHED_OFF: NotAnswered = { unanswered: "off", because: "the configuration switches it off (control: false)" };

/** Asks the control plane; `otherwise` says what to answer when it does not, by default the reason. */
export function asked<Q extends Question>(
  { control }: Pick<AdminContext, "control">,
  question: Q,
  respondWith: (answer: Answers[Q["ask"]]) => AdminResponse | Promise<AdminResponse>,
  otherwise: (failure: NotAnswered) => AdminResponse = unavailable,
): Promise<AdminResponse> {
  if (control === null) return Promise.resolve(otherwise(SWITCHED_OFF));
  return new Promise((resolve, reject) => {
    control.ask(question, (answer) => {
      // A defect while answering is the answer's, and not the control plane's.
      Promise.resolve()
        .then(() => (isUnanswered(answer) ? otherwise(answer) : respondWith(answer)))
        .then(resolve, reject);
    });
  });
}

export function controlState({ control }: Pick<AdminContext, "control">): ControlState {
  if (control !== null) return control.state();
  return { ...CONTROL_OFF, because: SWITCHED_OFF.because };
}

export function refused(why: string): AdminResponse {
  return respondProblem({ status: 409, code: "refused", detail: why });
}

/** A number, or what is wrong with it. */
export function limitOf(text: string | undefined): number | AdminResponse {
  const limit = text === undefined ? LIMIT_DEFAULT : Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) return limit;
  const detail = `${quoted(text ?? "")} is not a whole number from 1 to ${LIMIT_MAX}.`;
  return respondProblem({ status: 400, code: "bad-parameter", parameter: "limit", detail });
}

function isUnanswered<T>(answer: T | NotAnswered): answer is NotAnswered {
  return typeof answer === "object" && answer !== null && "unanswered" in answer;
}

function unavailable({ because }: NotAnswered): AdminResponse {
  return respondProblem({
    status: 503,
    code: "control-unavailable",
    detail: `The control plane does not answer: ${because}. Requests are served all the same.`,
  });
}
