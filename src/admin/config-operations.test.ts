import { expect, it } from "vitest";
import { settingsFrom } from "../../test/support/gateway-parts.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { NO_ACTIONS } from "../../test/support/no-actions.ts";
import { quietView } from "../../test/support/sample-view.ts";
import { API_SCHEMAS } from "../contract/api-schemas.ts";
import type { ConfigDesk, ConfigOutcome } from "../contract/config-desk.ts";
import type { Revision } from "../contract/revision.ts";
import { createAdmin } from "./admin.ts";

const REVISION: Revision = {
  number: 2,
  hash: "0123456789ab",
  at: 1_000,
  by: "ann",
  reason: "more room",
  changes: [{ path: "drainMs", from: "30000", to: "60000" }],
};
const YAML = { "content-type": "application/yaml" };

function world(outcome: ConfigOutcome = { kind: "applied", revision: REVISION }) {
  const orders: unknown[] = [];
  const take = (order: unknown): Promise<ConfigOutcome> => {
    orders.push(order);
    return Promise.resolve(outcome);
  };
  const settings = settingsFrom({ services: { app: { pools: [{ origins: ["http://10.0.0.1"] }] } } });
  const config: ConfigDesk = {
    state: () => ({ revision: REVISION, lastOk: false, lastAt: 2_000, lastProblem: "no" }),
    shown: () => settings,
    apply: take,
    reload: take,
  };
  const handle = createAdmin(quietView(), {
    token: null,
    keys: null,
    control: null,
    dashboard: null,
    actions: NO_ACTIONS,
    config,
    ...manualSchedule(),
  });
  async function ask(target: string, body?: string, headers: Readonly<Record<string, string>> = YAML) {
    const [path = "", query = ""] = target.split("?");
    const method = body === undefined ? "GET" : "POST";
    const answer = await handle({ method, path: `/api/v1${path}`, query, headers, body: body ?? "" });
    if (answer.kind !== "response") throw new Error("a stream");
    return { status: answer.status, json: JSON.parse(answer.body) as unknown };
  }
  return { orders, ask };
}

it("shows what is in effect, with how the last change went", async () => {
  const { json } = await world().ask("/config");
  expect(API_SCHEMAS.Config.parse(json)).toMatchObject({
    revision: REVISION,
    lastOk: false,
    lastProblem: "no",
    settings: { services: [{ name: "app" }] },
  });
});

it("hands on the file with who, why and how", async () => {
  const { ask, orders } = world();
  const { status, json } = await ask("/config?by=ann&reason=more%20room&file=a.yaml&allowRemoval=true", "services: {}");
  expect(status).toBe(200);
  expect(API_SCHEMAS.Applied.parse(json)).toEqual({
    outcome: "applied",
    revision: REVISION,
    changes: REVISION.changes,
  });
  await ask("/config?dryRun=true", "x", { "content-type": "application/json" });
  await ask("/config/reload?reason=why", "", {});
  const none = { by: "", reason: "", dryRun: false, allowRemoval: false };
  expect(orders).toEqual([
    { ...none, by: "ann", reason: "more room", file: "a.yaml", allowRemoval: true, text: "services: {}" },
    { ...none, dryRun: true, file: "the file that was sent", text: "x" },
    { ...none, reason: "why", file: "the file that was sent" },
  ]);
});

it("answers a refusal with its places", async () => {
  const problems = [{ file: "a.yaml", line: 3, column: 5, path: "drain", message: "no", hint: "" }];
  const { ask } = world({ kind: "refused", why: "invalid", detail: "a.yaml:3:5: no", problems });
  const { status, json } = await ask("/config", "x");
  expect(status).toBe(400);
  expect(API_SCHEMAS.Problem.parse(json)).toMatchObject({ code: "config-invalid", detail: "a.yaml:3:5: no", problems });
});

it.each([
  ["removes", 409, "config-removes"],
  ["unusable", 409, "config-unusable"],
  ["needs restart", 409, "config-needs-restart"],
  ["draining", 409, "draining"],
  ["no file", 404, "no-config-file"],
] as const)("tells %s by a status and a code", async (why, status, code) => {
  const { ask } = world({ kind: "refused", why, detail: "why", problems: [] });
  expect(await ask("/config", "x")).toMatchObject({ status, json: { code } });
});

it("takes nothing that a form of another page could send, and no parameter that it does not know", async () => {
  const { ask, orders } = world();
  expect(await ask("/config", "x", { "content-type": "text/plain" })).toMatchObject({ status: 415 });
  expect(await ask("/config", "x", {})).toMatchObject({ status: 415 });
  expect(await ask("/config", "x", { ...YAML, origin: "https://evil.example", host: "x" })).toMatchObject({
    status: 403,
  });
  expect(await ask("/config?dryrun=true", "x")).toMatchObject({ status: 400, json: { nearest: "dryRun" } });
  expect(await ask("/config?dryRun=yes", "x")).toMatchObject({ status: 400, json: { parameter: "dryRun" } });
  expect(await ask(`/config?reason=${"x".repeat(501)}`, "x")).toMatchObject({ status: 400 });
  expect(orders).toEqual([]);
});
