import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadSettings } from "./load.ts";
import type { ConfigNote, ConfigProblem } from "./problems.ts";
import type { Settings } from "./settings.ts";

const SMALLEST = 'services: { app: { pools: [{ origins: ["http://127.0.0.1:3000"] }] } }';

function settingsOf(text: string): Settings {
  const loaded = loadSettings(text, "goodgate.yaml");
  if (!loaded.ok) throw new Error(loaded.problems.map(problemLine).join("\n"));
  return loaded.settings;
}

function problemsOf(text: string): ConfigProblem[] {
  const loaded = loadSettings(text, "goodgate.yaml");
  return loaded.ok ? [] : loaded.problems;
}

function notesOf(text: string): ConfigNote[] {
  const loaded = loadSettings(text, "goodgate.yaml");
  return loaded.ok ? loaded.notes : [];
}

function problemLine({ line, column, path, message, hint }: ConfigProblem): string {
  return `${line}:${column} ${path === "" ? "(file)" : path}: ${message}${hint === "" ? "" : ` → ${hint}`}`;
}

describe("the corpus of mistakes", () => {
  const corpus = readFileSync(new URL("../../test/golden/fixtures/problems.md", import.meta.url), "utf8");
  const cases = [...corpus.matchAll(/^## (.*)\n\n```yaml\n([^]*?)\n?```\n\n```text\n([^]*?)\n```$/gm)];

  test("the corpus was read", () => {
    expect(cases.length).toBe(corpus.match(/^## /gm)?.length);
    expect(cases.length).toBeGreaterThan(100);
  });

  test.each(cases.map(([, title = "", text = "", expected = ""]) => [title, text, expected]))(
    "%s",
    (_, text, expected) => {
      const problems = problemsOf(`${text}\n`);
      expect(problems.map(problemLine).join("\n")).toBe(expected);
      for (const { file, message, hint } of problems) {
        expect(file).toBe("goodgate.yaml");
        // Other parts of the program put message and hint one after the other.
        expect(message).toMatch(/^[^a-z].*\.$|^(true|false|host|status|expect|ttlMin) .*\.$/);
        expect(hint === "" || /^[A-Z].*[.?}]$/.test(hint)).toBe(true);
      }
    },
  );
});

describe("what is read", () => {
  test("origins are all that must be written", () => {
    const settings = settingsOf(SMALLEST);
    expect(settings.listeners.map((listener) => listener.name)).toEqual(["0.0.0.0:8080"]);
    expect(settings.services[0]?.pools[0]?.origins[0]?.url).toBe("http://127.0.0.1:3000");
  });

  test("JSON is read like YAML, also when it is indented with tabs or follows a byte order mark", () => {
    const json = JSON.stringify({ services: { app: { pools: [{ origins: ["http://127.0.0.1:3000"] }] } } }, null, "\t");
    expect(settingsOf(json)).toEqual(settingsOf(SMALLEST));
    expect(settingsOf(`\uFEFF${SMALLEST}`)).toEqual(settingsOf(SMALLEST));
  });

  test("lines may end as on any system", () => {
    const lines = [
      "services:",
      "  app:",
      "    pools:",
      "      - origins:",
      "          - http://127.0.0.1:3000",
      "drain: 1",
    ];
    for (const end of ["\n", "\r\n"]) {
      expect(problemsOf(lines.join(end)).map(problemLine)).toEqual([
        "6:8 drain: 1 has no unit, so it is not a duration. → Write 1s or 1ms.",
      ]);
    }
  });

  test("anchors, aliases and merge keys share what services have in common; what is written outranks what is merged", () => {
    const settings = settingsOf(`
services:
  one: &common
    pools: [{ name: here, origins: [http://a] }]
    retry: &retry { attempts: 2 }
    hosts: [one.example]
  two:
    <<: [{ hosts: [two.example] }, *common]
    retry: { <<: *retry, budget: 50% }
`);
    const [one, two] = settings.services;
    expect(one?.hosts).toEqual(["one.example"]);
    expect(two?.hosts).toEqual(["two.example"]);
    expect(two?.pools).toEqual(one?.pools);
    expect(two?.retry).toMatchObject({ attemptsMax: 2, budgetRatio: 0.5 });
  });

  test("a problem behind a merge key is shown where it is written", () => {
    const text = "services:\n  app:\n    <<: { hosts: [a b] }\n    pools: [{ origins: [http://a] }]\n";
    expect(problemsOf(text).map(({ line, column, path }) => [line, column, path])).toEqual([
      [3, 19, "services.app.hosts[0]"],
    ]);
  });

  test("services keep the order of the file", () => {
    const text = `services:\n${["z", "1a", "a", "0-9-x"].map((name) => `  ${name}: { pools: [{ origins: [http://a] }] }\n`).join("")}`;
    expect(settingsOf(text).services.map((service) => service.name)).toEqual(["z", "1a", "a", "0-9-x"]);
  });

  test("settings are frozen to the last value", () => {
    const settings = settingsOf(SMALLEST);
    expect(Object.isFrozen(settings.services[0]?.routes[0]?.match.headers)).toBe(true);
    expect(Object.isFrozen(settings.listeners[0]?.bind)).toBe(true);
  });
});

describe("defaults give way to what is written", () => {
  const service = (line: string): string => `services: { app: { pools: [{ origins: [http://a] }], ${line} } }`;

  test("a check is never longer than its interval", () => {
    expect(settingsOf(service("health: { interval: 500ms }")).services[0]?.health?.timeoutMs).toBe(500);
  });

  test("a start line is never larger than its head", () => {
    expect(settingsOf(service("heads: { head: 8KiB }")).services[0]?.heads.lineBytes).toBe(8192);
  });

  test("no more connections are kept idle than may be open", () => {
    expect(settingsOf(service("connections: { perOrigin: 10 }")).services[0]?.connections.idlePerOriginMax).toBe(10);
  });

  test("no ejection is longer than the longest", () => {
    expect(settingsOf(service("ejection: { returnAfterMax: 500ms }")).services[0]?.ejection.returnAfterMs).toBe(500);
  });
});

describe("what is switched off", () => {
  const settings = settingsOf(`
admin: false
accessLog: false
services:
  app: { pools: [{ origins: [http://a] }], health: false, retry: false, ejection: false }
`);
  const service = settings.services[0];

  test("there is no admin listener, no access log and no active check", () => {
    expect([settings.admin, settings.accessLog, service?.health]).toEqual([null, null, null]);
  });

  test("one attempt is made and nothing is kept for another", () => {
    expect(service?.retry).toMatchObject({ attemptsMax: 1, budgetRatio: 0, budgetPerSecond: 0, replayBytes: 0 });
  });

  test("nothing that an origin does reaches the thresholds of ejection", () => {
    expect(service?.ejection).toMatchObject({ consecutiveFailures: Number.MAX_SAFE_INTEGER, successRatioMin: 0 });
  });
});

describe("notes", () => {
  test("a file that is as it should be has none", () => {
    expect(notesOf(SMALLEST)).toEqual([]);
  });

  test("a route behind one that takes all its requests", () => {
    const text = `
services:
  app:
    pools: [{ origins: [http://a] }]
    routes:
      - match: { path: /x, methods: [GET, POST] }
      - match: { path: /x, methods: [POST] }
      - match: { path: /y, headers: { x-a: "*" } }
      - match: { path: /y, headers: { x-a: "1" } }
      - match: { path: "/z/{id}", headers: { x-a: "1" } }
      - match: { path: "/z/{name}", headers: { x-b: "1" } }
`;
    expect(notesOf(text)).toEqual([
      {
        file: "goodgate.yaml",
        line: 7,
        column: 9,
        path: "services.app.routes[1]",
        message: "This route is never reached: services.app.routes[0] takes all its requests.",
      },
      {
        file: "goodgate.yaml",
        line: 9,
        column: 9,
        path: "services.app.routes[3]",
        message: "This route is never reached: services.app.routes[2] takes all its requests.",
      },
    ]);
  });

  test("a route that is reached under one of its hosts is none", () => {
    const text = `services:
  one: { hosts: [a.example], pools: [{ origins: [http://a] }], routes: [{ match: { path: /x, methods: [GET, PUT] } }, { match: {} }] }
  two: { hosts: [a.example, b.example], pools: [{ origins: [http://a] }], routes: [{ match: { path: /x, method: GET } }] }
`;
    expect(notesOf(text)).toEqual([]);
    expect(notesOf(text.replace(", b.example", "")).map(({ path }) => path)).toEqual(["services.two.routes[0]"]);
  });

  test("two services that share a host and leave the rest to each other", () => {
    const text = `services:
  one: { hosts: [a.example, b.example], pools: [{ origins: [http://a] }], routes: [{ match: { path: /one/* } }] }
  two: { hosts: [c.example, b.example], pools: [{ origins: [http://a] }], routes: [{ match: { path: /two/* } }] }
`;
    expect(notesOf(text).map(({ line, column, message }) => [line, column, message])).toEqual([
      [
        3,
        8,
        'Requests for b.example that no route takes go to the service "one", which comes first in the file, and not to "two".',
      ],
    ]);
    expect(notesOf(text.replace("routes: [{ match: { path: /two/*", "routes: [{ match: { path: /*"))).toEqual([]);
  });

  test("a pool that no route uses", () => {
    const text = `services:
  app:
    pools: [{ name: a, origins: [http://a] }, { origins: [http://b] }]
    routes: [{ pools: [a] }]
`;
    expect(notesOf(text).map(({ line, column, path, message }) => [line, column, path, message])).toEqual([
      [3, 47, "services.app.pools[1]", 'No route of the service "app" uses the pool "pool-2".'],
    ]);
    expect(notesOf(text.replace("{ pools: [a] }", "{ match: { path: /x }, pools: [a] }"))).toEqual([]);
  });
});

describe("bounds", () => {
  test("a file larger than a configuration can be is not read", () => {
    expect(problemsOf(`# ${"x".repeat(1024 * 1024)}`).map(problemLine)).toEqual([
      "1:1 (file): The file has 1048578 characters, and a configuration has at most 1048576.",
    ]);
  });

  test("brackets that overflow any stack are a problem like others", () => {
    expect(problemsOf("[".repeat(50_000)).length).toBeGreaterThan(0);
    expect(
      problemsOf(`a: ${"[".repeat(40)}${"]".repeat(40)}\n${SMALLEST}`).map((problem) => problem.message),
    ).toContain("The file is nested too deeply to be a configuration.");
  });

  test.each([
    ["brackets", "a: ", "[", "]"],
    ["braces", "a: ", "{a: ", "}"],
    ["dashes", "", "- ", ""],
  ])("nesting that ends the parser's stack is told as what it is: %s", (_, before, open, close) => {
    const text = `${before}${open.repeat(20_000)}1${close.repeat(20_000)}`;
    expect(problemsOf(text).map(({ message }) => message)).toEqual([
      "The file is nested too deeply to be a configuration.",
    ]);
  });

  test.each([
    ["with its mark, little end first", "\uFEFF", false],
    ["with its mark, big end first", "\uFEFF", true],
    ["without a mark", "", false],
  ])("a file in UTF-16 is named so: %s", (_, mark, bigEnd) => {
    const bytes = Buffer.from(`${mark}${SMALLEST}`, "utf16le");
    const text = (bigEnd ? bytes.swap16() : bytes).toString("utf8");
    expect(problemsOf(text).map(problemLine)).toEqual([
      "1:1 (file): The file is in UTF-16, and a configuration is in UTF-8. → Save it again as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW.",
    ]);
  });

  test.each([
    ["a value", "drain: LONG"],
    ["a value with spaces", 'drain: "LONG LONG"'],
    ["a tag", "drain: !LONG 1"],
    ["an alias", "drain: *LONG"],
    ["a key", '? "LONG"\n: 1'],
    ["a key with spaces", '? "LONG a LONG"\n: 1'],
    ["a block's head", "drain: |LONG a LONG"],
    ["a version", "%YAML LONG\n---\n"],
    ["an escape", 'drain: "\\qLONG"'],
    ["a service", 'services: { ? "LONG" : { hosts: [LONG], pools: [{ name: LONG, origins: ["http://LONG"] }] } }'],
  ])("however long it is, %s is not repeated whole", (_, text) => {
    const problems = problemsOf(text.replaceAll("LONG", "x".repeat(5000)));
    expect(problems.length).toBeGreaterThan(0);
    for (const { path, message, hint } of problems) {
      for (const said of [path, message, hint]) {
        expect(said).not.toMatch(/\S{121}/);
        expect(said.length).toBeLessThan(300);
      }
    }
  });

  test("aliases that multiply are cut off", () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) =>
        `x${level}: &x${level} [${Array.from({ length: 9 }, () => (level === 0 ? "1" : `*x${level - 1}`)).join(", ")}]`,
    );
    const problems = problemsOf(`${levels.join("\n")}\n${SMALLEST}`);
    expect(problems.map((problem) => problem.message)).toContain(
      "The file has more than 200000 values once its aliases are followed.",
    );
  });

  test("of very many problems the first hundred are shown", () => {
    const problems = problemsOf(
      `${Array.from({ length: 150 }, (_, index) => `key${index}: 1`).join("\n")}\n${SMALLEST}`,
    );
    expect(problems.length).toBe(101);
    expect(problems.map((problem) => problem.line)).toEqual([
      ...Array.from({ length: 100 }, (_, index) => index + 1),
      100,
    ]);
    expect(problems.at(-1)?.message).toBe("There are 50 more problems below.");
  });
});

describe("whatever the text", () => {
  const pieces = [
    "services:",
    "pools:",
    "origins:",
    "- ",
    "  ",
    "\n",
    "\t",
    "{",
    "}",
    "[",
    "]",
    "*a",
    "&a ",
    "!x ",
    "<<: ",
    "http://a",
    ": ",
    ",",
    '"',
    "'",
    "#",
    "|",
    "---\n",
    "%YAML 1.1\n",
    "? ",
    "\uFEFF",
    "é",
    "\0",
    "app",
    "30",
    "false",
    "null",
    "/*",
    "routes:",
    "__proto__: ",
    "match:",
  ];

  test("loading answers with settings or with problems that have a place in the text", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: "binary" }),
          fc.array(fc.constantFrom(...pieces)).map((parts) => parts.join("")),
        ),
        (text) => {
          const loaded = loadSettings(text, "f");
          if (loaded.ok) return;
          expect(loaded.problems.length).toBeGreaterThan(0);
          const lines = text.split("\n");
          for (const { line, column } of loaded.problems) {
            expect(line).toBeGreaterThan(0);
            expect(line).toBeLessThanOrEqual(lines.length);
            expect(column).toBeGreaterThan(0);
            expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });

  test("any value in any place of a file is taken or reported, in the order of the file", () => {
    const keys = [
      "services",
      "app",
      "pools",
      "name",
      "origins",
      "url",
      "routes",
      "match",
      "path",
      "headers",
      "health",
      "timeouts",
      "heads",
      "listeners",
      "bind",
      "admin",
      "dns",
      "accessLog",
      "constructor",
      "toString",
    ];
    const leaf = fc.oneof(
      fc.constantFrom<unknown>(null, true, false, 0, 1, -1, 1e9, "", "*", "/*", "30s", "http://a", "a", "64KiB", "10%"),
      fc.double(),
    );
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        leaf,
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...keys), tie("tree"), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), tree), (value) => {
        const loaded = loadSettings(JSON.stringify(value, null, 1), "f");
        if (loaded.ok) return;
        const places = loaded.problems.map(({ line, column }) => line * 1e6 + column);
        expect(places).toEqual(places.toSorted((one, other) => one - other));
      }),
      { numRuns: 300 },
    );
  });
});
