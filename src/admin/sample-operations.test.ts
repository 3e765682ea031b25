import { expect, it } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { NO_ACTIONS } from "../../test/support/no-actions.ts";
import { quietView } from "../../test/support/sample-view.ts";
import { API_SCHEMAS } from "../contract/api-schemas.ts";
import type { SampleBreak, SampleDesk } from "../contract/samples.ts";
import { createAdmin } from "./admin.ts";

function world(answer: SampleBreak | null) {
  const orders: unknown[] = [];
  const samples: SampleDesk = {
    view: () => ({ pools: [{ name: "blue", origins: 2, outage: { kind: "slow", until: 7 } }], perSecond: 12 }),
    breakPool(...order) {
      orders.push(order);
      return answer ?? { done: true, pool: "blue", kind: "crash", until: 7 };
    },
  };
  const withSamples = (some: { samples?: SampleDesk }) =>
    createAdmin(quietView(), {
      token: null,
      keys: null,
      control: null,
      dashboard: null,
      actions: NO_ACTIONS,
      ...some,
      ...manualSchedule(),
    });
  const send = async (method: string, path: string, body?: unknown, some: { samples?: SampleDesk } = { samples }) => {
    const sent = await withSamples(some)({
      method,
      path: `/api/v1${path}`,
      query: "",
      headers: { "content-type": "application/json" },
      body: body === undefined ? "" : JSON.stringify(body),
    });
    if (sent.kind !== "response") throw new Error("a stream");
    return { status: sent.status, json: JSON.parse(sent.body) as Record<string, unknown> };
  };
  return { orders, send };
}

it("shows the samples, and breaks the pool that is named, or the first, for as long as is asked", async () => {
  const { send, orders } = world(null);
  const shown = await send("GET", "/samples");
  expect(API_SCHEMAS.Samples.parse(shown.json)).toEqual(shown.json);
  const broken = await send("POST", "/samples/break", { kind: "crash" });
  expect(API_SCHEMAS.SampleBroken.parse(broken.json)).toEqual(broken.json);
  await send("POST", "/samples/break", { kind: "slow", pool: "green", for: "2m" });
  expect(orders).toEqual([
    ["blue", "crash", 30_000],
    ["green", "slow", 120_000],
  ]);
});

it.each([{}, { kind: "explode" }, { kind: "slow", for: "1d" }, { kind: "slow", for: "soon" }, { kind: "slow", x: 1 }])(
  "refuses %j, and nothing breaks",
  async (body) => {
    const { send, orders } = world(null);
    expect((await send("POST", "/samples/break", body)).status).toBe(400);
    expect(orders).toEqual([]);
  },
);

it("says why not: no samples, no such pool, one is broken already", async () => {
  const { send } = world(null);
  expect(await send("GET", "/samples", undefined, {})).toEqual({ status: 200, json: { pools: [], perSecond: 0 } });
  const none = await send("POST", "/samples/break", { kind: "crash" }, {});
  expect(none).toMatchObject({ status: 404, json: { code: "no-samples" } });
  const unknown = world({ done: false, why: "unknown pool", detail: "there is no red" });
  expect(await unknown.send("POST", "/samples/break", { kind: "crash", pool: "red" })).toMatchObject({
    status: 404,
    json: { code: "unknown-pool", known: ["blue"] },
  });
  const broken = world({ done: false, why: "already broken", detail: "blue is broken" });
  expect((await broken.send("POST", "/samples/break", { kind: "crash" })).status).toBe(409);
});
