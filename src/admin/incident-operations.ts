/** Incidents in the API: to look at them, to act on them as a person, and as a draft of a postmortem. */
import { incidentActSchema } from "../contract/api-control-schemas.ts";
import type { AdminResponse } from "../contract/admin-http.ts";
import type { Question } from "../contract/control-port.ts";
import type { IncidentActBody, IncidentsResponse } from "../contract/control-responses.ts";
import type { PersonFact } from "../contract/facts.ts";
import { writePostmortem } from "../contract/postmortem.ts";
import { respond, respondJson, respondProblem } from "./answers.ts";
import { asked, LIMIT_PARAMETER, limitOf, refused } from "./control-answer.ts";
import { parseQuery, quoted, unknownName } from "./exchange-query.ts";
import { parseBody } from "./json-body.ts";
import type { Operation } from "./operations.ts";

const INCIDENT_STATES = ["open", "closed"] as const;

type ActWord = "acknowledge" | "annotate" | "take-over" | "merge" | "split" | "close";

const ACT_SUMMARIES: Readonly<Record<ActWord, string>> = {
  acknowledge: "Says that somebody has seen it: it is not told again and again.",
  annotate: "Writes something on its timeline.",
  "take-over": "Says who is working on it.",
  merge: "Makes it part of another one (into).",
  split: "Takes what is somewhere else (where) out of it, as an incident of its own.",
  close: "Closes it by hand, with a word on why.",
};

export const INCIDENT_OPERATIONS: readonly Operation[] = [
  {
    path: "/incidents",
    id: "incidents",
    summary: "Incidents, newest first: one for each disturbance.",
    parameters: [
      {
        name: "state",
        description: "Only those that go on (open, recovering), or those that are over.",
        schema: { type: "string", enum: INCIDENT_STATES },
      },
      LIMIT_PARAMETER,
    ],
    answers: "Incidents",
    problems: [503],
    answer: (context, { query }) => {
      const parsed = parseQuery(query, ["state", "limit"]);
      if (!parsed.ok) return respondProblem(parsed.refusal);
      const state = INCIDENT_STATES.find((known) => known === parsed.value.state);
      if (parsed.value.state !== undefined && state === undefined) {
        return respondProblem(unknownName("state", parsed.value.state, INCIDENT_STATES).refusal);
      }
      const limit = limitOf(parsed.value.limit);
      if (typeof limit !== "number") return limit;
      const question: Question = { ask: "incidents", limit, ...(state === undefined ? {} : { state }) };
      return asked(context, question, (incidents) =>
        respondJson({ now: context.clock.wall(), incidents } satisfies IncidentsResponse),
      );
    },
  },
  {
    path: "/incidents/{id}",
    id: "incident",
    summary: "One incident: hypotheses with their evidence, timeline, impact, the next step.",
    parameters: [],
    answers: "Incident",
    problems: [404, 503],
    answer: (context, { id }) =>
      asked(context, { ask: "incident", id }, (incident) =>
        incident === null ? unknownIncident(id) : respondJson(incident),
      ),
  },
  {
    path: "/incidents/{id}/postmortem",
    id: "postmortem",
    summary: "A draft of its postmortem in Markdown, from what is on record; what only people know is left open.",
    parameters: [],
    answers: null,
    problems: [404, 503],
    answer: (context, { id }) =>
      asked(context, { ask: "incident", id }, (incident) =>
        incident === null
          ? unknownIncident(id)
          : respond(200, "text/markdown; charset=utf-8", writePostmortem(incident)),
      ),
  },
  ...(["acknowledge", "annotate", "take-over", "merge", "split", "close"] as const).map(actOperation),
];

function actOperation(word: ActWord): Operation {
  return {
    method: "POST",
    path: `/incidents/{id}/${word}`,
    id: word === "take-over" ? "takeOverIncident" : `${word}Incident`,
    summary: ACT_SUMMARIES[word],
    parameters: [],
    takes: "IncidentAct",
    answers: "Incident",
    problems: [403, 404, 409, 503],
    answer: (context, { id, body }) => {
      const parsed = parseBody(incidentActSchema, body);
      if (!parsed.ok) return respondProblem(parsed.refusal);
      const act = actOf(word, parsed.value);
      if (typeof act === "string") {
        return respondProblem({ status: 400, code: "bad-body", parameter: act, detail: `${act}: ${word} needs it.` });
      }
      const fact: PersonFact = { kind: "person", at: context.clock.wall(), by: parsed.value.by, incident: id, act };
      return asked(context, { ask: "incident", id }, (known) =>
        known === null
          ? unknownIncident(id)
          : asked(context, { ask: "act", fact }, ({ refused: why }) =>
              why !== ""
                ? refused(why)
                : asked(context, { ask: "incident", id }, (incident) =>
                    incident === null ? unknownIncident(id) : respondJson(incident),
                  ),
            ),
      );
    },
  };
}

/** A text: the field that is missing. */
function actOf(word: ActWord, { text, into, where }: IncidentActBody): PersonFact["act"] | string {
  switch (word) {
    case "acknowledge":
      return { do: "acknowledge" };
    case "take-over":
      return { do: "take over" };
    case "annotate":
      return text === undefined ? "text" : { do: "annotate", text };
    case "close":
      return text === undefined ? "text" : { do: "close", text };
    case "merge":
      return into === undefined ? "into" : { do: "merge", into };
    case "split":
      return where === undefined ? "where" : { do: "split", where };
  }
}

function unknownIncident(id: string): AdminResponse {
  return respondProblem({
    status: 404,
    code: "unknown-incident",
    detail: `There is no incident ${quoted(id)}, or it was so long ago that it is no longer kept.`,
  });
}
