/** What the control plane knows besides incidents, in the API: forecasts, health, figures over time, probes. */
import type { AdminResponse } from "../contract/admin-http.ts";
import { probeBodySchema } from "../contract/api-control-schemas.ts";
import type { Answers } from "../contract/control-port.ts";
import type { ForecastsResponse, HealthResponse, ProbesResponse } from "../contract/control-responses.ts";
import { respondJson, respondProblem } from "./answers.ts";
import { asked, controlState, LIMIT_PARAMETER, limitOf, refused } from "./control-answer.ts";
import { parseQuery } from "./exchange-query.ts";
import { parseBody } from "./json-body.ts";
import type { Operation } from "./operations.ts";
import { parseSeriesQuestion, SERIES_PARAMETERS } from "./series-query.ts";

export const CONTROL_OPERATIONS: readonly Operation[] = [
  {
    path: "/forecasts",
    id: "forecasts",
    summary: "What is going to happen unless somebody acts: when, how sure, and what to do.",
    parameters: [],
    answers: "Forecasts",
    problems: [503],
    answer: (context) =>
      asked(context, { ask: "forecasts" }, (forecasts) =>
        respondJson({ now: context.clock.wall(), forecasts } satisfies ForecastsResponse),
      ),
  },
  {
    path: "/health",
    id: "health",
    summary:
      "The services at a glance with their objectives, and the control plane itself. Answers also while that is dead: then without services.",
    parameters: [],
    answers: "Health",
    problems: [],
    answer: (context) => {
      const control = controlState(context);
      const now = context.clock.wall();
      const respondWith = (services: Answers["health"]): AdminResponse =>
        respondJson({ now, control, services } satisfies HealthResponse);
      return asked(context, { ask: "health" }, respondWith, () => respondWith([]));
    },
  },
  {
    path: "/series",
    id: "series",
    summary: "Figures over time: exchanges, failures, rescues and durations, by one dimension.",
    parameters: SERIES_PARAMETERS,
    answers: "Series",
    problems: [503],
    answer: (context, { query }) => {
      const parsed = parseSeriesQuestion(query, context.clock.wall());
      if (!parsed.ok) return respondProblem(parsed.refusal);
      return asked(context, { ask: "series", question: parsed.value }, respondJson);
    },
  },
  {
    path: "/probes",
    id: "probes",
    summary: "Climbs of the probe ladder, newest first: which rung held and which broke.",
    parameters: [LIMIT_PARAMETER],
    answers: "Probes",
    problems: [503],
    answer: (context, { query }) => {
      const parsed = parseQuery(query, ["limit"]);
      if (!parsed.ok) return respondProblem(parsed.refusal);
      const limit = limitOf(parsed.value.limit);
      if (typeof limit !== "number") return limit;
      return asked(context, { ask: "probes", limit }, (probes) =>
        respondJson({ now: context.clock.wall(), probes } satisfies ProbesResponse),
      );
    },
  },
  {
    method: "POST",
    path: "/probes",
    id: "probe",
    summary: "Climbs the probe ladder at an origin now, and answers what was found.",
    parameters: [],
    takes: "ProbeBody",
    answers: "Probe",
    problems: [403, 409, 503],
    answer: (context, { body }) => {
      const parsed = parseBody(probeBodySchema, body);
      if (!parsed.ok) return respondProblem(parsed.refusal);
      return asked(context, { ask: "probe", ...parsed.value }, (probe) =>
        "refused" in probe ? refused(probe.refused) : respondJson(probe),
      );
    },
  },
];
