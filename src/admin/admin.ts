/**
 * The admin surface: the API under `/api/v1`, `/metrics`, and the dashboard. A pure function from a
 * request to an answer, over what the gateway lets others see and do. It decides nothing. What changes something is
 * asked for by POST, and a browser that was made to send it by the page of another site is refused.
 */
import type { AcmeDesk } from "../contract/acme.ts";
import { nearest } from "../kernel/nearest.ts";
import type { Clock, Schedule } from "../kernel/clock.ts";
import type { AdminAnswer, AdminHandler, AdminRequest, AdminResponse, AdminStream } from "../contract/admin-http.ts";
import type { ControlPort } from "../contract/control-port.ts";
import type { Dashboard } from "../contract/dashboard.ts";
import type { ConfigDesk } from "../contract/config-desk.ts";
import type { KeyDesk } from "../contract/keys.ts";
import type { HandedOn } from "../contract/succession.ts";
import type { SampleDesk } from "../contract/samples.ts";
import type { GatewayView, NodeActions } from "../contract/view.ts";
import { createControlTally } from "./control-tally.ts";
import type { ControlTally } from "./control-tally.ts";
import { challenge, checkAccess } from "./access.ts";
import { respond, respondProblem, withoutBody } from "./answers.ts";
import { answerAsset, answerPage, DASHBOARD_ASSETS, DASHBOARD_PAGES } from "./dashboard.ts";
import { createEventHub } from "./event-stream.ts";
import { parseQuery, quoted } from "./exchange-query.ts";
import { EXPOSITION_TYPES, expositionFormat } from "./exposition.ts";
import { renderMetrics } from "./metrics.ts";
import { API_BASE, openApi } from "./openapi.ts";
import type { AdminContext, Call } from "./operations.ts";
import { OPERATIONS } from "./operations.ts";
import { createRateMemory } from "./rates.ts";

export interface AdminOptions {
  /** Null: none is asked for (loopback only). Looked at with each request: it may be changed. */
  token: string | null;
  readonly clock: Clock;
  readonly actions: NodeActions;
  /** Null: there is no state directory, so no keys. */
  readonly keys: KeyDesk | null;
  /** Null: the control plane is switched off. */
  readonly control: ControlPort | null;
  /** Absent: the configuration is nobody's to change. */
  readonly config?: ConfigDesk;
  /** Has another process take the place. Absent: there can be none. */
  readonly upgrade?: () => Promise<HandedOn>;
  /** Absent: no certificate is obtained by itself. */
  readonly acme?: AcmeDesk;
  /** Of a gateway that was started in front of the bundled samples: they may be broken. */
  readonly samples?: SampleDesk;
  /** Null: it was not built. */
  readonly dashboard: Dashboard | null;
  /** For the heartbeats of event streams. */
  readonly schedule: Schedule;
}

export function createAdmin(view: GatewayView, options: AdminOptions): AdminHandler {
  const { clock, schedule, actions } = options;
  let document: unknown = null;
  const rates = createRateMemory();
  const context: AdminContext = {
    view,
    actions,
    clock,
    keys: options.keys,
    control: options.control,
    config: options.config ?? null,
    acme: options.acme ?? null,
    upgrade: options.upgrade ?? null,
    samples: options.samples ?? null,
    rates,
    events: createEventHub(view, options.control, clock, schedule),
    openApi: () => (document ??= openApi()),
  };
  const paths = [
    ...OPERATIONS.map((operation) => pathOfApi(context, operation)),
    ...pathsBesideApi(view, createControlTally(options.control), options),
  ];

  return (request) => {
    const { token } = options;
    if (token !== null && !isOpen(request.path)) {
      const access = checkAccess(token, request.headers["authorization"]);
      if (access !== "granted") return refuseAccess(access === "no token", challenge(access));
    }
    const method = request.method === "HEAD" ? "GET" : request.method;
    const taken = new Set<Path["method"]>();
    for (const path of paths) {
      const id = matchPath(path.template, request.path);
      if (id === null) continue;
      if (path.method !== method) {
        taken.add(path.method);
        continue;
      }
      if (method === "POST" && isForeign(request)) return refuseForeign();
      const refusal = contentRefusal(path, request);
      if (refusal !== null) return refusal;
      const parsed = path.takesQuery ? null : parseQuery(request.query, []);
      if (parsed !== null && !parsed.ok) return asAsked(request, respondProblem(parsed.refusal));
      const { refresh } = view;
      // Where other processes serve they are asked first; a stream tells what happens from now on.
      if (refresh === undefined || path.shows !== "state") return asAsked(request, path.answer(request, id));
      const answered = async (): Promise<AdminResponse> => {
        await refresh.call(view);
        const answer = await path.answer(request, id);
        if (answer.kind === "stream") throw new Error(`${path.template} is a stream and says that it is not`);
        return answer;
      };
      return asAsked(request, answered());
    }
    return taken.size > 0 ? refuseMethod(request, [...taken]) : unknownPath(request.path, paths);
  };
}

function asAsked({ method }: AdminRequest, answer: AdminAnswer): AdminAnswer {
  if (method !== "HEAD") return answer;
  return answer instanceof Promise ? answer.then(withoutBody) : headOf(answer);
}

interface Path {
  /** `state`: how things are now. `stream`: what happens from now on. `files`: the same whatever happens. */
  readonly shows: "state" | "stream" | "files";
  /** `{id}` stands for one segment. */
  readonly template: string;
  readonly takesQuery: boolean;
  readonly takesBody?: boolean;
  /** The type of text that it takes; empty: none. */
  readonly takesText?: string;
  readonly method: "GET" | "POST";
  answer(request: AdminRequest, id: string): AdminAnswer;
}

function pathOfApi(context: AdminContext, operation: (typeof OPERATIONS)[number]): Path {
  return {
    template: API_BASE + operation.path,
    shows: operation.answers === "event stream" ? "stream" : operation.answers === null ? "files" : "state",
    takesQuery: operation.parameters.length > 0,
    takesBody: operation.takes !== undefined,
    takesText: operation.takesText ?? "",
    method: operation.method ?? "GET",
    answer: (request, id) => {
      const lastEventId = request.headers["last-event-id"] ?? "";
      const call: Call = { id, query: request.query, lastEventId, body: request.body };
      return operation.answer(context, call);
    },
  };
}

function pathsBesideApi(
  view: GatewayView,
  tally: () => ControlTally,
  { config, acme, dashboard }: AdminOptions,
): Path[] {
  return [
    {
      template: "/metrics",
      shows: "state",
      // Prometheus can be told to send parameters, and they mean nothing here; refusing them would lose the scrape.
      takesQuery: true,
      method: "GET",
      answer: (request) => {
        const format = expositionFormat(request.headers["accept"] ?? "");
        return respond(
          200,
          EXPOSITION_TYPES[format],
          renderMetrics(
            {
              metrics: view.metrics(),
              status: view.status(),
              control: tally(),
              config: config?.state() ?? null,
              fleet: acme?.fleet() ?? null,
            },
            format,
          ),
        );
      },
    },
    ...DASHBOARD_PAGES.map((template): Path => ({
      template,
      shows: "files",
      // The query is the page's own: filters that can be shared.
      takesQuery: true,
      method: "GET",
      answer: (request) => answerPage(dashboard, request),
    })),
    {
      template: DASHBOARD_ASSETS,
      shows: "files",
      takesQuery: false,
      method: "GET",
      answer: (request, id) => answerAsset(dashboard, request, id),
    },
  ];
}

/** The files of the dashboard are the same for everybody; what it shows is asked for with the token. */
function isOpen(path: string): boolean {
  return [...DASHBOARD_PAGES, DASHBOARD_ASSETS].some((template) => matchPath(template, path) !== null);
}

/** What stands for `{id}` in the path, empty when the template has none; null when they do not match. */
function matchPath(template: string, path: string): string | null {
  if (template === path) return "";
  const [before = "", after] = template.split("{id}");
  if (after === undefined || !path.startsWith(before) || !path.endsWith(after)) return null;
  const segment = path.slice(before.length, path.length - after.length);
  return segment === "" || segment.includes("/") ? null : decodeSegment(segment);
}

/** A segment that is not valid percent-encoding stands for itself: no id looks like it, and the answer says so. */
function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function headOf(answer: AdminResponse | AdminStream): AdminResponse {
  if (answer.kind === "response") return withoutBody(answer);
  return { kind: "response", status: answer.status, headers: answer.headers, body: "" };
}

function refuseAccess(isMissing: boolean, wwwAuthenticate: string): AdminResponse {
  const detail = isMissing
    ? "This gateway asks for a token: send admin.token of its configuration as Authorization: Bearer TOKEN, or in a browser as the password with any name."
    : "That is not the token of this gateway.";
  return respondProblem({ status: 401, code: "unauthorised", detail }, { "www-authenticate": wwwAuthenticate });
}

/** Browsers name the page that made them send a POST; programs name none. */
function isForeign({ headers }: AdminRequest): boolean {
  const origin = headers["origin"];
  if (origin === undefined) return false;
  return URL.parse(origin)?.host !== headers["host"];
}

function refuseForeign(): AdminResponse {
  const detail = "This request was made by a page of another site, and such pages may change nothing here.";
  return respondProblem({ status: 403, code: "foreign-origin", detail });
}

/** A form of another site's page can send anything but this without the browser asking first. */
function isJson({ headers }: AdminRequest): boolean {
  return /^application\/json *(?:;|$)/i.test(headers["content-type"] ?? "");
}

/** Null: the body is of a type that the path takes, or has no meaning there. */
function contentRefusal({ takesBody, takesText = "" }: Path, request: AdminRequest): AdminResponse | null {
  // JSON is YAML, so a file in either is what is asked for.
  const isTaken =
    takesText === "" ? takesBody !== true || isJson(request) : isJson(request) || isOf(request, takesText);
  if (isTaken) return null;
  const detail =
    takesText === ""
      ? "This path takes a JSON body: send content-type: application/json."
      : `This path takes a file: send content-type: ${takesText}.`;
  return respondProblem({ status: 415, code: "not-json", detail });
}

function isOf({ headers }: AdminRequest, type: string): boolean {
  return (headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase() === type;
}

function refuseMethod(request: AdminRequest, methods: readonly Path["method"][]): AdminResponse {
  const allowed = methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]));
  const detail = `${quoted(request.method)} has no meaning here: this path takes ${allowed.join(" and ")} only.`;
  return respondProblem({ status: 405, code: "method-not-allowed", detail }, { allow: allowed.join(", ") });
}

function unknownPath(path: string, paths: readonly Path[]): AdminResponse {
  const known = [...new Set(paths.map((one) => one.template))];
  const found = nearest(path, known);
  const meant = found === null ? "" : ` Did you mean ${found}?`;
  return respondProblem({
    status: 404,
    code: "unknown-path",
    detail: `There is nothing at ${quoted(path)}.${meant}`,
    ...(found === null ? {} : { nearest: found }),
    known,
  });
}
