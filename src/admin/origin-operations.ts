/** Origins taken out by hand and given back, in the API. Who does it and why is asked for, and told to whoever watches. */
import { parseDuration } from "../config/units.ts";
import type { AdminResponse } from "../contract/admin-http.ts";
import { drainBodySchema, restoreBodySchema } from "../contract/api-schemas.ts";
import type { DrainedResponse, ProblemCode } from "../contract/api-responses.ts";
import type { DrainResult } from "../contract/view.ts";
import { respondJson, respondProblem, whenKnown } from "./answers.ts";
import { parseBody } from "./json-body.ts";
import type { Operation } from "./operations.ts";

const FOR_DEFAULT = "1h";
/** A drain is a state of exception: what is to last is written into the configuration. */
const FOR_BOUNDS = { min: 1_000, max: 7 * 24 * 3_600_000 } as const;

export const ORIGIN_OPERATIONS: readonly Operation[] = [
  {
    method: "POST",
    path: "/origins/drain",
    id: "drainOrigin",
    summary: "Takes an origin out by hand: it gets no new requests until the time is over or somebody restores it.",
    parameters: [],
    takes: "DrainBody",
    answers: "Drained",
    problems: [403, 404, 409, 503],
    answer: ({ actions }, { body }) => {
      const parsed = parseBody(drainBodySchema, body);
      if (!parsed.ok) return respondProblem(parsed.refusal);
      const { for: time = FOR_DEFAULT, ...order } = parsed.value;
      const forMs = parseDuration(time, FOR_BOUNDS);
      if (forMs.ok) return whenKnown(actions.drainOrigin({ ...order, forMs: forMs.value }), answerTo);
      const detail = `for: ${forMs.message} ${forMs.hint}`.trim();
      return respondProblem({ status: 400, code: "bad-body", parameter: "for", detail });
    },
  },
  {
    method: "POST",
    path: "/origins/restore",
    id: "restoreOrigin",
    summary: "Gives back an origin that was taken out by hand; its share grows.",
    parameters: [],
    takes: "RestoreBody",
    answers: "Drained",
    problems: [403, 404, 409, 503],
    answer: ({ actions }, { body }) => {
      const parsed = parseBody(restoreBodySchema, body);
      return parsed.ok ? whenKnown(actions.restoreOrigin(parsed.value), answerTo) : respondProblem(parsed.refusal);
    },
  },
];

const REFUSALS: Readonly<Record<Extract<DrainResult, { done: false }>["why"], readonly [number, ProblemCode]>> = {
  unknown: [404, "unknown-origin"],
  last: [409, "last-origin"],
  "not drained": [409, "not-drained"],
  silent: [503, "workers-silent"],
};

function answerTo(result: DrainResult): AdminResponse {
  if (result.done) return respondJson({ until: result.until } satisfies DrainedResponse);
  const [status, code] = REFUSALS[result.why];
  return respondProblem({ status, code, detail: result.detail });
}
