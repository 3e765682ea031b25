import { describe, expect, it } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { NO_ACTIONS } from "../../test/support/no-actions.ts";
import { quietView } from "../../test/support/sample-view.ts";
import type { AdminResponse } from "../contract/admin-http.ts";
import { API_SCHEMAS } from "../contract/api-schemas.ts";
import type { KeyDesk, KeySettled, KeyView } from "../contract/keys.ts";
import { createAdmin } from "./admin.ts";

const KEY: KeyView = {
  id: "abc",
  key: "order-7",
  service: "shop",
  route: "pay",
  method: "POST",
  target: "/pay",
  requestId: "4f1c",
  startedAt: 1,
  expiresAt: 2,
  state: "uncertain",
  status: 0,
  kept: false,
  because: "reset",
};

function world(settled: KeySettled = { kind: "settled", key: KEY }, found: KeyView[] | string = [KEY]) {
  const calls: unknown[] = [];
  const desk: KeyDesk = {
    find(filter) {
      calls.push(filter);
      return Promise.resolve(found);
    },
    settle(id, executed) {
      calls.push([id, executed]);
      return Promise.resolve(settled);
    },
  };
  return { calls, ask: asker(desk) };
}

function asker(keys: KeyDesk | null) {
  const handle = createAdmin(quietView(), {
    token: null,
    keys,
    control: null,
    dashboard: null,
    actions: NO_ACTIONS,
    ...manualSchedule(),
  });
  return async (method: string, target: string, headers: Record<string, string> = {}): Promise<AdminResponse> => {
    const [path = "", query = ""] = target.split("?");
    const answer = await handle({ method, path: `/api/v1${path}`, query, headers, body: "" });
    if (answer.kind !== "response") throw new Error("a stream");
    return answer;
  };
}

describe("keys in the API", () => {
  it("are found by key and by being uncertain", async () => {
    const { ask, calls } = world();
    const answer = await ask("GET", "/keys?key=order-7&uncertain=true&limit=7");
    expect(API_SCHEMAS.Keys.parse(JSON.parse(answer.body))).toEqual({ keys: [KEY] });
    await ask("GET", "/keys");
    expect(calls).toEqual([
      { key: "order-7", uncertain: true, limit: 7 },
      { uncertain: false, limit: 50 },
    ]);
    expect((await ask("HEAD", "/keys")).body).toBe("");
  });

  it.each(["/keys?limit=0", "/keys?limit=x", "/keys?uncertain=yes", "/keys?colour=red"])(
    "%s is refused",
    async (target) => {
      const { ask, calls } = world();
      expect((await ask("GET", target)).status).toBe(400);
      expect(calls).toEqual([]);
    },
  );

  it("are settled by POST alone, and only when a page of another site cannot have sent it", async () => {
    const { ask, calls } = world();
    expect((await ask("GET", "/keys/abc/settle?executed=true")).status).toBe(405);
    expect((await ask("GET", "/keys/abc/settle?executed=true")).headers["allow"]).toBe("POST");
    const foreign = { origin: "http://elsewhere.example", host: "localhost:9090" };
    expect((await ask("POST", "/keys/abc/settle?executed=true", foreign)).status).toBe(403);
    expect((await ask("POST", "/keys/abc/settle")).status).toBe(400);
    expect((await ask("POST", "/keys/abc/settle?executed=perhaps")).status).toBe(400);
    expect((await ask("POST", "/keys")).status).toBe(405);
    expect(calls).toEqual([]);
    const answer = await ask("POST", "/keys/abc/settle?executed=false");
    expect(API_SCHEMAS.Key.parse(JSON.parse(answer.body))).toEqual(KEY);
    expect(calls).toEqual([["abc", false]]);
  });

  it.each([
    [{ kind: "unknown" }, 404, "unknown-key"],
    [{ kind: "not uncertain", detail: "the request was answered with 201" }, 409, "key-not-uncertain"],
    [{ kind: "failed", detail: "disk I/O error" }, 503, "keys-unavailable"],
  ] as const)("%j is answered with %i", async (settled, status, code) => {
    const answer = await world(settled).ask("POST", "/keys/abc/settle?executed=true");
    expect(answer.status).toBe(status);
    expect(API_SCHEMAS.Problem.parse(JSON.parse(answer.body))).toMatchObject({ code });
  });

  it("are not there without a place to keep them, or when it cannot be read", async () => {
    const ask = asker(null);
    expect((await ask("GET", "/keys")).status).toBe(503);
    expect((await ask("POST", "/keys/abc/settle?executed=true")).status).toBe(503);
    expect((await world(undefined, "disk I/O error").ask("GET", "/keys")).body).toContain("disk I/O error");
  });
});
