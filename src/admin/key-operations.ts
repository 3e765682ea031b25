/** Idempotency-Keys in the API: to look at them, and to settle what is uncertain. */
import type { AdminResponse } from "../contract/admin-http.ts";
import type { KeySettled, KeysResponse } from "../contract/keys.ts";
import { respondJson, respondProblem } from "./answers.ts";
import { LIMIT_DEFAULT, LIMIT_MAX, parseQuery, quoted } from "./exchange-query.ts";
import type { Operation } from "./operations.ts";

const YES_OR_NO = { type: "string", enum: ["true", "false"] } as const;

export const KEY_OPERATIONS: readonly Operation[] = [
  {
    path: "/keys",
    id: "keys",
    summary: "Idempotency-Keys that are remembered, newest first.",
    parameters: [
      { name: "key", description: "Only this key, exactly as clients write it.", schema: { type: "string" } },
      { name: "uncertain", description: "Only those of which nobody knows what became.", schema: YES_OR_NO },
      {
        name: "limit",
        description: "How many at most.",
        schema: { type: "integer", minimum: 1, maximum: LIMIT_MAX, default: LIMIT_DEFAULT },
      },
    ],
    answers: "Keys",
    problems: [503],
    answer: async ({ keys }, { query }) => {
      const parsed = parseQuery(query, ["key", "uncertain", "limit"]);
      if (!parsed.ok) return respondProblem(parsed.refusal);
      const { key, uncertain, limit } = parsed.value;
      const most = limit === undefined ? LIMIT_DEFAULT : Number(limit);
      if (!Number.isInteger(most) || most < 1 || most > LIMIT_MAX) {
        return wrongParameter("limit", `${quoted(limit ?? "")} is not a number from 1 to ${LIMIT_MAX}.`);
      }
      if (!isYesOrNo(uncertain)) return wrongParameter("uncertain", "Write true or false.");
      if (keys === null) return noKeys("this gateway has no state directory");
      const filter = { uncertain: uncertain === "true", limit: most, ...(key === undefined ? {} : { key }) };
      const found = await keys.find(filter);
      return typeof found === "string" ? noKeys(found) : respondJson({ keys: found } satisfies KeysResponse);
    },
  },
  {
    method: "POST",
    path: "/keys/{id}/settle",
    id: "settleKey",
    summary:
      "Says what became of a request of which it is uncertain whether it was carried out. With executed=true a repeat is told so; with executed=false the key is free again.",
    parameters: [{ name: "executed", description: "Whether it was carried out.", schema: YES_OR_NO }],
    answers: "Key",
    problems: [403, 404, 409, 503],
    answer: async ({ keys }, { id, query }) => {
      const parsed = parseQuery(query, ["executed"]);
      if (!parsed.ok) return respondProblem(parsed.refusal);
      const { executed } = parsed.value;
      if (executed === undefined || !isYesOrNo(executed)) {
        return wrongParameter("executed", "Say whether the request was carried out: executed=true or executed=false.");
      }
      if (keys === null) return noKeys("this gateway has no state directory");
      return answerTo(await keys.settle(id, executed === "true"), id);
    },
  },
];

function answerTo(settled: KeySettled, id: string): AdminResponse {
  switch (settled.kind) {
    case "settled":
      return respondJson(settled.key);
    case "unknown":
      return respondProblem({ status: 404, code: "unknown-key", detail: `No key has the id ${quoted(id)}.` });
    case "not uncertain":
      return respondProblem({
        status: 409,
        code: "key-not-uncertain",
        detail: `There is nothing to settle: ${settled.detail}.`,
      });
    case "failed":
      return noKeys(settled.detail);
  }
}

function isYesOrNo(text: string | undefined): boolean {
  return text === undefined || text === "true" || text === "false";
}

function wrongParameter(parameter: string, detail: string): AdminResponse {
  return respondProblem({ status: 400, code: "bad-parameter", parameter, detail });
}

function noKeys(why: string): AdminResponse {
  return respondProblem({ status: 503, code: "keys-unavailable", detail: `Keys cannot be looked up: ${why}.` });
}
