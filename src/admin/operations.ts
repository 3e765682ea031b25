/**
 * The table of the API: each path with its parameters, what it answers, and how it answers. The router and
 * the OpenAPI document both read this table, so neither can know a path that the other does not.
 *
 * It decides nothing: every operation asks the view or the gateway and hands on what it says.
 */
import type { AcmeDesk } from "../contract/acme.ts";
import { CAUSES, causeOf, isCauseId } from "../kernel/causes.ts";
import { CONTROL_OFF } from "../contract/control-port.ts";
import type { ControlPort } from "../contract/control-port.ts";
import type { Clock } from "../kernel/clock.ts";
import type { AdminAnswer, AdminResponse, AdminStream } from "../contract/admin-http.ts";
import type {
  CacheResponse,
  CausesResponse,
  Figures,
  FiguresResponse,
  ExchangesResponse,
  JudgedExchange,
  OriginsResponse,
  StatusResponse,
} from "../contract/api-responses.ts";
import type { ApiSchemaName } from "../contract/api-schemas.ts";
import { outcomeSchema } from "../contract/api-record-schemas.ts";
import { gatewaySentence } from "../contract/api-sentence.ts";
import type { ConfigDesk } from "../contract/config-desk.ts";
import type { KeyDesk } from "../contract/keys.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { HandedOn } from "../contract/succession.ts";
import type { SampleDesk } from "../contract/samples.ts";
import { tellStory, toldVerdict } from "../contract/story.ts";
import { surroundingsOf } from "../contract/verdict/surroundings.ts";
import { verdictOn } from "../contract/verdict/verdict.ts";
import type { GatewayView, NodeActions, PurgeTarget } from "../contract/view.ts";
import { respondJson, respondProblem, SAFE_HEADERS, whenKnown } from "./answers.ts";
import { CODE_OPERATION } from "./code-operation.ts";
import type { EventHub, EventKind } from "./event-stream.ts";
import { EVENT_KINDS, STREAMS_MAX } from "./event-stream.ts";
import type { KnownNames } from "./exchange-query.ts";
import {
  EXCHANGE_PARAMETERS,
  LIMIT_DEFAULT,
  LIMIT_MAX,
  near,
  parseExchangeFilter,
  parseQuery,
  quoted,
  unknownName,
} from "./exchange-query.ts";
import { ALERT_OPERATIONS } from "./alert-operations.ts";
import { CERTIFICATE_OPERATIONS } from "./certificate-operations.ts";
import { CONFIG_OPERATIONS } from "./config-operations.ts";
import { CONTROL_OPERATIONS } from "./control-operations.ts";
import { INCIDENT_OPERATIONS } from "./incident-operations.ts";
import { KEY_OPERATIONS } from "./key-operations.ts";
import { ORIGIN_OPERATIONS } from "./origin-operations.ts";
import type { Rate, RateMemory } from "./rates.ts";
import { SAMPLE_OPERATIONS } from "./sample-operations.ts";
import { SINCE_FORMS } from "./since.ts";

export interface AdminContext {
  readonly view: GatewayView;
  readonly actions: NodeActions;
  readonly clock: Clock;
  readonly events: EventHub;
  readonly rates: RateMemory;
  /** Null: there is no state directory. */
  readonly keys: KeyDesk | null;
  /** Null: the control plane is switched off. */
  readonly control: ControlPort | null;
  /** Null: the configuration is nobody's to change. */
  readonly config: ConfigDesk | null;
  /** Null: no other process can take the place. */
  readonly upgrade: (() => Promise<HandedOn>) | null;
  /** Null: no certificate is obtained by itself. */
  readonly acme: AcmeDesk | null;
  /** Null: the origins are not the bundled samples. */
  readonly samples: SampleDesk | null;
  /** The OpenAPI document, made when first asked for. */
  readonly openApi: () => unknown;
}

export interface Call {
  /** What stands in the path for `{id}`, decoded; empty where the path has none. */
  readonly id: string;
  readonly query: string;
  /** `Last-Event-ID`; empty when not sent. */
  readonly lastEventId: string;
  /** Of POST, as sent; `parseBody` of json-body.ts reads it. */
  readonly body: string;
}

export interface Parameter {
  readonly name: string;
  readonly description: string;
  /** JSON Schema. */
  readonly schema: Readonly<Record<string, unknown>>;
}

export interface Operation {
  /** Under `/api/v1`; `{id}` stands for one segment. */
  readonly path: string;
  /** Default GET. */
  readonly method?: "POST";
  readonly id: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  /** What the JSON in the body has to be. Absent: a body has no meaning. */
  readonly takes?: ApiSchemaName;
  /** The body is no JSON of ours but text of this type, as long as a configuration may be. */
  readonly takesText?: string;
  /** Null: not a schema of ours (the document itself). */
  readonly answers: ApiSchemaName | "event stream" | null;
  /** Statuses of problems besides 401 and, where there is a query, 400. */
  readonly problems: readonly number[];
  answer(context: AdminContext, call: Call): AdminAnswer;
}

const TEXT = { type: "string" } as const;

const EXCHANGE_PARAMETER_TEXTS: Readonly<Record<(typeof EXCHANGE_PARAMETERS)[number], Omit<Parameter, "name">>> = {
  cause: {
    description: "Only this cause, by its id, of the exchange or of one of its attempts.",
    schema: { $ref: "#/components/schemas/CauseId" },
  },
  origin: { description: "Only those with an attempt at this origin, by its URL as configured.", schema: TEXT },
  service: { description: "Only this service.", schema: TEXT },
  route: { description: "Only this route.", schema: TEXT },
  status: {
    description: "Only this status sent to the client (502), or this class (5xx).",
    schema: { type: "string", pattern: "^[1-5](\\d\\d|xx)$" },
  },
  outcome: { description: "Only this outcome.", schema: { type: "string", enum: outcomeSchema.options } },
  since: { description: `Only those that started at or after this: ${SINCE_FORMS}.`, schema: TEXT },
  limit: {
    description: "How many at most.",
    schema: { type: "integer", minimum: 1, maximum: LIMIT_MAX, default: LIMIT_DEFAULT },
  },
};

export const OPERATIONS: readonly Operation[] = [
  {
    path: "/status",
    id: "status",
    summary: "The gateway: state, services with the reason for theirs, and the process.",
    parameters: [],
    answers: "Status",
    problems: [],
    answer: ({ view, clock, control, config }) => {
      const status = view.status();
      const answer: StatusResponse = {
        now: clock.wall(),
        sentence: gatewaySentence(status),
        ...status,
        process: view.metrics().process,
        control: control?.state() ?? CONTROL_OFF,
        configuration: config?.state() ?? null,
      };
      return respondJson(answer);
    },
  },
  {
    path: "/origins",
    id: "origins",
    summary: "Every origin with its addresses, their health and the reason for it.",
    parameters: [],
    answers: "Origins",
    problems: [],
    answer: ({ view, clock }) => respondJson({ now: clock.wall(), origins: view.origins() } satisfies OriginsResponse),
  },
  {
    path: "/figures",
    id: "figures",
    summary: "How much there is to do, how it ends and how long it takes, lately, by service and by route.",
    parameters: [],
    answers: "Figures",
    problems: [],
    answer: ({ view, clock, rates }) => {
      const { seconds, isSinceStart, services, routes } = rates.look(view.metrics(), clock.monotonic());
      const answer: FiguresResponse = {
        now: clock.wall(),
        seconds,
        isSinceStart,
        services: services.map(toFigures),
        routes: routes.map((one) => ({ ...toFigures(one), route: one.route })),
      };
      return respondJson(answer);
    },
  },
  {
    path: "/exchanges",
    id: "exchanges",
    summary:
      "Exchanges that were kept, newest first: all that failed or were rescued, the slowest, a sample of the rest.",
    parameters: EXCHANGE_PARAMETERS.map((name) => ({ name, ...EXCHANGE_PARAMETER_TEXTS[name] })),
    answers: "Exchanges",
    problems: [],
    answer: ({ view, clock }, { query }) => {
      const parsed = parseExchangeFilter(query, knownNames(view), clock.wall());
      if (!parsed.ok) return respondProblem(parsed.refusal);
      return respondJson({ exchanges: view.exchanges(parsed.value) } satisfies ExchangesResponse);
    },
  },
  {
    path: "/exchanges/last",
    id: "lastExchange",
    summary: "The latest exchange that failed or was rescued, with the verdict on it.",
    parameters: [],
    answers: "JudgedExchange",
    problems: [404],
    answer: ({ view }) => {
      const last = lastTroubled(view);
      if (last !== null) return respondJson(judged(view, last));
      return respondProblem({
        status: 404,
        code: "no-exchange-yet",
        detail: "No exchange has failed or been rescued since the gateway started, or none of those is kept any more.",
      });
    },
  },
  {
    path: "/exchanges/{id}",
    id: "exchange",
    summary: "One exchange by its request id (X-Request-Id), with the verdict on it.",
    parameters: [],
    answers: "JudgedExchange",
    problems: [404],
    answer: ({ view }, { id }) =>
      whenKnown(findExchange(view, id), (record) =>
        record === null ? unknownExchange(id) : respondJson(judged(view, record)),
      ),
  },
  {
    path: "/exchanges/{id}/story",
    id: "story",
    summary:
      "The story of one exchange in words: what happened, who is at fault, on what evidence, what to look at first.",
    parameters: [],
    answers: "Story",
    problems: [404],
    answer: ({ view }, { id }) =>
      whenKnown(findExchange(view, id), (record) =>
        record === null
          ? unknownExchange(id)
          : respondJson(tellStory(record, verdictOn(record, surroundingsOf(view, record)))),
      ),
  },
  {
    path: "/causes",
    id: "causes",
    summary: "The table of causes: what can go wrong, who is at fault, what to do first.",
    parameters: [],
    answers: "Causes",
    problems: [],
    answer: () => respondJson({ causes: Object.values(CAUSES) } satisfies CausesResponse),
  },
  {
    path: "/causes/{id}",
    id: "cause",
    summary: "One cause.",
    parameters: [],
    answers: "Cause",
    problems: [404],
    answer: (_context, { id }) => {
      if (isCauseId(id)) return respondJson(causeOf(id));
      const { parameter: _parameter, ...refusal } = unknownName("cause", id, Object.keys(CAUSES)).refusal;
      return respondProblem({ ...refusal, status: 404 });
    },
  },
  CODE_OPERATION,
  {
    path: "/cache",
    id: "cache",
    summary: "The cache: what it holds, and how often which kind of answer was given, by route.",
    parameters: [],
    answers: "Cache",
    problems: [],
    answer: ({ view }) => {
      const { cache, routes } = view.metrics();
      const answer: CacheResponse = {
        ...cache,
        routes: routes
          .filter(({ service }) => service !== "")
          .map(({ service, route, byCache }) => ({ service, route, answers: byCache })),
      };
      return respondJson(answer);
    },
  },
  {
    path: "/cache/purge",
    method: "POST",
    id: "purgeCache",
    summary: "Removes stored responses: of one URL, of all URLs that begin alike, or with one tag.",
    parameters: [
      {
        name: "url",
        description: "A URL, with all its variants; a path alone means under every host.",
        schema: { ...TEXT, examples: ["http://shop.example.com/things?page=2"] },
      },
      { name: "prefix", description: "What URLs begin with.", schema: { ...TEXT, examples: ["/things/"] } },
      { name: "tag", description: "One of the words in Cache-Tag or Surrogate-Key.", schema: TEXT },
    ],
    answers: "Purged",
    problems: [403],
    answer: answerPurge,
  },
  {
    path: "/events",
    id: "events",
    summary:
      "What happens, as it happens, as server-sent events. An event named lost says where the stream has a hole, " +
      "and Last-Event-ID is honoured as far as that is possible.",
    parameters: [
      {
        name: "kind",
        description: "Only these kinds, separated by commas.",
        schema: { type: "string", examples: ["origin,pool"] },
      },
    ],
    answers: "event stream",
    problems: [503],
    answer: answerEvents,
  },
  ...ORIGIN_OPERATIONS,
  ...CERTIFICATE_OPERATIONS,
  ...KEY_OPERATIONS,
  ...INCIDENT_OPERATIONS,
  ...CONTROL_OPERATIONS,
  ...ALERT_OPERATIONS,
  ...CONFIG_OPERATIONS,
  ...SAMPLE_OPERATIONS,
  {
    path: "/openapi.json",
    id: "openApi",
    summary: "This description.",
    parameters: [],
    answers: null,
    problems: [],
    answer: ({ openApi }) => respondJson(openApi()),
  },
];

function toFigures({ p50Us, p95Us, p99Us, ...rate }: Rate): Figures {
  const { service, exchanges, perSecond, failed, rescued, refusedOrAborted, retries } = rate;
  // Nothing ends within no time: what is 0 was not measured, as tunnels are not.
  const ms = (us: number): number | null => (us === 0 ? null : us / 1000);
  const counts = { service, exchanges, perSecond, failed, rescued, refusedOrAborted, retries };
  return { ...counts, p50Ms: ms(p50Us), p95Ms: ms(p95Us), p99Ms: ms(p99Us) };
}

function judged(view: GatewayView, record: ExchangeRecord): JudgedExchange {
  return { ...record, verdict: toldVerdict(verdictOn(record, surroundingsOf(view, record))) };
}

/** The latest exchange that failed or was rescued, or null. */
export function lastTroubled(view: GatewayView): ExchangeRecord | null {
  const [failed] = view.exchanges({ outcome: "failed", limit: 1 });
  const [rescued] = view.exchanges({ outcome: "rescued", limit: 1 });
  if (failed === undefined || rescued === undefined) return failed ?? rescued ?? null;
  return rescued.startedAt > failed.startedAt ? rescued : failed;
}

/** Why there may be no such record, in words for the API and for the page. */
export function unknownExchangeText(id: string): string {
  return (
    `No exchange with the id ${quoted(id)} is kept. All that failed or were rescued are kept until newer ones take ` +
    "their place (records in the configuration); of those that went well only the slowest and a sample are."
  );
}

/** Here, or in a process that has been asked. */
function findExchange(view: GatewayView, id: string): ExchangeRecord | null | Promise<ExchangeRecord | null> {
  return view.exchange(id) ?? view.seek?.(id) ?? null;
}

function unknownExchange(id: string): AdminResponse {
  return respondProblem({ status: 404, code: "unknown-exchange", detail: unknownExchangeText(id) });
}

function knownNames(view: GatewayView): KnownNames {
  const routes = new Set(view.metrics().routes.map((route) => route.route));
  const origins = new Set(view.origins().map((origin) => origin.origin));
  return {
    services: view.status().services.map((service) => service.name),
    routes: [...routes],
    origins: [...origins],
  };
}

function answerPurge({ actions }: AdminContext, { query }: Call): AdminResponse | Promise<AdminResponse> {
  const parsed = parseQuery(query, ["url", "prefix", "tag"]);
  if (!parsed.ok) return respondProblem(parsed.refusal);
  const { url, prefix, tag } = parsed.value;
  const targets: PurgeTarget[] = [];
  if (url !== undefined) targets.push({ kind: "url", url });
  if (prefix !== undefined) targets.push({ kind: "prefix", prefix });
  if (tag !== undefined) targets.push({ kind: "tag", tag });
  const [target] = targets;
  if (target === undefined || targets.length > 1) {
    const detail = "Say what to remove by exactly one of url, prefix and tag.";
    return respondProblem({ status: 400, code: "bad-parameter", detail, known: ["url", "prefix", "tag"] });
  }
  return whenKnown(actions.purgeCache(target), (purged) => {
    if (purged !== null) return respondJson(purged);
    const detail = `${quoted(url ?? prefix ?? "")} is neither a URL (http://HOST/PATH) nor a path that begins with a slash.`;
    return respondProblem({ status: 400, code: "bad-parameter", parameter: target.kind, detail });
  });
}

function answerEvents({ events }: AdminContext, { query, lastEventId }: Call): AdminResponse | AdminStream {
  const parsed = parseQuery(query, ["kind"]);
  if (!parsed.ok) return respondProblem(parsed.refusal);
  let kinds: Set<EventKind> | null = null;
  if (parsed.value.kind !== undefined) {
    kinds = new Set();
    for (const word of parsed.value.kind.split(",")) {
      const kind = EVENT_KINDS.find((known) => known === word.trim());
      if (kind === undefined) {
        return respondProblem({
          status: 400,
          code: "bad-parameter",
          parameter: "kind",
          detail: `There is no kind of event ${quoted(word)}.`,
          ...near(word, EVENT_KINDS),
        });
      }
      kinds.add(kind);
    }
  }
  if (!events.hasRoom()) {
    return respondProblem(
      {
        status: 503,
        code: "too-many-streams",
        detail: `${STREAMS_MAX} event streams are open, and that is the most there may be.`,
      },
      { "retry-after": "30" },
    );
  }
  return {
    kind: "stream",
    status: 200,
    headers: { ...SAFE_HEADERS, "content-type": "text/event-stream; charset=utf-8" },
    start(write, onClose) {
      onClose(events.open({ kinds, lastEventId }, write));
    },
  };
}
