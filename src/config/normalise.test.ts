/** What the golden files (test/golden) do not show. */
import { expect, test } from "vitest";
import { loadSettings } from "./load.ts";

function routeNames(routes: string): string[] {
  const loaded = loadSettings(`services: { app: { pools: [{ origins: [http://a] }], routes: ${routes} } }`, "test");
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.settings.services[0]?.routes.map((route) => route.name) ?? [];
}

test("a route without a name is called by its match, and never by the value of a field, which may be a secret", () => {
  expect(
    routeNames(`[
      { match: { path: /a, headers: { x-token: s3cret } } },
      { match: { path: /a, headers: { x-token: other } } },
      { match: { path: /a, headers: { x-token: "*" } } },
      { match: { path: /b/*, methods: [GET, HEAD] } }
    ]`),
  ).toEqual(["/a x-token", "/a x-token #2", "/a x-token #3", "GET,HEAD /b/*", "default"]);
});

test("a route that takes everything stands in for the one of every service", () => {
  expect(routeNames("[{ name: rest }]")).toEqual(["rest"]);
  expect(routeNames('[{ name: all-gets, match: { path: "/*", method: GET } }]')).toEqual(["all-gets", "default"]);
  expect(routeNames("[{ timeouts: { firstByte: 1m } }]")).toEqual(["/*"]);
});

test("routes are in the order in which they are asked", () => {
  expect(
    routeNames(
      "[{ match: { path: /a/* } }, { match: { path: /a/b/* } }, { match: { path: '/{x}' } }, { match: { path: /z } }]",
    ),
  ).toEqual(["/z", "/{x}", "/a/b/*", "/a/*", "default"]);
});

test("hsts: true is hsts with its defaults", () => {
  const hstsOf = (written: string): string | undefined => {
    const listener = `{ bind: "127.0.0.1:443", tls: { certificates: [{ cert: /c, key: /k }] }, hsts: ${written} }`;
    const loaded = loadSettings(
      `{ listeners: [${listener}], services: { app: { pools: [{ origins: [http://a] }] } } }`,
      "",
    );
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    return loaded.settings.listeners[0]?.hsts;
  };
  expect(hstsOf("true")).toBe(hstsOf("{}"));
  expect(hstsOf("true")).toBe("max-age=63072000");
  expect(hstsOf("false")).toBe("");
});
