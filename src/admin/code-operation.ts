/** Of the API: what a code of another gateway means, there and here, and the exchanges that may be it. */
import type { CodeResponse } from "../contract/api-responses.ts";
import { allCodes, translateCode } from "../contract/foreign-codes.ts";
import { hintFor } from "../contract/foreign/grpc.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import { tellStory } from "../contract/story.ts";
import { causesOf, tellCode } from "../contract/told-code.ts";
import type { GatewayView } from "../contract/view.ts";
import type { CauseId } from "../kernel/causes.ts";
import { respondJson, respondProblem } from "./answers.ts";
import { near, quoted } from "./exchange-query.ts";
import type { Operation } from "./operations.ts";

const LATEST_MAX = 5;

export const CODE_OPERATION: Operation = {
  path: "/codes/{id}",
  id: "code",
  summary:
    "What a code of another gateway means there and can be here, with the latest exchanges that may be it: flags of " +
    "Envoy, termination states of HAProxy, messages of nginx, numbers of Cloudflare, AWS ALB and Google Cloud, " +
    "outcomes of gRPC, errors of Proxy-Status and of Node.",
  parameters: [],
  answers: "Code",
  problems: [404],
  answer: ({ view }, { id }) => {
    const codes = translateCode(id);
    if (codes.length > 0) {
      const latest = latestOf(view, causesOf(codes));
      return respondJson({ code: id, meanings: codes.map(tellCode), hint: hintFor(id), latest } satisfies CodeResponse);
    }
    // There are hundreds: only the nearest is told.
    const { nearest } = near(id, allCodes());
    return respondProblem({
      status: 404,
      code: "unknown-code",
      detail: `Nobody knows the code ${quoted(id)}.`,
      ...(nearest === undefined ? {} : { nearest }),
    });
  },
};

function latestOf(view: GatewayView, causes: readonly CauseId[]): CodeResponse["latest"] {
  const found = new Map<string, { record: ExchangeRecord; cause: CauseId }>();
  for (const cause of causes) {
    for (const record of view.exchanges({ cause, limit: LATEST_MAX })) {
      if (!found.has(record.id)) found.set(record.id, { record, cause });
    }
  }
  return [...found.values()]
    .toSorted((one, other) => other.record.startedAt - one.record.startedAt)
    .slice(0, LATEST_MAX)
    .map(({ record, cause }) => ({
      id: record.id,
      startedAt: record.startedAt,
      cause,
      headline: tellStory(record).headline,
    }));
}
