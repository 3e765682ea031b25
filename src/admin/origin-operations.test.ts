import { expect, it } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { NO_ACTIONS } from "../../test/support/no-actions.ts";
import { quietView } from "../../test/support/sample-view.ts";
import type { AdminResponse } from "../contract/admin-http.ts";
import { API_SCHEMAS } from "../contract/api-schemas.ts";
import type { DrainResult } from "../contract/view.ts";
import { createAdmin } from "./admin.ts";

function world(result: DrainResult = { done: true, until: 7 }) {
  const orders: unknown[] = [];
  const note = (order: unknown): DrainResult => {
    orders.push(order);
    return result;
  };
  const handle = createAdmin(quietView(), {
    token: null,
    keys: null,
    control: null,
    dashboard: null,
    actions: { ...NO_ACTIONS, drainOrigin: note, restoreOrigin: note },
    ...manualSchedule(),
  });
  const post = (path: string, body: string, headers: Record<string, string> = {}): AdminResponse => {
    const fields = { "content-type": "application/json", ...headers };
    const answer = handle({ method: "POST", path: `/api/v1${path}`, query: "", headers: fields, body });
    if (answer instanceof Promise || answer.kind !== "response") throw new Error("not an answer at once");
    return answer;
  };
  return { orders, post };
}

const WHO = { service: "shop", origin: "http://a", by: "ann", reason: "new kernel" };

it("hands on who takes which origin out, why, and for how long", () => {
  const { post, orders } = world();
  const answer = post("/origins/drain", JSON.stringify({ ...WHO, for: "30m" }));
  expect(API_SCHEMAS.Drained.parse(JSON.parse(answer.body))).toEqual({ until: 7 });
  post("/origins/drain", JSON.stringify(WHO));
  post("/origins/restore", JSON.stringify(WHO));
  expect(orders).toEqual([{ ...WHO, forMs: 1_800_000 }, { ...WHO, forMs: 3_600_000 }, WHO]);
});

it.each([
  ["/origins/drain", { ...WHO, by: " " }, /^by: /],
  ["/origins/drain", { ...WHO, reason: undefined }, /^reason: /],
  ["/origins/drain", { ...WHO, for: "8d" }, /^for: /],
  ["/origins/drain", { ...WHO, for: "soon" }, /^for: /],
  ["/origins/restore", { ...WHO, for: "1h" }, /for/],
])("refuses %s with %j, and nothing happens", (path, body, why) => {
  const { post, orders } = world();
  const answer = post(path, JSON.stringify(body));
  expect(answer.status).toBe(400);
  expect((JSON.parse(answer.body) as { detail: string }).detail).toMatch(why);
  expect(orders).toEqual([]);
});

it.each([
  ["unknown", 404, "unknown-origin"],
  ["last", 409, "last-origin"],
  ["not drained", 409, "not-drained"],
] as const)("tells why not: %s", (why, status, code) => {
  const { post } = world({ done: false, why, detail: "because" });
  expect(JSON.parse(post("/origins/drain", JSON.stringify(WHO)).body)).toMatchObject({
    status,
    code,
    detail: "because",
  });
});

it("takes JSON only, so that no form of another site can ask for it", () => {
  const { post, orders } = world();
  expect(post("/origins/drain", JSON.stringify(WHO), { "content-type": "text/plain" }).status).toBe(415);
  expect(post("/origins/drain", JSON.stringify(WHO), { origin: "http://evil.example" }).status).toBe(403);
  expect(orders).toEqual([]);
});
