import { describe, expect, it } from "vitest";
import { loadSettings } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import type { ConfigOrder } from "../contract/config-desk.ts";
import type { Revision } from "../contract/revision.ts";
import { createConfigDesk } from "./config-desk.ts";
import type { PutResult } from "../contract/config-desk.ts";

const file = (origins: readonly string[], rest = ""): string =>
  `services: { app: { pools: [{ name: main, origins: [${origins.map((url) => `"${url}"`).join(", ")}] }] } }\n${rest}`;
const A = "http://10.0.0.1";
const B = "http://10.0.0.2";

function world(options: { put?: PutResult; file?: string | null; first?: Revision } = {}) {
  const loaded = loadSettings(file([A]), "first");
  if (!loaded.ok) throw new Error("the first is wrong");
  const puts: { settings: Settings; revision: Revision | null }[] = [];
  const told: string[] = [];
  const disk = { text: file([A, B]), code: "" };
  const put: { result: PutResult } = { result: options.put ?? { kind: "applied" } };
  let now = 1_000;
  const desk = createConfigDesk({
    settings: loaded.settings,
    file: options.file === undefined ? "goodgate.yaml" : options.file,
    readFile: () => Promise.resolve(disk.code === "" ? { ok: true, text: disk.text } : { ok: false, code: disk.code }),
    hashOf: (settings) => String(JSON.stringify(settings).length),
    first: options.first ?? null,
    put: (settings, revision) => {
      puts.push({ settings, revision });
      return Promise.resolve(put.result);
    },
    clock: { monotonic: () => now, wall: () => (now += 1) },
    tell: (code, detail) => told.push(`${code}: ${detail}`),
  });
  const apply = (text: string, order: Partial<ConfigOrder> = {}) =>
    desk.apply({ text, file: "b.yaml", by: "ann", reason: "why", dryRun: false, allowRemoval: false, ...order });
  return { desk, apply, puts, told, disk, put };
}

const AGAIN = { by: "", reason: "", dryRun: false, allowRemoval: false };

describe("a configuration for a gateway that runs", () => {
  it("is numbered, with who, why and what it changes", async () => {
    const { desk, apply, puts } = world();
    expect(desk.state()).toMatchObject({ revision: { number: 1, reason: "start", changes: [] }, lastOk: true });
    const outcome = await apply(file([A, B]));
    const revision = {
      number: 2,
      by: "ann",
      reason: "why",
      changes: [{ path: `services.app.pools.main.origins.${B}`, from: null }],
    };
    expect(outcome).toMatchObject({ kind: "applied", revision });
    expect(puts[0]?.revision).toMatchObject(revision);
    expect(desk.state()).toMatchObject({ revision, lastOk: true });
    await apply(file([A]));
    expect(desk.state().revision.number).toBe(3);
  });

  it("goes on with the number that a predecessor was given", async () => {
    const first = { number: 4, hash: "h4", at: 5, by: "ann", reason: "more workers", changes: [] };
    const { desk, apply, told } = world({ first });
    expect(desk.state().revision).toEqual(first);
    expect(told).toEqual([expect.stringMatching(/^config\.applied: configuration 4 \(h4\) .*by ann \(more workers\)/)]);
    await apply(file([A, B]));
    expect(desk.state().revision.number).toBe(5);
  });

  it("with a mistake changes nothing, and every mistake has its place", async () => {
    const { desk, apply, puts, told } = world();
    const outcome = await apply(`${file([A])}drain: soon\nsevices: {}\n`);
    expect(outcome).toMatchObject({
      kind: "refused",
      why: "invalid",
      detail: expect.stringMatching(/^b\.yaml:2:8: /) as string,
    });
    expect(outcome.kind === "refused" ? outcome.problems.map(({ line }) => line) : []).toEqual([2, 3]);
    expect(puts).toEqual([]);
    expect(desk.state()).toMatchObject({ revision: { number: 1 }, lastOk: false });
    expect(told[0]).toMatch(/^config\.refused: .*nothing was changed: b\.yaml:2:8/);
    await apply(file([A, B]));
    expect(desk.state()).toMatchObject({ lastOk: true, lastProblem: "" });
  });

  it("that takes away all origins of a service is refused until that is said to be meant", async () => {
    const { apply, puts } = world();
    expect(await apply(file([B]))).toMatchObject({ kind: "refused", why: "removes" });
    expect(puts).toEqual([]);
    expect(await apply(file([B]), { allowRemoval: true })).toMatchObject({ kind: "applied" });
  });

  it("is only looked at when that is asked for", async () => {
    const { desk, apply, puts, told } = world();
    expect(await apply(file([A, B]), { dryRun: true })).toMatchObject({
      kind: "would apply",
      changes: [{ to: expect.any(String) as string }],
    });
    expect(puts[0]?.revision).toBeNull();
    await apply("no", { dryRun: true });
    expect(desk.state()).toMatchObject({ revision: { number: 1 }, lastOk: true });
    expect(told).toEqual([]);
  });

  it("that cannot be put into effect leaves everything as it is", async () => {
    const { desk, apply, put } = world();
    put.result = { kind: "refused", why: "unusable", detail: "127.0.0.1:80 cannot be listened on (EACCES)" };
    expect(await apply(file([A, B]))).toMatchObject({ kind: "refused", why: "unusable" });
    expect(desk.state()).toMatchObject({ revision: { number: 1 }, lastOk: false, lastProblem: put.result.detail });
    put.result = { kind: "applied" };
    // Against what is in effect, not against what was refused.
    expect(await apply(file([A, B]))).toMatchObject({ kind: "applied", revision: { number: 2, changes: [{}] } });
  });

  it("that is in effect already is said to be", async () => {
    const { desk, apply } = world({ put: { kind: "unchanged" } });
    expect(await apply(file([A]))).toMatchObject({ kind: "unchanged", revision: { number: 1 } });
    expect(desk.state().lastOk).toBe(true);
  });

  it("waits for the one before it", async () => {
    const { apply, puts } = world();
    const outcomes = await Promise.all([apply(file([A, B])), apply(file([A])), apply(file([A, B]))]);
    expect(outcomes.map((outcome) => (outcome.kind === "applied" ? outcome.revision.number : 0))).toEqual([2, 3, 4]);
    expect(puts.map(({ revision }) => revision?.changes.length)).toEqual([1, 1, 1]);
  });
});

describe("the same file again", () => {
  it("is read and applied", async () => {
    const { desk, puts } = world();
    expect(await desk.reload(AGAIN)).toMatchObject({ kind: "applied", revision: { number: 2 } });
    expect(puts).toHaveLength(1);
  });

  it("that is gone, or never was, is refused", async () => {
    const { desk, disk, told } = world();
    disk.code = "ENOENT";
    expect(await desk.reload(AGAIN)).toMatchObject({
      kind: "refused",
      why: "no file",
      detail: "goodgate.yaml cannot be read (ENOENT)",
    });
    expect(desk.state().lastOk).toBe(false);
    expect(told).toHaveLength(1);
    expect(await world({ file: null }).desk.reload(AGAIN)).toMatchObject({ kind: "refused", why: "no file" });
  });
});

it("shows settings without their secrets", async () => {
  const { desk, apply } = world();
  await apply(file([A], "admin: { bind: '127.0.0.1:9090', token: verysecrettoken1 }\n"));
  expect(JSON.stringify(desk.shown())).not.toContain("verysecrettoken1");
  expect(desk.shown().admin?.token).toBe("(hidden)");
  await apply(file([A], "admin: { bind: '127.0.0.1:9090', token: verysecrettoken2 }\n"));
  const { changes } = desk.state().revision;
  expect(changes).toEqual([{ path: "admin.token", from: '"(hidden 1)"', to: '"(hidden 2)"' }]);
});
