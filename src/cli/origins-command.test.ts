import { expect, test } from "vitest";
import { cliWorld } from "../../test/support/cli-world.ts";
import type { Fetched } from "./ports.ts";

const origin = (service: string, url: string): unknown => ({
  service,
  pool: "p",
  origin: url,
  weight: 100,
  addresses: [],
  resolution: "",
});
const answer = (json: unknown): Fetched => ({ kind: "answer", status: 200, json });
const admin = {
  "/api/v1/origins": answer({
    now: 0,
    origins: [origin("shop", "http://a"), origin("shop", "http://b"), origin("blog", "http://b")],
  }),
  "/api/v1/origins/drain": answer({ until: 0 }),
  "/api/v1/origins/restore": answer({ until: null }),
};

test("it takes an origin out with a reason, and finds its service by itself", async () => {
  const world = cliWorld({ admin, env: { USER: "ann" } });
  expect(await world.run("origins", "drain", "http://a", "--reason", "new kernel", "--for", "30m")).toBe(0);
  expect(world.bodies).toEqual([{ service: "shop", origin: "http://a", by: "ann", reason: "new kernel", for: "30m" }]);
  expect(world.out()).toBe(
    "http://a of shop gets no new requests until 1970-01-01T00:00:00.000Z, or until it is restored.\n",
  );
});

test("it gives it back", async () => {
  const world = cliWorld({ admin });
  expect(
    await world.run("origins", "restore", "http://b", "--service", "blog", "--reason", "done", "--by", "bob"),
  ).toBe(0);
  expect(world.bodies).toEqual([{ service: "blog", origin: "http://b", by: "bob", reason: "done" }]);
  expect(world.out()).toBe("http://b of blog is back; its share grows.\n");
});

test.each([
  [["origins", "drain", "http://a"], 2, /say why/],
  [["origins", "empty", "http://a", "--reason", "x"], 2, /say what to do/],
  [["origins", "restore", "http://a", "--reason", "x", "--for", "1h"], 2, /belongs to drain/],
  [["origins", "drain", "http://b", "--reason", "x"], 1, /2 services/],
  [["origins", "drain", "http://c", "--reason", "x"], 1, /no service has/],
])("%j changes nothing and says why", async (args, code, why) => {
  const world = cliWorld({ admin });
  expect(await world.run(...args)).toBe(code);
  expect(world.err()).toMatch(why);
  expect(world.bodies).toEqual([]);
});
