/** Alerts in the API: what was told to whom, and silences with an owner, a reason and an end. */
import { parseDuration } from "../config/units.ts";
import { alertsTestSchema, silenceBodySchema, silenceEndSchema } from "../contract/api-control-schemas.ts";
import type { AlertsTestedResponse, SilencedResponse } from "../contract/control-responses.ts";
import { respondJson, respondProblem } from "./answers.ts";
import { asked, refused } from "./control-answer.ts";
import { quoted } from "./exchange-query.ts";
import { parseBody } from "./json-body.ts";
import type { Operation } from "./operations.ts";

/** What is silenced for longer is forgotten: it belongs into the configuration. */
const FOR_BOUNDS = { min: 60_000, max: 30 * 24 * 3_600_000 } as const;

export const ALERT_OPERATIONS: readonly Operation[] = [
  {
    path: "/alerts",
    id: "alerts",
    summary: "Who was told what, how the sinks are, and which silences hold.",
    parameters: [],
    answers: "Alerts",
    problems: [503],
    answer: (context) => asked(context, { ask: "alerts" }, respondJson),
  },
  {
    method: "POST",
    path: "/alerts/test",
    id: "testAlerts",
    summary: "Sends a marked message to a sink, or to all of them, and says how that went.",
    parameters: [],
    takes: "AlertsTest",
    answers: "AlertsTested",
    problems: [403, 409, 503],
    answer: (context, { body }) => {
      const parsed = parseBody(alertsTestSchema, body);
      if (!parsed.ok) return respondProblem(parsed.refusal);
      const { by, sink = "" } = parsed.value;
      return asked(context, { ask: "test alert", sink, by }, (answer) =>
        "refused" in answer ? refused(answer.refused) : respondJson(answer satisfies AlertsTestedResponse),
      );
    },
  },
  {
    method: "POST",
    path: "/silences",
    id: "silence",
    summary: "Keeps alerts about matching incidents back for a while. That something is over is told all the same.",
    parameters: [],
    takes: "SilenceBody",
    answers: "Silenced",
    problems: [403, 409, 503],
    answer: (context, { body }) => {
      const parsed = parseBody(silenceBodySchema, body);
      if (!parsed.ok) return respondProblem(parsed.refusal);
      const { for: time, ...silence } = parsed.value;
      const forMs = parseDuration(time, FOR_BOUNDS);
      if (!forMs.ok) {
        const detail = `for: ${forMs.message} ${forMs.hint}`.trim();
        return respondProblem({ status: 400, code: "bad-body", parameter: "for", detail });
      }
      const until = context.clock.wall() + forMs.value;
      return asked(context, { ask: "silence", silence: { ...silence, until } }, (answer) =>
        "refused" in answer
          ? refused(answer.refused)
          : respondJson({ id: answer.id, until } satisfies SilencedResponse),
      );
    },
  },
  {
    method: "POST",
    path: "/silences/{id}/end",
    id: "endSilence",
    summary: "Ends a silence before its time.",
    parameters: [],
    takes: "SilenceEnd",
    answers: "Silenced",
    problems: [403, 404, 503],
    answer: (context, { id, body }) => {
      const parsed = parseBody(silenceEndSchema, body);
      if (!parsed.ok) return respondProblem(parsed.refusal);
      return asked(context, { ask: "unsilence", id, by: parsed.value.by }, ({ refused: why }) =>
        why === ""
          ? respondJson({ id, until: context.clock.wall() } satisfies SilencedResponse)
          : respondProblem({
              status: 404,
              code: "unknown-silence",
              detail: `There is no silence ${quoted(id)}: ${why}.`,
            }),
      );
    },
  },
];
