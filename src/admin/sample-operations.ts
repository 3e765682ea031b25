/** The bundled sample origins in the API: what is whole and what is broken, and to break a pool for a while. */
import { parseDuration } from "../config/units.ts";
import type { AdminResponse } from "../contract/admin-http.ts";
import { sampleBreakSchema } from "../contract/api-sample-schemas.ts";
import type { SamplesView } from "../contract/samples.ts";
import { respondJson, respondProblem } from "./answers.ts";
import { parseBody } from "./json-body.ts";
import type { Operation } from "./operations.ts";

const FOR_DEFAULT = "30s";
const FOR_BOUNDS = { min: 1_000, max: 600_000 } as const;

export const SAMPLE_OPERATIONS: readonly Operation[] = [
  {
    path: "/samples",
    id: "samples",
    summary: "The bundled sample origins; without pools where the gateway was not started in front of them.",
    parameters: [],
    answers: "Samples",
    problems: [],
    answer: ({ samples }) => respondJson(samples?.view() ?? ({ pools: [], perSecond: 0 } satisfies SamplesView)),
  },
  {
    method: "POST",
    path: "/samples/break",
    id: "breakSamples",
    summary: "Breaks a pool of them for a while, to see what becomes of it. Then it is whole again.",
    parameters: [],
    takes: "SampleBreakBody",
    answers: "SampleBroken",
    problems: [403, 404, 409],
    answer: ({ samples }, { body }) => {
      const parsed = parseBody(sampleBreakSchema, body);
      if (!parsed.ok) return respondProblem(parsed.refusal);
      if (samples === null) return noSamples();
      const { kind, for: time = FOR_DEFAULT } = parsed.value;
      const forMs = parseDuration(time, FOR_BOUNDS);
      if (!forMs.ok) {
        const detail = `for: ${forMs.message} ${forMs.hint}`.trim();
        return respondProblem({ status: 400, code: "bad-body", parameter: "for", detail });
      }
      const pool = parsed.value.pool ?? samples.view().pools[0]?.name ?? "";
      const broken = samples.breakPool(pool, kind, forMs.value);
      if (broken.done) return respondJson({ pool: broken.pool, kind: broken.kind, until: broken.until });
      const isUnknown = broken.why === "unknown pool";
      const detail = `${broken.detail}.`;
      return respondProblem(
        isUnknown
          ? { status: 404, code: "unknown-pool", detail, known: samples.view().pools.map(({ name }) => name) }
          : { status: 409, code: "refused", detail },
      );
    },
  },
];

function noSamples(): AdminResponse {
  return respondProblem({
    status: 404,
    code: "no-samples",
    detail: "This gateway serves origins of its own and not the bundled samples: there is nothing that may be broken.",
  });
}
