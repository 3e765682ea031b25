/**
 * The configuration in the API: what is in effect, another one put into effect, and the same file read again. The body
 * is the file itself, so that what is sent is what is kept; who and why are beside it, in the query.
 */
import type { AdminResponse } from "../contract/admin-http.ts";
import type { AppliedResponse, ConfigResponse, ProblemCode, UpgradedResponse } from "../contract/api-responses.ts";
import type { ConfigOrder, ConfigOutcome, ConfigRefusal } from "../contract/config-desk.ts";
import type { HandedOn } from "../contract/succession.ts";
import { respondJson, respondProblem } from "./answers.ts";
import { parseQuery, quoted } from "./exchange-query.ts";
import type { Parsed, Refusal } from "./exchange-query.ts";
import type { Operation, Parameter } from "./operations.ts";

const TEXT = { type: "string", maxLength: 500 } as const;
const SAID_MAX = 500;

const PARAMETERS: readonly Parameter[] = [
  { name: "by", description: "Who asks for it.", schema: TEXT },
  { name: "reason", description: "Why; others read it.", schema: TEXT },
  { name: "dryRun", description: "Check everything and change nothing.", schema: { type: "boolean" } },
  {
    name: "allowRemoval",
    description: "It is meant that more than half of the services, or of the origins of one, would be gone.",
    schema: { type: "boolean" },
  },
];
const FILE: Parameter = { name: "file", description: "What the file is called in problems.", schema: TEXT };

export const CONFIG_OPERATIONS: readonly Operation[] = [
  {
    path: "/config",
    id: "config",
    summary: "The configuration in effect, with every default, and what must stay unknown hidden.",
    parameters: [],
    answers: "Config",
    problems: [404],
    answer: ({ config }) =>
      config === null
        ? noDesk()
        : respondJson({ ...config.state(), settings: { ...config.shown() } } satisfies ConfigResponse),
  },
  {
    method: "POST",
    path: "/config",
    id: "applyConfig",
    summary: "Puts another configuration into effect; nothing that is under way is dropped.",
    parameters: [...PARAMETERS, FILE],
    takesText: "application/yaml",
    answers: "Applied",
    problems: [403, 404, 409],
    answer({ config }, { query, body }) {
      const order = orderOf(query, [...NAMES, "file"]);
      if (!order.ok) return respondProblem(order.refusal);
      return config === null ? noDesk() : config.apply({ ...order.value, text: body }).then(answerTo);
    },
  },
  {
    method: "POST",
    path: "/config/reload",
    id: "reloadConfig",
    summary: "Reads the file again that the gateway was started with, and puts it into effect.",
    parameters: PARAMETERS,
    answers: "Applied",
    problems: [403, 404, 409],
    answer({ config }, { query }) {
      const order = orderOf(query, NAMES);
      if (!order.ok) return respondProblem(order.refusal);
      return config === null ? noDesk() : config.reload(order.value).then(answerTo);
    },
  },
  {
    method: "POST",
    path: "/upgrade",
    id: "upgrade",
    summary:
      "Has another process take the place, with the program and the configuration that are on the disk now; answers when it serves.",
    parameters: [],
    answers: "Upgraded",
    problems: [403, 409],
    async answer({ upgrade }) {
      const handed = (await upgrade?.()) ?? NO_SUCCESSOR;
      if (handed.ok) return respondJson({ pid: handed.pid } satisfies UpgradedResponse);
      const detail = `No other process serves: ${handed.because}. This one goes on as before.`;
      return respondProblem({ status: 409, code: "upgrade-failed", detail });
    },
  },
];

const NO_SUCCESSOR: HandedOn = { ok: false, because: "no other process can take the place of this one" };

const NAMES = ["by", "reason", "dryRun", "allowRemoval"] as const;

function orderOf(
  query: string,
  names: readonly ((typeof NAMES)[number] | "file")[],
): Parsed<Omit<ConfigOrder, "text">> {
  const parsed = parseQuery(query, names);
  if (!parsed.ok) return parsed;
  const { by = "", reason = "", file = "the file that was sent" } = parsed.value;
  const [dryRun, allowRemoval] = [truth(parsed.value.dryRun), truth(parsed.value.allowRemoval)];
  if (dryRun === null) return badTruth("dryRun");
  if (allowRemoval === null) return badTruth("allowRemoval");
  const tooLong = Object.entries({ by, reason, file }).find(([, said]) => said.length > SAID_MAX);
  if (tooLong !== undefined) return bad(tooLong[0], `${tooLong[0]} has more than ${SAID_MAX} characters.`);
  return { ok: true, value: { by, reason, file, dryRun, allowRemoval } };
}

/** Null: neither. */
function truth(text: string | undefined): boolean | null {
  return text === undefined || text === "false" ? false : text === "true" ? true : null;
}

function badTruth(name: string): Extract<Parsed<never>, { ok: false }> {
  return bad(name, `${quoted(name)} is either true or false.`);
}

function bad(parameter: string, detail: string): Extract<Parsed<never>, { ok: false }> {
  return { ok: false, refusal: { status: 400, code: "bad-parameter", parameter, detail } };
}

const REFUSALS: Readonly<Record<ConfigRefusal["why"], readonly [status: number, code: ProblemCode]>> = {
  invalid: [400, "config-invalid"],
  removes: [409, "config-removes"],
  unusable: [409, "config-unusable"],
  "needs restart": [409, "config-needs-restart"],
  draining: [409, "draining"],
  "no file": [404, "no-config-file"],
};

function answerTo(outcome: ConfigOutcome): AdminResponse {
  switch (outcome.kind) {
    case "refused":
      return respondProblem(problemOf(outcome));
    case "applied":
    case "unchanged":
      return respondJson({
        outcome: outcome.kind,
        revision: outcome.revision,
        changes: changesOf(outcome),
      } satisfies AppliedResponse);
    case "would apply":
      return respondJson({
        outcome: outcome.kind,
        revision: null,
        changes: [...outcome.changes],
      } satisfies AppliedResponse);
  }
}

function changesOf(outcome: Extract<ConfigOutcome, { kind: "applied" | "unchanged" }>): AppliedResponse["changes"] {
  return outcome.kind === "applied" ? [...outcome.revision.changes] : [];
}

function problemOf({ why, detail, problems }: ConfigRefusal): Refusal {
  const [status, code] = REFUSALS[why];
  return { status, code, detail, ...(problems.length === 0 ? {} : { problems: [...problems] }) };
}

function noDesk(): AdminResponse {
  const detail = "The configuration of this gateway cannot be changed while it runs.";
  return respondProblem({ status: 404, code: "no-config-file", detail });
}
