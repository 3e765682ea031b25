import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readConfigurationLeft, readHeritage, TESTAMENT } from "./heritage.ts";

const PID = 4711;

describe("the configuration that a process follows with", () => {
  const testament = (rest: object): NodeJS.ProcessEnv => ({
    [TESTAMENT]: JSON.stringify({ sockets: [], state: null, ...rest }),
  });

  it("is read from the descriptor that its predecessor names, and is the file's where there is none", () => {
    const folder = mkdtempSync(join(tmpdir(), "goodgate-heritage-"));
    const path = join(folder, "left");
    const revision = { number: 2, hash: "h", at: 1, by: "", reason: "", changes: [] };
    const left = { text: "services: {}", file: "a.yaml", revision };
    writeFileSync(path, JSON.stringify(left));
    expect(readConfigurationLeft(testament({ configuration: openSync(path, "r") }))).toEqual(left);
    rmSync(folder, { recursive: true });
    expect(readConfigurationLeft(testament({ configuration: null }))).toBeNull();
    // A program of before knows nothing of it.
    expect(readConfigurationLeft(testament({}))).toBeNull();
    expect(readHeritage(testament({}), PID).isWaitedFor).toBe(false);
    expect(readHeritage(testament({ stays: true }), PID)).toMatchObject({ isWaitedFor: true, isKept: false });
    expect(readHeritage(testament({ stays: true, keeps: true }), PID)).toMatchObject({
      isWaitedFor: true,
      isKept: true,
    });
    expect(readConfigurationLeft({})).toBeNull();
  });
});

describe("what a process finds open", () => {
  it("is nothing where nobody says so, or where it is meant for a process above", () => {
    for (const env of [
      {},
      { LISTEN_FDS: "2", LISTEN_PID: "1" },
      { LISTEN_FDS: "2" },
      { LISTEN_FDS: "x", LISTEN_PID: "4711" },
    ]) {
      const heritage = readHeritage(env, PID);
      expect(heritage.from).toBe("nobody");
      expect(heritage.take({ host: "127.0.0.1", port: 80 }, "127.0.0.1:80")).toBeNull();
      expect(heritage.closeRest()).toEqual([]);
    }
  });

  it("is the predecessor's, by address, each socket once, with all that share a port", () => {
    const file = { path: "/run/g.sock", dev: 1, ino: 2 };
    const sockets = [
      { descriptor: 104, host: "127.0.0.1", port: 80 },
      { descriptor: 105, host: "unix:/run/g.sock", port: 0, file },
      { descriptor: 106, host: "127.0.0.1", port: 80 },
    ];
    const env: NodeJS.ProcessEnv = {
      [TESTAMENT]: JSON.stringify({ sockets, state: "/var/lib/goodgate" }),
      PATH: "/bin",
    };
    const heritage = readHeritage(env, PID);
    expect(env).toEqual({ PATH: "/bin" });
    expect(heritage).toMatchObject({ from: "predecessor", state: "/var/lib/goodgate" });
    expect(heritage.take({ host: "127.0.0.1", port: 81 }, "")).toBeNull();
    expect(heritage.take({ host: "127.0.0.1", port: 80 }, "")).toEqual([
      { descriptor: 104, file: null },
      { descriptor: 106, file: null },
    ]);
    expect(heritage.take({ host: "127.0.0.1", port: 80 }, "")).toBeNull();
    expect(heritage.take({ host: "unix:/run/g.sock", port: 0 }, "")).toEqual([
      { descriptor: 105, file: { ...file, isLent: true } },
    ]);
  });
});
