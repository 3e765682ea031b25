import { describe, expect, it } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { NO_ACTIONS } from "../../test/support/no-actions.ts";
import { quietView, sampleView, SAMPLE_NOW } from "../../test/support/sample-view.ts";
import type { SampleView } from "../../test/support/sample-view.ts";
import type { AdminAnswer, AdminResponse, AdminStream } from "../contract/admin-http.ts";
import type { ApiSchemaName } from "../contract/api-schemas.ts";
import { API_SCHEMAS } from "../contract/api-schemas.ts";
import type { CodeResponse, ExchangesResponse, JudgedExchange, Problem } from "../contract/api-responses.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { ExchangeFilter, GatewayActions, PurgeTarget } from "../contract/view.ts";
import { createAdmin } from "./admin.ts";
import { STREAMS_MAX } from "./event-stream.ts";
import { ALERT_OPERATIONS } from "./alert-operations.ts";
import { CONFIG_OPERATIONS } from "./config-operations.ts";
import { CONTROL_OPERATIONS } from "./control-operations.ts";
import { INCIDENT_OPERATIONS } from "./incident-operations.ts";
import { KEY_OPERATIONS } from "./key-operations.ts";
import { OPERATIONS } from "./operations.ts";
import { SAMPLE_OPERATIONS } from "./sample-operations.ts";

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

const ASKS_OTHERS: ReadonlySet<(typeof OPERATIONS)[number]> = new Set([
  ...KEY_OPERATIONS,
  ...INCIDENT_OPERATIONS,
  ...CONTROL_OPERATIONS,
  ...ALERT_OPERATIONS,
  ...CONFIG_OPERATIONS,
  ...SAMPLE_OPERATIONS,
]);

function adminOf(view: SampleView = sampleView(), token: string | null = null) {
  const { schedule, clock } = manualSchedule();
  const purged: PurgeTarget[] = [];
  const actions: GatewayActions = {
    ...NO_ACTIONS,
    purgeCache(target) {
      if (target.kind === "url" && target.url === "nonsense") return null;
      purged.push(target);
      return { purged: 3 };
    },
  };
  const handle = createAdmin(view, {
    token,
    actions,
    keys: null,
    control: null,
    dashboard: null,
    schedule,
    clock: { ...clock, wall: () => SAMPLE_NOW },
  });
  function send(target: string, asked: Asked): AdminAnswer {
    const [path = "", query = ""] = target.split(/\?(.*)/s);
    return handle({
      method: asked.method ?? "GET",
      path,
      query,
      headers: asked.headers ?? {},
      body: asked.body ?? "",
    });
  }
  function ask(target: string, asked: Asked = {}): AdminResponse | AdminStream {
    const answer = send(target, asked);
    if (answer instanceof Promise) throw new Error(`${target} answers later`);
    return answer;
  }
  function get(target: string, asked: Asked = {}): AdminResponse {
    const answer = ask(target, asked);
    if (answer.kind !== "response") throw new Error(`${target} is a stream`);
    return answer;
  }
  function problem(target: string, asked: Asked = {}): Problem {
    const answer = get(target, asked);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    const told = exactly("Problem", JSON.parse(answer.body)) as Problem;
    expect(told.status).toBe(answer.status);
    return told;
  }
  /** For paths that have to ask somebody themselves. */
  const askAll = async (target: string, asked: Asked = {}): Promise<AdminResponse | AdminStream> => send(target, asked);
  return { view, purged, ask, askAll, get, problem, json: (target: string): unknown => JSON.parse(get(target).body) };
}

/** The value, once it is known to be of the schema and to have no field that the schema lacks. */
function exactly(name: ApiSchemaName, value: unknown): unknown {
  const parsed: unknown = API_SCHEMAS[name].parse(value);
  expect(parsed).toEqual(value);
  return value;
}

const exchangeIds = (answer: unknown): string[] => (answer as ExchangesResponse).exchanges.map((record) => record.id);

/** What stands for `{id}`, where it is no exchange. */
const IDS: Readonly<Record<string, string>> = { causes: "origin.refused", codes: "UF" };

describe("the API", () => {
  it("answers every operation with what its schema says and nothing besides", () => {
    const { json } = adminOf();
    for (const operation of OPERATIONS) {
      if (operation.answers === null || operation.answers === "event stream" || operation.method === "POST") continue;
      // Those ask a disk or another process; tests of their own look at them.
      if (ASKS_OTHERS.has(operation)) continue;
      const id = IDS[operation.path.split("/")[1] ?? ""] ?? "sample-0003";
      exactly(operation.answers, json(`/api/v1${operation.path.replace("{id}", id)}`));
    }
  });

  it("tells the state in a sentence, with the time by which ages are counted", () => {
    expect(adminOf().json("/api/v1/status")).toMatchObject({
      now: SAMPLE_NOW,
      sentence: "Serving, but 2 of 3 services are in trouble: shop is failing open, reports is degraded.",
      state: "serving",
      process: { descriptorsMax: 65_536 },
    });
  });

  it("finds one exchange by its id, also one that has to be percent-encoded", () => {
    const view = sampleView();
    view.records[0]!.id = "a/b c%?ü";
    const { json } = adminOf(view);
    expect(json(`/api/v1/exchanges/${encodeURIComponent("a/b c%?ü")}`)).toMatchObject({ id: "a/b c%?ü" });
    expect(json("/api/v1/exchanges/sample-0003/story")).toMatchObject({
      headline: expect.stringContaining("payments") as string,
    });
  });

  it("names the latest exchange that failed or was rescued", () => {
    const view = sampleView();
    const { json } = adminOf(view);
    expect(json("/api/v1/exchanges/last")).toMatchObject({ id: "sample-0000", outcome: "failed" });
    view.records[0]!.outcome = "served";
    expect(json("/api/v1/exchanges/last")).toMatchObject({ id: "sample-0002", outcome: "rescued" });
  });

  it("says in words that there is no such exchange", () => {
    const { problem } = adminOf(quietView());
    expect(problem("/api/v1/exchanges/last")).toMatchObject({ status: 404, code: "no-exchange-yet" });
    expect(problem("/api/v1/exchanges/none")).toMatchObject({ status: 404, code: "unknown-exchange" });
    expect(problem("/api/v1/exchanges/%E0%A4%A")).toMatchObject({ status: 404, code: "unknown-exchange" });
    expect(problem("/api/v1/exchanges/none/story").detail).toContain("kept");
  });

  it("knows every cause, and the nearest to one it does not know", () => {
    const { json, problem } = adminOf();
    expect(json("/api/v1/causes/origin.refused")).toMatchObject({ id: "origin.refused", party: "origin" });
    expect(problem("/api/v1/causes/origin.refusd")).toMatchObject({
      status: 404,
      code: "unknown-cause",
      nearest: "origin.refused",
      known: expect.arrayContaining(["dns.timeout"]) as string[],
    });
    expect(problem("/api/v1/causes/constructor").status).toBe(404);
  });
});

describe("the filter of exchanges", () => {
  it("takes each parameter", () => {
    const { json } = adminOf();
    const all = exchangeIds(json("/api/v1/exchanges?limit=1000"));
    const records = sampleView().records;
    expect(all).toHaveLength(records.length);
    const query = (text: string): string[] => exchangeIds(json(`/api/v1/exchanges?limit=1000&${text}`));
    const kept = (keep: (record: ExchangeRecord) => boolean): string[] =>
      records.filter(keep).map((record) => record.id);
    expect(query("cause=origin.refused")).toEqual(
      kept((record) => [record, ...record.attempts].some(({ cause }) => cause === "origin.refused")),
    );
    expect(query("outcome=rescued")).toEqual(kept((record) => record.outcome === "rescued"));
    expect(query("status=502")).toEqual(kept((record) => record.status === 502));
    expect(query("status=5XX")).toEqual(kept((record) => record.status >= 500));
    expect(query("service=shop&route=default")).toEqual(kept((record) => record.service === "shop"));
    expect(query(`origin=${encodeURIComponent("http://127.0.0.1:3002")}`)).toEqual(
      kept((record) => record.attempts.some(({ origin }) => origin.endsWith(":3002"))),
    );
    expect(query("since=1m")).toEqual(kept((record) => record.startedAt >= SAMPLE_NOW - 60_000));
    for (const ids of [query("cause=origin.refused"), query("since=1m"), query("status=502")])
      expect(ids.length).toBeGreaterThan(0);
  });

  it("asks for 50 when no limit is given", () => {
    const view = sampleView();
    let seen: ExchangeFilter = {};
    view.exchanges = (filter) => {
      seen = filter;
      return [];
    };
    adminOf(view).get("/api/v1/exchanges");
    expect(seen).toEqual({ limit: 50 });
  });

  it.each([
    ["casue=origin.refused", "unknown-parameter", "casue", "cause"],
    ["cause=origin.refusd", "unknown-cause", "cause", "origin.refused"],
    ["outcome=recued", "bad-parameter", "outcome", "rescued"],
    ["service=shopp", "bad-parameter", "service", "shop"],
    ["route=defualt", "bad-parameter", "route", "default"],
    ["origin=http://127.0.0.1:300", "bad-parameter", "origin", "http://127.0.0.1:3001"],
    ["status=99", "bad-parameter", "status", undefined],
    ["status=6xx", "bad-parameter", "status", undefined],
    ["limit=0", "bad-parameter", "limit", undefined],
    ["limit=1001", "bad-parameter", "limit", undefined],
    ["limit=1e2", "bad-parameter", "limit", undefined],
    ["limit=5&limit=6", "bad-parameter", "limit", undefined],
    ["since=", "bad-parameter", "since", undefined],
    ["since=10", "bad-parameter", "since", undefined],
    ["__proto__=1", "unknown-parameter", "__proto__", undefined],
  ])("refuses ?%s and helps", (query, code, parameter, nearest) => {
    const told = adminOf().problem(`/api/v1/exchanges?${query}`);
    expect(told).toMatchObject({ status: 400, title: "Bad Request", code, parameter });
    expect(told.nearest).toBe(nearest);
  });

  it("does not repeat an endless value", () => {
    const told = adminOf().problem(`/api/v1/exchanges?service=${"x".repeat(9000)}`);
    expect(told.detail.length).toBeLessThan(300);
  });
});

describe("the events", () => {
  it("are a stream that starts when the server says so and ends when it says so", () => {
    const { view, ask } = adminOf();
    const answer = ask("/api/v1/events?kind=pool,origin");
    if (answer.kind !== "stream") throw new Error("not a stream");
    expect(answer).toMatchObject({
      status: 200,
      headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store" },
    });
    expect(view.listeners()).toBe(0);
    const chunks: string[] = [];
    let stop: (() => void) | null = null;
    answer.start(
      (chunk) => chunks.push(chunk) > 0,
      (toStop) => {
        stop = toStop;
      },
    );
    expect(view.listeners()).toBe(1);
    expect(stop).not.toBeNull();
    view.emit({ kind: "pool", at: 1, service: "shop", from: "a", to: "b", because: "" });
    view.emit({ kind: "gateway", at: 1, code: "x", detail: "" });
    expect(chunks.join("")).toMatch(/event: pool\n/);
    expect(chunks.join("")).not.toMatch(/event: gateway\n/);
  });

  it("refuse a kind they do not know with the nearest", () => {
    expect(adminOf().problem("/api/v1/events?kind=origin,pol")).toMatchObject({
      status: 400,
      parameter: "kind",
      nearest: "pool",
    });
  });

  it("refuse one stream too many and say when to come again", () => {
    const { ask, get } = adminOf();
    for (let index = 0; index < STREAMS_MAX; index += 1) {
      const answer = ask("/api/v1/events");
      if (answer.kind === "stream") {
        answer.start(
          () => true,
          () => {},
        );
      }
    }
    expect(get("/api/v1/events")).toMatchObject({ status: 503, headers: { "retry-after": "30" } });
  });
});

describe("a code of another gateway", () => {
  it("is told with what it means there, what it can be here, and the latest exchanges that may be it", () => {
    const { json } = adminOf();
    const answer = json("/api/v1/codes/521") as CodeResponse;
    expect(answer.meanings).toMatchObject([
      { system: "cloudflare", code: "521", here: [{ id: "dns.stale_ip" }, { id: "origin.refused", party: "origin" }] },
    ]);
    expect(answer.latest.length).toBeGreaterThan(0);
    expect(answer.latest[0]).toMatchObject({ cause: "origin.refused" });
    expect(answer.latest.map(({ startedAt }) => startedAt)).toEqual(
      answer.latest.map(({ startedAt }) => startedAt).toSorted((one, other) => other - one),
    );
    // No exchange of the sample has gone wrong so.
    expect((json("/api/v1/codes/1019") as CodeResponse).latest).toEqual([]);
  });

  it("may be a message with spaces, brackets and quotes", () => {
    const text = 'upstream sent more data than specified in "Content-Length"';
    expect(adminOf().json(`/api/v1/codes/${encodeURIComponent(text)}`)).toMatchObject({ meanings: [{ code: text }] });
  });

  it("that nobody knows is a problem that names the nearest", () => {
    const { ask } = adminOf();
    const answer = ask("/api/v1/codes/UCX");
    expect(answer).toMatchObject({ status: 404, body: expect.stringContaining('"unknown-code"') as string });
    expect(answer).toMatchObject({ body: expect.stringContaining('"nearest": "UC"') as string });
  });
});

describe("the verdict on an exchange", () => {
  it("stands beside its record and in its story, in the same words", () => {
    const { json } = adminOf();
    const last = json("/api/v1/exchanges/last") as JudgedExchange;
    expect(last.verdict).not.toBe(null);
    expect(last.verdict?.sentence).toMatch(/\.$/);
    expect(json(`/api/v1/exchanges/${last.id}/story`)).toMatchObject({ verdict: last.verdict });
  });
});

describe("every path", () => {
  const PATHS = [
    "/metrics",
    ...OPERATIONS.filter((one) => one.method !== "POST").map(
      (one) => `/api/v1${one.path.replace("{id}", "sample-0003")}`,
    ),
  ];

  it.each(PATHS)("%s has the same head for HEAD as for GET, and no body", async (path) => {
    const { askAll } = adminOf();
    const [got, head] = [await askAll(path), await askAll(path, { method: "HEAD" })];
    expect(head).toEqual({ kind: "response", status: got.status, headers: got.headers, body: "" });
  });

  it.each(PATHS)("%s tells a browser not to guess, keep, frame or share it", async (path) => {
    const { headers } = await adminOf().askAll(path);
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cross-origin-resource-policy": "same-origin",
    });
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(headers["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(headers["content-security-policy"]).not.toContain("unsafe");
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
  });

  it.each(PATHS)("%s knows no method that could change anything", (path) => {
    const { get, problem } = adminOf();
    const isWritten = OPERATIONS.some((one) => one.method === "POST" && `/api/v1${one.path}` === path);
    for (const method of [...(isWritten ? [] : ["POST"]), "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"]) {
      expect(problem(path, { method })).toMatchObject({ status: 405, code: "method-not-allowed" });
      expect(get(path, { method }).headers["allow"]).toBe(isWritten ? "GET, HEAD, POST" : "GET, HEAD");
    }
  });

  it.each(PATHS)("%s is closed without the token, and open with it", async (path) => {
    const { askAll, get } = adminOf(sampleView(), "s3cret");
    expect(get(path)).toMatchObject({
      status: 401,
      headers: { "www-authenticate": expect.stringContaining("Bearer") as string },
    });
    expect(get(path, { headers: { authorization: "Bearer wrong" } }).status).toBe(401);
    const open = await adminOf().askAll(path);
    expect(await askAll(path, { headers: { authorization: "Bearer s3cret" } })).toEqual(
      open.kind === "stream" ? expect.anything() : open,
    );
  });

  it("announces its length in bytes, not in characters", () => {
    const { get } = adminOf();
    for (const path of ["/api/v1/exchanges", "/api/v1/causes"]) {
      const answer = get(path);
      expect(answer.headers["content-length"]).toBe(String(Buffer.byteLength(answer.body)));
    }
  });
});

describe("purging the cache", () => {
  const PURGE = "/api/v1/cache/purge";

  it("is asked for by POST, and says how much went", () => {
    const { get, purged } = adminOf();
    for (const query of ["url=http%3A%2F%2Fx%2Fa%3Fb%3D1", "prefix=/a", "tag=news"]) {
      exactly("Purged", JSON.parse(get(`${PURGE}?${query}`, { method: "POST" }).body));
    }
    expect(purged).toEqual([
      { kind: "url", url: "http://x/a?b=1" },
      { kind: "prefix", prefix: "/a" },
      { kind: "tag", tag: "news" },
    ]);
  });

  it.each(["", "?url=/a&tag=b", "?url=nonsense", "?all=1", "?tag="])("refuses %j", (query) => {
    const { problem, purged } = adminOf();
    expect(problem(`${PURGE}${query}`, { method: "POST" }).status).toBe(400);
    expect(purged).toEqual([]);
  });

  it("knows no other method, and no page of another site", () => {
    const { problem, get, purged } = adminOf();
    for (const method of ["GET", "HEAD", "DELETE", "PURGE"]) {
      const answer = get(`${PURGE}?tag=a`, { method });
      expect([answer.status, answer.headers["allow"]]).toEqual([405, "POST"]);
    }
    for (const origin of ["http://evil.example", "null", "http://127.0.0.1:9091"]) {
      const headers = { origin, host: "127.0.0.1:9090" };
      expect(problem(`${PURGE}?tag=a`, { method: "POST", headers }).code).toBe("foreign-origin");
    }
    expect(purged).toEqual([]);
    const own = { origin: "http://127.0.0.1:9090", host: "127.0.0.1:9090" };
    expect(get(`${PURGE}?tag=a`, { method: "POST", headers: own }).status).toBe(200);
  });

  it("asks for the token like everything else", () => {
    const { get, purged } = adminOf(sampleView(), "s3cret");
    expect(get(`${PURGE}?tag=a`, { method: "POST" }).status).toBe(401);
    expect(purged).toEqual([]);
  });
});

describe("an unknown path", () => {
  it.each([
    ["/api/v1/staus", "/api/v1/status"],
    ["/api/v1/status/", "/api/v1/status"],
    ["/metric", "/metrics"],
    ["/api/v1/exchanges/", "/api/v1/exchanges"],
    ["/wp-admin/setup.php", undefined],
    ["//", undefined],
    ["", undefined],
  ])("%s is told with the nearest", (path, nearest) => {
    const told = adminOf().problem(path);
    expect(told).toMatchObject({ status: 404, code: "unknown-path" });
    expect(told.nearest).toBe(nearest);
  });

  it("is not revealed to who has no token", () => {
    expect(adminOf(sampleView(), "s3cret").problem("/nothing").status).toBe(401);
  });
});

describe("parameters where there are none", () => {
  it("are refused, because they would be ignored", () => {
    expect(adminOf().problem("/api/v1/status?verbose=1")).toMatchObject({
      status: 400,
      code: "unknown-parameter",
      known: [],
    });
  });

  it("are let pass for metrics, which scrapers may be told to send", () => {
    expect(adminOf().get("/metrics?format=prometheus").status).toBe(200);
  });
});

describe("metrics", () => {
  it("come in the format that is asked for", () => {
    const { get } = adminOf();
    expect(get("/metrics").headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    const open = get("/metrics", { headers: { accept: "application/openmetrics-text" } });
    expect(open.headers["content-type"]).toContain("application/openmetrics-text");
    expect(open.body).toMatch(/# EOF\n$/);
  });
});
