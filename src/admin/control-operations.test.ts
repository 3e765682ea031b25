import { describe, expect, it } from "vitest";
import { fakeControl } from "../../test/support/fake-control.ts";
import type { FakeControl, Replies } from "../../test/support/fake-control.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { NO_ACTIONS } from "../../test/support/no-actions.ts";
import { sampleIncident } from "../../test/support/sample-incident.ts";
import { quietView } from "../../test/support/sample-view.ts";
import type { AdminResponse } from "../contract/admin-http.ts";
import { API_SCHEMAS } from "../contract/api-schemas.ts";
import type { ApiSchemaName } from "../contract/api-schemas.ts";
import type { AlertsView } from "../contract/control-port.ts";
import type { ProbeFact } from "../contract/facts.ts";
import type { Forecast } from "../contract/incident.ts";
import type { ServiceHealth } from "../contract/series.ts";
import { createAdmin } from "./admin.ts";
import { OPERATIONS } from "./operations.ts";

const INCIDENT = sampleIncident();
const EVIDENCE = INCIDENT.hypotheses[0].for;
const HEALTH: ServiceHealth = {
  service: "shop",
  state: "disturbed",
  because: "pool aws refuses connections",
  perSecond: 300,
  failedRatio: 0,
  rescuedRatio: 0.2,
  p50Ms: 3,
  p95Ms: 12,
  p99Ms: null,
  objective: { availability: 0.999, latencyMs: null, budgetLeft: -0.1, burn5m: 20, burn1h: 2, from: 0 },
  incidents: [{ id: INCIDENT.id, severity: "warning", title: INCIDENT.title, party: "origin" }],
};
const FORECAST: Forecast = {
  id: "descriptors/a",
  kind: "descriptors",
  severity: "warning",
  title: "The descriptors will be used up",
  where: { node: "a" },
  when: 1000,
  confidence: 0.8,
  evidence: EVIDENCE,
  advice: "Raise the limit.",
  since: 0,
};
const PROBE: ProbeFact = {
  kind: "probe",
  at: 1,
  id: "p1",
  service: "shop",
  pool: "aws",
  origin: "http://a1:80",
  rungs: [{ rung: "connect", at: "10.0.0.1:80", result: "breaks", ms: 2, text: "refused" }],
  located: "nobody listens there",
};
const ALERTS: AlertsView = {
  silences: [{ id: "s1", at: 0, where: { service: "shop" }, by: "ada", reason: "moving", until: 9 }],
  sinks: [{ name: "mail", kind: "e-mail", state: "ok", because: "", lastAt: null }],
  sent: [{ at: 1, incident: INCIDENT.id, sink: "mail", what: "open", outcome: "delivered", detail: "" }],
};
const REPLIES: Replies = {
  incidents: () => [INCIDENT],
  incident: ({ id }) => (id === INCIDENT.id ? INCIDENT : null),
  act: () => ({ refused: "" }),
  forecasts: () => [FORECAST],
  health: () => [HEALTH],
  series: ({ question }) => ({
    resolution: question.resolution,
    series: [
      {
        value: "",
        points: [{ at: 0, known: 1, exchanges: 3, failed: 1, rescued: 0, p50Ms: 1, p95Ms: null, p99Ms: null }],
      },
    ],
  }),
  probes: () => [PROBE],
  probe: () => PROBE,
  alerts: () => ALERTS,
  silence: () => ({ id: "s2" }),
  "test alert": () => ({ tested: [{ sink: "pager", outcome: "delivered", detail: "status 202" }] }),
  unsilence: () => ({ refused: "" }),
};

function world(control: FakeControl | null) {
  const before = control?.asked.length ?? 0;
  const handle = createAdmin(quietView(), {
    token: null,
    keys: null,
    control,
    dashboard: null,
    actions: NO_ACTIONS,
    ...manualSchedule(),
  });
  // What the metrics ask when they begin to count is not what is tested here.
  control?.asked.splice(before);
  const send = async (method: string, target: string, body: unknown): Promise<AdminResponse> => {
    const [path = "", query = ""] = `/api/v1${target}`.split(/\?(.*)/s);
    const text = body === undefined ? "" : JSON.stringify(body);
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const answer = await handle({ method, path, query, headers, body: text });
    if (answer.kind !== "response") throw new Error("a stream");
    return answer;
  };
  return {
    get: (target: string) => send("GET", target, undefined),
    post: (target: string, body: unknown) => send("POST", target, body),
  };
}

function detailOf(answer: AdminResponse): string {
  return (JSON.parse(answer.body) as { detail: string }).detail;
}

const GETS: readonly [string, ApiSchemaName][] = [
  ["/incidents", "Incidents"],
  [`/incidents/${INCIDENT.id}`, "Incident"],
  ["/forecasts", "Forecasts"],
  ["/health", "Health"],
  ["/series", "Series"],
  ["/probes", "Probes"],
  ["/alerts", "Alerts"],
];
const BY = { by: "ada" };
const POSTS: readonly [string, unknown, ApiSchemaName][] = [
  [`/incidents/${INCIDENT.id}/acknowledge`, BY, "Incident"],
  [`/incidents/${INCIDENT.id}/take-over`, BY, "Incident"],
  [`/incidents/${INCIDENT.id}/annotate`, { ...BY, text: "we restarted it" }, "Incident"],
  [`/incidents/${INCIDENT.id}/merge`, { ...BY, into: "inc-2" }, "Incident"],
  [`/incidents/${INCIDENT.id}/split`, { ...BY, where: { route: "media" } }, "Incident"],
  [`/incidents/${INCIDENT.id}/close`, { ...BY, text: "done" }, "Incident"],
  ["/probes", { ...BY, service: "shop", origin: "http://a1:80" }, "Probe"],
  ["/silences", { ...BY, where: { service: "shop" }, reason: "moving", for: "2h" }, "Silenced"],
  ["/silences/s1/end", BY, "Silenced"],
  ["/alerts/test", { ...BY, sink: "pager" }, "AlertsTested"],
];

describe("what the control plane says", () => {
  it.each(GETS)("%s is what its schema says and nothing besides", async (target, name) => {
    const answer = await world(fakeControl(REPLIES)).get(target);
    expect(answer.status, answer.body).toBe(200);
    const value: unknown = JSON.parse(answer.body);
    expect(API_SCHEMAS[name].parse(value)).toEqual(value);
  });

  it.each(POSTS)("POST %s with %j is done and answered by its schema", async (target, body, name) => {
    const answer = await world(fakeControl(REPLIES)).post(target, body);
    expect(answer.status, answer.body).toBe(200);
    const value: unknown = JSON.parse(answer.body);
    expect(API_SCHEMAS[name].parse(value)).toEqual(value);
  });

  it("covers every path that asks it", () => {
    const tried = new Set([...GETS.map(([target]) => target), ...POSTS.map(([target]) => `POST ${target}`)]);
    for (const { path, method, problems } of OPERATIONS.filter(({ problems: some }) => some.includes(503))) {
      if (/^\/(?:keys|events|origins|incidents\/\{id\}\/postmortem)/.test(path)) continue;
      const target = path.replace("{id}", path.startsWith("/silences") ? "s1" : INCIDENT.id);
      expect(tried, String(problems)).toContain(method === "POST" ? `POST ${target}` : target);
    }
  });

  it("gives a postmortem as Markdown", async () => {
    const answer = await world(fakeControl(REPLIES)).get(`/incidents/${INCIDENT.id}/postmortem`);
    expect(answer.headers["content-type"]).toBe("text/markdown; charset=utf-8");
    expect(answer.body).toMatch(/^# Pool aws of shop refuses connections\n/);
  });

  it("hands on what a person does as a fact with who did it", async () => {
    const control = fakeControl(REPLIES);
    for (const [target, body] of POSTS.slice(0, 6)) await world(control).post(target, body);
    const acts = control.asked.flatMap((question) => (question.ask === "act" ? [question.fact] : []));
    expect(acts.map(({ by, incident, act }) => [by, incident, act])).toEqual([
      ["ada", INCIDENT.id, { do: "acknowledge" }],
      ["ada", INCIDENT.id, { do: "take over" }],
      ["ada", INCIDENT.id, { do: "annotate", text: "we restarted it" }],
      ["ada", INCIDENT.id, { do: "merge", into: "inc-2" }],
      ["ada", INCIDENT.id, { do: "split", where: { route: "media" } }],
      ["ada", INCIDENT.id, { do: "close", text: "done" }],
    ]);
  });

  it.each([
    [`/incidents/${INCIDENT.id}/annotate`, BY, /^text: /],
    [`/incidents/${INCIDENT.id}/close`, BY, /^text: /],
    [`/incidents/${INCIDENT.id}/merge`, BY, /^into: /],
    [`/incidents/${INCIDENT.id}/split`, BY, /^where: /],
    [`/incidents/${INCIDENT.id}/split`, { ...BY, where: {} }, /^where: name at least/],
    [`/incidents/${INCIDENT.id}/acknowledge`, { by: "  " }, /^by: /],
    [`/incidents/${INCIDENT.id}/acknowledge`, { ...BY, whom: "x" }, /whom/],
    ["/silences", { ...BY, where: { service: "shop" }, reason: "x", for: "1s" }, /^for: /],
    ["/silences", { ...BY, where: { service: "shop" }, reason: "x", for: "soon" }, /^for: /],
    ["/silences", { ...BY, where: {}, reason: "x", for: "1h" }, /^where: /],
    ["/silences", { where: { service: "shop" }, reason: "x", for: "1h" }, /^by: /],
  ])("POST %s with %j is refused, and nothing is asked", async (target, body, why) => {
    const control = fakeControl(REPLIES);
    const answer = await world(control).post(target, body);
    expect(answer.status).toBe(400);
    expect(detailOf(answer)).toMatch(why);
    expect(control.asked).toEqual([]);
  });

  it("says that there is no such incident, no such silence, and what cannot be done", async () => {
    const replies: Replies = {
      ...REPLIES,
      act: () => ({ refused: "it is merged into inc-9" }),
      unsilence: () => ({ refused: "it ended" }),
      probe: () => ({ refused: "it was climbed a moment ago" }),
      silence: () => ({ refused: "there are too many" }),
    };
    const { get, post } = world(fakeControl(replies));
    expect((await get("/incidents/none")).status).toBe(404);
    expect((await get("/incidents/none/postmortem")).status).toBe(404);
    expect((await post("/incidents/none/acknowledge", BY)).status).toBe(404);
    expect((await post("/silences/s1/end", BY)).status).toBe(404);
    for (const [target, body] of POSTS.filter((_, index) => [0, 6, 7].includes(index))) {
      const answer = await post(target, body);
      expect(answer.status, target).toBe(409);
      expect(detailOf(answer)).not.toBe("");
    }
  });
});

describe("without a control plane", () => {
  const dead = (): FakeControl => {
    const control = fakeControl();
    control.stateNow = {
      state: "dead",
      heardAt: 5,
      because: "it ended (SIGKILL)",
      factsLost: 3,
      factsWaiting: 0,
      residentBytes: 0,
      tracesLeftOut: 0,
      restarts: 1,
    };
    return control;
  };
  const all: (readonly [string, unknown])[] = [
    ...GETS.filter(([target]) => target !== "/health").map(([target]) => [target, undefined] as const),
    ...POSTS.map(([target, body]) => [target, body] as const),
  ];

  it.each(all)("%s says so, and why", async (target, body) => {
    for (const control of [null, dead()]) {
      const answer = await (body === undefined ? world(control).get(target) : world(control).post(target, body));
      expect(answer.status).toBe(503);
      expect(JSON.parse(answer.body)).toMatchObject({ code: "control-unavailable" });
      expect(detailOf(answer)).toContain(control === null ? "control: false" : "nothing was prepared");
    }
  });

  it("health is still answered: without services, and with the state of the control plane", async () => {
    for (const [control, state] of [
      [null, "off"],
      [dead(), "dead"],
    ] as const) {
      const answer = await world(control).get("/health");
      const value: unknown = JSON.parse(answer.body);
      expect(API_SCHEMAS.Health.parse(value)).toMatchObject({ services: [], control: { state } });
    }
  });
});

describe("queries", () => {
  it.each([
    ["/incidents?state=opn", "state"],
    ["/incidents?limit=0", "limit"],
    ["/incidents?limit=1001", "limit"],
    ["/incidents?sort=up", "sort"],
    ["/probes?limit=x", "limit"],
    ["/series?by=colour", "by"],
    ["/series?resolution=7", "resolution"],
    ["/series?from=soon", "from"],
    ["/series?from=1s&to=1h", "from"],
    ["/series?from=30d&resolution=1", "resolution"],
  ])("%s is refused, and the parameter named", async (target, parameter) => {
    const control = fakeControl(REPLIES);
    const answer = await world(control).get(target);
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.body)).toMatchObject({ parameter });
    expect(control.asked).toEqual([]);
  });

  it("of incidents and series arrive as they are meant", async () => {
    const control = fakeControl(REPLIES);
    const { get } = world(control);
    await get("/incidents?state=open&limit=3");
    await get("/series?service=shop&by=origin&value=http%3A%2F%2Fa1&from=10m&to=5m&resolution=1");
    await get("/series?from=7d");
    await get("/series");
    const [incidents, one, week, usual] = control.asked;
    expect(incidents).toEqual({ ask: "incidents", state: "open", limit: 3 });
    expect(one).toMatchObject({ question: { service: "shop", by: "origin", value: "http://a1", resolution: 1 } });
    expect(one?.ask === "series" && one.question.to - one.question.from).toBe(300_000);
    expect(week).toMatchObject({ question: { resolution: 3600 } });
    expect(usual).toMatchObject({ question: { service: "", by: "all", value: "", resolution: 10 } });
  });
});
