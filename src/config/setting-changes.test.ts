import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkValue, loadSettings } from "./load.ts";
import { sharpRemovals } from "./removal.ts";
import { maskSecrets } from "./secrets.ts";
import { settingChanges } from "./setting-changes.ts";
import type { Settings } from "./settings.ts";

function settings(file: Readonly<Record<string, unknown>>): Settings {
  const { settings: made, problems } = checkValue(file);
  if (made === null) throw new Error(problems.map(({ message }) => message).join("\n"));
  return made;
}

const service = (origins: readonly string[], rest: object = {}): object => ({
  pools: [{ name: "main", origins }],
  ...rest,
});
const origins = (count: number): string[] => Array.from({ length: count }, (_, index) => `http://10.0.0.${index + 1}`);
const paths = (before: Settings, after: Settings): string[] => settingChanges(before, after).map(({ path }) => path);

describe("what differs", () => {
  const before = settings({
    services: { app: service(origins(2), { routes: [{ match: { path: "/a" }, name: "a" }] }) },
  });

  it("is nothing between the same", () => {
    expect(settingChanges(before, before)).toEqual([]);
  });

  it("is told by the names of things, wherever they stand in a list", () => {
    const routes = ["new", "a"].map((name) => ({ match: { path: `/${name}` }, name }));
    const after = settings({ services: { app: service([origins(2)[1]!, origins(2)[0]!], { routes }) } });
    expect(paths(before, after)).toEqual(["services.app.pools.main.origins.order", "services.app.routes.new"]);
  });

  it("is told setting by setting", () => {
    const after = settings({
      services: {
        app: service(origins(1), { retry: { attempts: 2 }, routes: [{ match: { path: "/a" }, name: "a" }] }),
      },
      drain: "45s",
    });
    expect(settingChanges(before, after)).toEqual([
      expect.objectContaining({ path: "services.app.pools.main.origins.http://10.0.0.2", to: null }),
      { path: "services.app.retry.attemptsMax", from: "3", to: "2" },
      { path: "drainMs", from: "30000", to: "45000" },
    ]);
  });

  it("of a listener with another address is the address, and of a new one as many whole fields as there is room for", () => {
    const one = { services: { app: service(origins(1)) }, listeners: [{ bind: "127.0.0.1:8080" }] };
    const moved = settings({ ...one, listeners: [{ bind: "127.0.0.1:8081", timeouts: { idle: "7s" } }] });
    expect(settingChanges(settings(one), moved)).toEqual([
      { path: "listeners.127.0.0.1:8080.name", from: '"127.0.0.1:8080"', to: '"127.0.0.1:8081"' },
      { path: "listeners.127.0.0.1:8080.bind.port", from: "8080", to: "8081" },
      { path: "listeners.127.0.0.1:8080.idleMs", from: "75000", to: "7000" },
    ]);
    const more = settings({ ...one, listeners: [{ bind: "127.0.0.1:8080" }, { bind: "127.0.0.1:8081" }] });
    const [added, ...others] = settingChanges(settings(one), more);
    expect(others).toEqual([]);
    expect(added).toMatchObject({ path: "listeners.127.0.0.1:8081", from: null });
    expect(added?.to).toMatch(
      /^\{"name":"127\.0\.0\.1:8081","bind":\{"host":"127\.0\.0\.1","port":8081\},.*,… and \d+ more\}$/,
    );
    expect(added?.to?.length).toBeLessThanOrEqual(160);
  });

  it("is bounded, and says how much it leaves out", () => {
    const many = settings({
      services: Object.fromEntries(
        origins(300).map((_, n) => [`s${n}`, { ...service([`http://o${n}.example`]), hosts: [`h${n}.example`] }]),
      ),
    });
    const changes = settingChanges(before, many);
    expect(changes).toHaveLength(200);
    expect(changes.at(-1)?.path).toBe("and 102 more");
  });
});

describe("secrets", () => {
  const text = readFileSync(new URL("../../test/golden/everything.in.yaml", import.meta.url), "utf8");
  const everything = loadSettings(text, "everything");
  if (!everything.ok) throw new Error("the golden file is wrong");

  it("of a configuration that has all of them are shown nowhere", () => {
    const shown = JSON.stringify(maskSecrets(everything.settings));
    for (const secret of ["0123456789abcdef", "Bearer x", "https://hooks.example.com/goodgate"]) {
      expect(JSON.stringify(everything.settings)).toContain(secret);
      expect(shown).not.toContain(secret);
    }
    // Where they lie is none.
    expect(shown).toContain("HOOK_SECRET");
  });

  it("that were changed are named, and told apart by a number", () => {
    const other = loadSettings(text.replace("Bearer x", "Bearer y"), "other");
    if (!other.ok) throw new Error("the other one is wrong");
    const [change, ...more] = settingChanges(everything.settings, other.settings);
    expect(more).toEqual([]);
    expect(change?.path).toBe("otlp.headers.authorization");
    expect(change?.from).toMatch(/^"\(hidden \d+\)"$/);
    expect(change?.to).not.toBe(change?.from);
  });
});

describe("a sharp removal", () => {
  const many = (count: number): Settings =>
    settings({
      services: Object.fromEntries(origins(count).map((url, n) => [`s${n}`, { ...service([url]), hosts: [`h${n}`] }])),
    });
  const app = (urls: readonly string[]): Settings => settings({ services: { app: service(urls) } });

  it.each([
    ["half of the services", many(4), many(2), 0],
    ["more than half of them", many(5), many(2), 1],
    ["one of two origins", app(origins(2)), app(origins(1)), 0],
    ["more than half of the origins", app(origins(5)), app(origins(2)), 1],
    ["every origin for as many others", app(origins(1)), app(["http://10.0.1.1"]), 1],
    ["an origin for another, beside one that stays", app(origins(2)), app([origins(1)[0]!, "http://10.0.1.1"]), 0],
    ["nothing", many(5), many(5), 0],
  ])("is counted for %s", (_, before, after, count) => {
    expect(sharpRemovals(before, after)).toHaveLength(count);
  });

  it("says what would be gone", () => {
    expect(sharpRemovals(many(3), many(1))).toEqual(["2 of 3 services would be gone: s1, s2."]);
    expect(sharpRemovals(app(origins(4)), app(origins(1)))).toEqual(["app would have 1 of 4 origins left."]);
    expect(sharpRemovals(app(origins(1)), app(["http://10.0.1.1"]))).toEqual(["app would not keep its only origin."]);
  });
});
