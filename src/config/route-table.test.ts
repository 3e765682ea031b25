import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitsPattern } from "./path-pattern.ts";
import { loadSettings } from "./load.ts";
import { readingsOf } from "./path-text.ts";
import { patternOf } from "./route-order.ts";
import { compileRoutes } from "./route-table.ts";
import type { HeaderOf, RouteTable } from "./route-table.ts";
import type { RouteMatch, ServiceSettings } from "./settings.ts";

const POOLS = [{ name: "all", origins: ["http://127.0.0.1:3000"] }];

interface Written {
  readonly hosts?: readonly string[];
  readonly routes?: readonly { readonly name?: string; readonly match: Partial<RouteMatch> }[];
}

function servicesOf(written: Readonly<Record<string, Written>>): readonly ServiceSettings[] {
  const services = Object.fromEntries(
    Object.entries(written).map(([name, service]) => {
      const routes = (service.routes ?? []).map(({ match, ...route }) => {
        const { methods = [], ...others } = match;
        return { ...route, match: methods.length === 0 ? others : { ...others, methods } };
      });
      return [name, { pools: POOLS, ...service, routes }];
    }),
  );
  const loaded = loadSettings(JSON.stringify({ services }), "test");
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.settings.services;
}

const NO_HEADERS: HeaderOf = () => null;

function chosen(
  table: RouteTable,
  host: string,
  path: string,
  method = "GET",
  headers: Record<string, string> = {},
): string | null {
  const hit = table.match(host, method, path, (name) => headers[name] ?? null);
  return hit === null ? null : `${hit.service.name} ${hit.route.name}`;
}

/** One service on every host with these paths as routes. */
function tableOf(...paths: string[]): RouteTable {
  return compileRoutes(servicesOf({ app: { routes: paths.map((path) => ({ match: { path } })) } }));
}

describe("the host", () => {
  const table = compileRoutes(
    servicesOf({
      any: {},
      shop: { hosts: ["shop.example.com", "[2001:db8::1]"], routes: [{ match: { path: "/x" } }] },
      under: { hosts: ["*.example.com"] },
      deep: { hosts: ["*.a.example.com"] },
    }),
  );

  test.each([
    ["shop.example.com", "shop default"],
    ["shop.example.com.", "shop default"],
    ["[2001:db8::1]", "shop default"],
    ["www.example.com", "under default"],
    ["www.example.com.", "under default"],
    ["x.y.example.com", "under default"],
    ["b.a.example.com", "deep default"],
    ["c.b.a.example.com", "deep default"],
    ["a.example.com", "under default"],
    ["example.com", "any default"],
    [".example.com", "any default"],
    ["example.org", "any default"],
    ["", "any default"],
    [".", "any default"],
  ])("%j goes to %s", (host, route) => {
    expect(chosen(table, host, "/")).toBe(route);
  });

  test("no service for a host is said", () => {
    const table = compileRoutes(servicesOf({ shop: { hosts: ["shop.example.com"] } }));
    expect(chosen(table, "example.org", "/")).toBe(null);
    expect(table.whyNot("example.org", "GET", "/", NO_HEADERS)).toBe('No service answers for the host "example.org".');
  });

  test("a more specific host wins over a more specific path of another service", () => {
    const table = compileRoutes(
      servicesOf({ any: { routes: [{ match: { path: "/a/b" } }] }, shop: { hosts: ["shop.example.com"] } }),
    );
    expect(chosen(table, "shop.example.com", "/a/b")).toBe("shop default");
  });

  test("services that share a host share its requests by path", () => {
    const table = compileRoutes(
      servicesOf({
        shop: { hosts: ["a.example"], routes: [{ match: { path: "/shop/*" } }] },
        blog: { hosts: ["a.example"], routes: [{ match: { path: "/blog/*" } }, { name: "rest", match: {} }] },
      }),
    );
    expect(["/shop/1", "/blog/1", "/other"].map((path) => chosen(table, "a.example", path))).toEqual([
      "shop /shop/*",
      "blog /blog/*",
      "blog rest",
    ]);
  });
});

describe("the path", () => {
  test.each([
    [["/a/*", "/a/b", "/a/{x}"], "/a/b", "/a/b"],
    [["/a/*", "/a/{x}"], "/a/c", "/a/{x}"],
    [["/a/*", "/a/{x}"], "/a/c/d", "/a/*"],
    [["/{x}/{y}", "/{x}/b", "/a/{y}"], "/a/b", "/{x}/b"],
    [["/{x}/{y}", "/a/{y}"], "/a/b", "/a/{y}"],
    [["/a/*", "/a/b/*", "/a/b/c/*"], "/a/b/c", "/a/b/c/*"],
    [["/a/*", "/a/b/*", "/a/b/c/*"], "/a/b/cc", "/a/b/*"],
    [["/aa/*", "/ab/*", "/ac/*"], "/ab/x", "/ab/*"],
    [["/aa/*", "/ab/*", "/ac/*"], "/ab", "/ab/*"],
    [["/aa/*", "/ab/*", "/ac/*"], "/ad", "default"],
    [["/a/*"], "/ab", "default"],
    [["/a/"], "/a", "default"],
    [["/a"], "*", "default"],
    [["/"], "", "/"],
    [["/a"], "/a?b=/../c", "/a"],
  ])("among %j, %j goes to %s", (paths, path, route) => {
    expect(chosen(tableOf(...paths), "h", path)).toBe(`app ${route}`);
    expect(chosen(tableOf(...paths.toReversed()), "h", path)?.replace("/a/{y}", "/{x}/b")).toBe(
      `app ${route.replace("/a/{y}", "/{x}/b")}`,
    );
  });
});

describe("methods and fields", () => {
  const table = compileRoutes(
    servicesOf({
      app: {
        routes: [
          { name: "any", match: { path: "/a" } },
          { name: "beta", match: { path: "/a", headers: { "X-Beta": "*" } } },
          { name: "beta-2", match: { path: "/a", headers: { "x-beta": "2", "x-user": "*" } } },
          { name: "write", match: { path: "/a", methods: ["POST", "PUT"] } },
          { name: "write-beta", match: { path: "/a", methods: ["POST"], headers: { "x-beta": "*" } } },
          { name: "below", match: { path: "/*", methods: ["DELETE"] } },
          { name: "elsewhere", match: { path: "/b", methods: ["GET"] } },
        ],
      },
    }),
  );

  test.each<[string, string, Record<string, string>, string]>([
    ["GET", "/a", {}, "any"],
    ["GET", "/a", { "x-beta": "" }, "beta"],
    ["GET", "/a", { "x-beta": "2" }, "beta"],
    ["GET", "/a", { "x-beta": "2", "x-user": "7" }, "beta-2"],
    ["GET", "/a", { "x-beta": "22", "x-user": "7" }, "beta"],
    ["PUT", "/a", { "x-beta": "2" }, "write"],
    ["POST", "/a", { "x-beta": "2" }, "write-beta"],
    ["DELETE", "/a", {}, "any"],
    ["DELETE", "/b", {}, "below"],
    ["GET", "/b", {}, "elsewhere"],
    ["HEAD", "/b", {}, "default"],
  ])("%s %s with %j goes to %s", (method, path, headers, route) => {
    expect(chosen(table, "h", path, method, headers)).toBe(`app ${route}`);
  });

  test("templates of different shape take turns by method before the order of the file", () => {
    const table = compileRoutes(
      servicesOf({
        app: {
          routes: [
            { name: "any", match: { path: "/{x}/b" } },
            { name: "get", match: { path: "/{x}/b", methods: ["GET"] } },
            { name: "post", match: { path: "/a/{y}", methods: ["POST"] } },
          ],
        },
      }),
    );
    expect(chosen(table, "h", "/a/b", "POST")).toBe("app post");
    expect(chosen(table, "h", "/a/b", "GET")).toBe("app get");
    expect(chosen(table, "h", "/a/b", "PUT")).toBe("app any");
  });

  test("between equals the first in the file wins", () => {
    for (const names of [
      ["one", "two"],
      ["two", "one"],
    ]) {
      const routes = names.map((name) => ({ name, match: { path: "/x", headers: { [`x-${name}`]: "*" } } }));
      const table = compileRoutes(servicesOf({ app: { routes } }));
      expect(chosen(table, "h", "/x", "GET", { "x-one": "1", "x-two": "1" })).toBe(`app ${names[0]}`);
    }
  });
});

describe("a request cannot choose its route by spelling", () => {
  const table = tableOf("/admin/*", "/public/*", "/public/{id}");

  test.each([
    ["/admin"],
    ["/admin/users"],
    ["/%61dmin/users"],
    ["/%61%64%6d%69%6E"],
    ["/public/../admin/users"],
    ["/public/./../admin"],
    ["/public/%2e%2e/admin/users"],
    ["/public/%2E./admin/users"],
    ["/../../admin"],
    ["/x/../admin/../admin/users"],
    ["/admin/a%2Fb"],
    ["/admin//users"],
    ["/admin/%20/日"],
  ])("%s is under /admin to every origin", (path) => {
    expect(chosen(table, "h", path)).toBe("app /admin/*");
  });

  test.each([
    ["/admin;v=1"],
    ["/admin/..;x/users"],
    ["/admin%2Fusers"],
    ["/admin%5Cusers"],
    ["/admin\\users"],
    ["//admin/users"],
    ["/public/..%2fadmin"],
    ["/public/%2e%2e%2fadmin"],
    ["/public/..%5Cadmin"],
    ["/public\\..\\admin"],
    ["/public/..;/admin"],
    ["/public/..;a=b/admin"],
    ["/public//../admin"],
    ["/x%2f..%2fadmin"],
    ["/public/a%2Fb"],
    ["/x;/../admin%2Fx"],
    [`/public/${"a".repeat(3000)}%2F..%2F..%2Fadmin`],
  ])("%s is read in several ways that differ, so it is not routed", (path) => {
    expect(chosen(table, "h", path)).toBe(null);
    expect(table.whyNot("h", "GET", path, NO_HEADERS)).toMatch(/^The path can be read in /);
  });

  test.each([
    ["/public/x/a%2Fb", "app /public/*"],
    ["/public/x;jsessionid=1", "app /public/{id}"],
    ["/other//x", "app default"],
    ["/other/a%2Fb;c", "app default"],
  ])("%s leads to one route however it is read", (path, route) => {
    expect(chosen(table, "h", path)).toBe(route);
  });

  test("why a path was not routed names the readings", () => {
    expect(table.whyNot("h", "GET", "/public/..%2fadmin", NO_HEADERS)).toBe(
      'The path can be read in 2 ways that lead to different routes: "/public/..%2Fadmin" goes to app /public/{id}, "/admin" goes to app /admin/*.',
    );
    expect(table.whyNot("h", "GET", `/admin%2F${"a".repeat(3000)}`, NO_HEADERS)).toBe(
      "The path can be read in more ways than are worth comparing.",
    );
  });

  test("where there is one route, nothing is in doubt", () => {
    const table = compileRoutes(servicesOf({ app: {} }));
    expect(chosen(table, "h", "/a%2F..%5C..;/%2e")).toBe("app default");
    expect(chosen(table, "h", `/${"%2F;%5C".repeat(2000)}`)).toBe("app default");
  });
});

describe("against the rules written out", () => {
  const paths = fc.constantFrom(
    "/*",
    "/a",
    "/a/",
    "/a/b",
    "/a/*",
    "/a/b/*",
    "/b/*",
    "/{x}",
    "/{x}/b",
    "/a/{y}",
    "/{x}/{y}",
    "/a/{y}/c",
  );
  const route = fc.record({
    match: fc.record({
      path: paths,
      methods: fc.constantFrom<string[]>([], ["GET"], ["POST"], ["GET", "POST"]),
      headers: fc.constantFrom<Record<string, string>>({}, { a: "*" }, { a: "1" }, { a: "*", b: "1" }),
    }),
  });
  const service = fc.record({
    hosts: fc.uniqueArray(fc.constantFrom("*", "h.example", "*.example", "*.h.example"), { minLength: 1 }),
    routes: fc.uniqueArray(route, {
      maxLength: 6,
      selector: ({ match }) => JSON.stringify(match).replaceAll(/\{\w\}/g, "{}"),
    }),
  });
  const tables = fc.dictionary(fc.constantFrom("s", "t", "u"), service, { minKeys: 1 });
  const requests = fc.record({
    host: fc.constantFrom("h.example", "g.example", "x.h.example", "other", ""),
    method: fc.constantFrom("GET", "POST", "PUT"),
    path: fc.oneof(
      fc.constantFrom("/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/b", "/b/c", "*", ""),
      fc
        .array(fc.constantFrom("/", "a", "b", "c", "..", ".", "%2F", ";x", "%61"), { maxLength: 8 })
        .map((parts) => `/${parts.join("")}`),
    ),
    headers: fc.constantFrom<Record<string, string>>({}, { a: "1" }, { a: "2" }, { a: "1", b: "1" }),
  });

  /** The rules of docs/guide/routing.md, as slowly as they can be said. */
  function expected(
    services: readonly ServiceSettings[],
    host: string,
    method: string,
    path: string,
    headers: Record<string, string>,
  ): string | null {
    const patterns = ["h.example", "*.h.example", "*.example", "*"].filter((pattern) =>
      services.some((service) => service.hosts.includes(pattern)),
    );
    const pattern = patterns.find(
      (each) => each === "*" || each === host || (each.startsWith("*") && host.endsWith(each.slice(1))),
    );
    const rank = { exact: 0, template: 1, prefix: 2, everything: 3 };
    const winners = (readingsOf(path) ?? []).map((reading) => {
      const matching = services
        .filter((each) => pattern !== undefined && each.hosts.includes(pattern))
        .flatMap((each) => each.routes.map((candidate) => ({ service: each, route: candidate })))
        .filter(({ route: { match } }) => fitsPattern(patternOf(match), reading))
        .filter(({ route: { match } }) => match.methods.length === 0 || match.methods.includes(method))
        .filter(({ route: { match } }) =>
          Object.entries(match.headers).every(
            ([name, value]) => headers[name] === value || (value === "*" && headers[name] !== undefined),
          ),
        )
        .map((each) => {
          const path = patternOf(each.route.match);
          const specific = path.kind === "template" ? -path.literals : path.kind === "prefix" ? -path.prefix.length : 0;
          const { methods, headers } = each.route.match;
          return {
            ...each,
            key: [
              rank[path.kind],
              specific,
              methods.length > 0 ? 0 : 1,
              -Object.keys(headers).length,
              each.route.name === "default" ? 1 : 0,
            ],
          };
        });
      // The routes of one service come sorted, but between equals still in the order of the file.
      const best = matching.toSorted((one, other) =>
        one.key.reduce((found, part, index) => found || part - (other.key[index] ?? 0), 0),
      )[0];
      return best === undefined ? null : `${best.service.name} ${best.route.name}`;
    });
    return new Set(winners).size === 1 ? (winners[0] ?? null) : null;
  }

  test("every request goes where they say, and the explanation agrees", () => {
    fc.assert(
      fc.property(tables, fc.array(requests, { minLength: 5, maxLength: 20 }), (written, asked) => {
        // Routes with the same match in two services of one host are no valid file.
        const loaded = loadSettings(
          JSON.stringify({
            services: Object.fromEntries(
              Object.entries(written).map(([name, each]) => [
                name,
                {
                  pools: POOLS,
                  hosts: each.hosts,
                  routes: each.routes.map(({ match: { methods, ...match } }) => ({
                    match: methods.length === 0 ? match : { ...match, methods },
                  })),
                },
              ]),
            ),
          }),
          "test",
        );
        fc.pre(loaded.ok);
        if (!loaded.ok) return;
        const { services } = loaded.settings;
        const table = compileRoutes(services);
        for (const { host, method, path, headers } of asked) {
          const route = chosen(table, host, path, method, headers);
          const trivial = table.explain(host, method, path, NO_HEADERS).candidates[0]?.match === "/*";
          if (!trivial) expect(route).toBe(expected(services, host, method, path, headers));
          const explained = table.explain(host, method, path, (name) => headers[name] ?? null);
          expect(explained.chosen === null ? null : `${explained.chosen.service} ${explained.chosen.route}`).toBe(
            route,
          );
          expect(explained.candidates.filter((candidate) => candidate.verdict === "chosen").length).toBe(
            route === null ? 0 : 1,
          );
          const winner = explained.candidates.findIndex((candidate) => candidate.verdict === "chosen");
          for (const candidate of winner < 0 ? [] : explained.candidates.slice(0, winner))
            expect(["no match", "outranked"]).toContain(candidate.verdict);
          if (explained.readings.length === 1) {
            for (const candidate of explained.candidates.slice(0, Math.max(0, winner)))
              expect(candidate.verdict).toBe("no match");
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test("no path and no host makes it throw", () => {
    const table = compileRoutes(
      servicesOf({
        app: {
          hosts: ["a.example", "*.b.example"],
          routes: [{ match: { path: "/a/{b}" } }, { match: { path: "/c/*" } }],
        },
      }),
    );
    fc.assert(
      fc.property(
        fc.string({ unit: "binary" }),
        fc.string({ unit: "binary" }),
        fc.constantFrom("a.example", "x.b.example"),
        (host, path, known) => {
          table.match(host, "GET", path, NO_HEADERS);
          table.match(known, "GET", path, NO_HEADERS);
          table.explain(known, "GET", `/${path}`, NO_HEADERS);
        },
      ),
    );
  });
});
