import { describe, expect, it } from "vitest";
import { cliWorld } from "../../test/support/cli-world.ts";
import type { CliWorldOptions } from "../../test/support/cli-world.ts";
import { TextBody } from "../contract/admin-http.ts";
import type { AppliedResponse } from "../contract/api-responses.ts";
import type { Revision } from "../contract/revision.ts";
import { EXIT } from "./exit-codes.ts";

const TEXT = 'services: { app: { pools: [{ origins: ["http://10.0.0.1"] }] } }\n';
const REVISION: Revision = {
  number: 2,
  hash: "0123456789ab",
  at: Date.UTC(2026, 10, 21, 14, 10, 0),
  by: "ann",
  reason: "a third origin",
  changes: [{ path: "drainMs", from: "30000", to: "60000" }],
};
const APPLIED: AppliedResponse = { outcome: "applied", revision: REVISION, changes: REVISION.changes };

function world(answer: unknown, status = 200, path = "/api/v1/config", rest: CliWorldOptions = {}) {
  return cliWorld({
    files: { "goodgate.yaml": TEXT, "bad.yaml": "services: {}\n" },
    admin: { [path]: { kind: "answer", status, json: answer } },
    ...rest,
  });
}

describe("goodgate upgrade", () => {
  it("says which process serves, or why none does", async () => {
    const path = "/api/v1/upgrade";
    const cli = world({ pid: 4711 }, 200, path);
    expect(await cli.run("upgrade")).toBe(EXIT.ok);
    expect(cli.asked).toEqual(["POST http://127.0.0.1:9090/api/v1/upgrade"]);
    expect(cli.out()).toContain("Process 4711 serves");
    const detail = "No other process serves: it ended with exit code 1. This one goes on as before.";
    const failed = world({ code: "upgrade-failed", detail }, 409, path);
    expect(await failed.run("upgrade")).toBe(EXIT.no);
    expect(failed.err()).toContain("it ended with exit code 1");
  });
});

describe("goodgate config apply", () => {
  it("sends the file as it is, with who and why, and says what changed", async () => {
    const cli = world(APPLIED, 200, "/api/v1/config", { env: { USER: "ann" } });
    expect(await cli.run("config", "apply", "goodgate.yaml", "--reason", "a third origin")).toBe(EXIT.ok);
    expect(cli.asked).toEqual([
      "POST http://127.0.0.1:9090/api/v1/config?by=ann&reason=a+third+origin&file=goodgate.yaml",
    ]);
    expect(cli.bodies).toEqual([new TextBody("application/yaml", TEXT)]);
    expect(cli.out()).toContain("configuration 2 (0123456789ab) since 2026-11-21T14:10:00.000Z by ann: a third origin");
    expect(cli.out()).toContain("drainMs: 30000 → 60000");
  });

  it("takes ./goodgate.yaml when no file is named, and only looks when that is asked for", async () => {
    const cli = world({ outcome: "would apply", revision: null, changes: REVISION.changes });
    expect(await cli.run("config", "apply", "--dry-run", "--allow-removal")).toBe(EXIT.ok);
    expect(cli.asked[0]).toContain("dryRun=true&allowRemoval=true");
    expect(cli.out()).toContain("It would change 1 setting:");
  });

  it("sends nothing of a file with mistakes", async () => {
    const cli = world(APPLIED);
    expect(await cli.run("config", "apply", "bad.yaml")).toBe(EXIT.no);
    expect(cli.asked).toEqual([]);
    expect(cli.err()).toContain("bad.yaml:1:");
  });

  it("says how to mean what looks like an accident", async () => {
    const detail = "app would not keep its only origin.";
    const cli = world({ title: "Conflict", status: 409, code: "config-removes", detail }, 409);
    expect(await cli.run("config", "apply")).toBe(EXIT.no);
    expect(cli.err()).toContain(detail);
    expect(cli.err()).toContain("--allow-removal");
  });
});

it("goodgate reload asks for the same file again", async () => {
  const cli = world({ ...APPLIED, outcome: "unchanged", changes: [] }, 200, "/api/v1/config/reload");
  expect(await cli.run("reload")).toBe(EXIT.ok);
  expect(cli.asked[0]).toMatch(/^POST .*\/api\/v1\/config\/reload\?/);
  expect(cli.out()).toContain("in effect already");
});

it("goodgate config show prints settings for programs and the revision for people", async () => {
  const cli = world({ revision: REVISION, lastOk: false, lastAt: 0, lastProblem: "no", settings: { drainMs: 60_000 } });
  expect(await cli.run("config", "show")).toBe(EXIT.ok);
  expect(JSON.parse(cli.out())).toEqual({ drainMs: 60_000 });
  expect(cli.err()).toContain("configuration 2");
  expect(cli.err()).toContain("The last change was refused: no");
});

it("goodgate config says what it takes", async () => {
  const cli = world(APPLIED);
  expect(await cli.run("config", "change")).toBe(EXIT.usage);
  expect(cli.asked).toEqual([]);
});
