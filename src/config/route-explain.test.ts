import { expect, test } from "vitest";
import { loadSettings } from "./load.ts";
import { compileRoutes } from "./route-table.ts";
import type { RouteTable } from "./route-table.ts";

function table(text: string): RouteTable {
  const loaded = loadSettings(text, "test");
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return compileRoutes(loaded.settings.services);
}

const TABLE = table(`
services:
  shop:
    hosts: [shop.example.com, "*.shop.example.com"]
    pools: [{ origins: [http://a] }]
    routes:
      - { name: payments, match: { path: /api/payments/*, method: POST } }
      - { name: beta, match: { path: /api/*, headers: { x-beta: "1" } } }
      - { name: user, match: { path: "/api/{id}" } }
      - { name: status, match: { path: /status } }
  rest:
    pools: [{ origins: [http://b] }]
  other:
    hosts: [other.example.com]
    pools: [{ origins: [http://c] }]
`);

const headers = (values: Readonly<Record<string, string>>) => (name: string) => values[name] ?? null;

test("every route under the host is named with the reason, and every other service too", () => {
  expect(TABLE.explain("shop.example.com", "POST", "/api/payments/7", headers({ "x-beta": "0" }))).toEqual({
    host: "shop.example.com",
    method: "POST",
    policies: [
      "Class normal: turned away after what is background and before what is critical.",
      "Deadline: none, unless the client sets one; 15s for each first byte.",
      "Cache: it answers GET and HEAD, not POST.",
      "Idempotency-Key: honoured where a client sends one, remembered for 1d.",
      "Fallback: none; the gateway answers with a page of its own.",
    ],
    limits: [],
    readings: ["/api/payments/7"],
    hostPattern: "shop.example.com",
    chosen: { service: "shop", route: "payments" },
    because: "shop payments is the most specific match under shop.example.com.",
    candidates: [
      { service: "shop", route: "status", match: "/status", verdict: "no match", because: "The path is not /status." },
      {
        service: "shop",
        route: "user",
        match: "/api/{id}",
        verdict: "no match",
        because: "The path does not fit /api/{id}.",
      },
      {
        service: "shop",
        route: "payments",
        match: "POST /api/payments/*",
        verdict: "chosen",
        because: "Nothing more specific matches.",
      },
      {
        service: "shop",
        route: "beta",
        match: "/api/* x-beta=1",
        verdict: "no match",
        because: 'The field x-beta is "0", not "1".',
      },
      {
        service: "shop",
        route: "default",
        match: "/*",
        verdict: "outranked",
        because: "It matches too, but the path of shop payments is more specific.",
      },
    ],
    otherServices: [
      {
        service: "rest",
        hosts: ["*"],
        because: "Its host * matches too, but shop.example.com is more specific.",
      },
      {
        service: "other",
        hosts: ["other.example.com"],
        because: 'The host "shop.example.com" is not one of its hosts.',
      },
    ],
  });
});

test("a method, a missing field and a prefix that do not match are named", () => {
  const { because, candidates } = TABLE.explain("a.shop.example.com", "GET", "/api/payments/7", headers({}));
  expect(because).toBe("shop default is the most specific match under *.shop.example.com (for a.shop.example.com).");
  expect(candidates.map((candidate) => candidate.because)).toEqual([
    "The path is not /status.",
    "The path does not fit /api/{id}.",
    "The method is GET, not POST.",
    "The request has no x-beta field.",
    "Nothing more specific matches.",
  ]);
  expect(TABLE.explain("shop.example.com", "POST", "/apis", headers({})).candidates[3]?.because).toBe(
    "The path is not /api and not under it.",
  );
});

test("the rule that decided between two matches is named", () => {
  const routes = table(`
services:
  one:
    pools: [{ origins: [http://a] }]
    routes:
      - { name: any, match: { path: /x } }
      - { name: get, match: { path: /x, method: GET } }
      - { name: get-a, match: { path: /x, method: GET, headers: { a: "*" } } }
      - { name: get-b, match: { path: /x, method: GET, headers: { b: "*" } } }
      - { name: rest, match: { headers: { a: "*" } } }
  two:
    pools: [{ origins: [http://a] }]
`);
  const { candidates } = routes.explain("h", "GET", "/x", headers({ a: "1", b: "1" }));
  expect(candidates.map(({ service, route, because }) => [`${service} ${route}`, because])).toEqual([
    ["one get-a", "Nothing more specific matches."],
    ["one get-b", "It matches too, but one get-a comes first in the file."],
    ["one get", "It matches too, but one get-a has more header conditions."],
    ["one any", "It matches too, but one get-a names the method."],
    ["one rest", "It matches too, but the path of one get-a is more specific."],
    ["one default", "It matches too, but the path of one get-a is more specific."],
    ["two default", "It matches too, but the path of one get-a is more specific."],
  ]);
  const written = table(`
services:
  one: { pools: [{ origins: [http://a] }] }
  two: { pools: [{ origins: [http://a] }], routes: [{ name: rest }] }
`);
  expect(written.explain("h", "GET", "/", headers({})).candidates.at(-1)?.because).toBe(
    "It matches too, but two rest was written, and this is the route that a service has without being asked.",
  );
});

test("a path with several readings says whether they agree", () => {
  const agreed = TABLE.explain("shop.example.com", "GET", "/static//x", headers({}));
  expect(agreed.readings).toEqual(["/static//x", "/static/x"]);
  expect(agreed.because).toBe(
    "shop default is the most specific match under shop.example.com. All 2 readings of the path lead there.",
  );

  const doubtful = TABLE.explain("shop.example.com", "GET", "/x/..%2Fstatus", headers({}));
  expect(doubtful.chosen).toBe(null);
  expect(doubtful.because).toBe(
    'The path can be read in 2 ways that lead to different routes: "/x/..%2Fstatus" goes to shop default, "/status" goes to shop status.',
  );
  expect(doubtful.candidates.map(({ route, verdict }) => [route, verdict])).toEqual([
    ["status", "ambiguous"],
    ["user", "no match"],
    ["payments", "no match"],
    ["beta", "no match"],
    ["default", "ambiguous"],
  ]);

  const long = TABLE.explain("shop.example.com", "GET", `/${"a".repeat(3000)}//x`, headers({}));
  expect(long.readings).toEqual([]);
  expect(long.because).toBe("The path can be read in more ways than are worth comparing.");
  expect(long.candidates[0]?.because).toBe("The path has too many readings to be compared.");
});

test("a host that nobody answers for leaves every service unasked", () => {
  const explained = table("services: { app: { hosts: [a.example], pools: [{ origins: [http://a] }] } }").explain(
    "b.example",
    "GET",
    "/",
    headers({}),
  );
  expect(explained).toMatchObject({
    hostPattern: null,
    chosen: null,
    because: 'No service answers for the host "b.example".',
    candidates: [],
    otherServices: [{ service: "app", because: 'The host "b.example" is not one of its hosts.' }],
  });
});
