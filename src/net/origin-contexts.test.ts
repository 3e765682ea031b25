/** Contexts by files, their faults and changes, and the sessions that are kept. */
import { copyFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createTestAuthority } from "../../test/support/test-authority.ts";
import { until } from "../../test/support/until.ts";
import type { OriginTls } from "../kernel/socket.ts";
import { createOriginContexts, OriginTlsFault } from "./origin-contexts.ts";

const authority = createTestAuthority();
afterAll(() => authority.close());

const PLAIN: OriginTls = {
  serverName: "origin.test",
  verify: true,
  ca: "",
  certificate: "",
  key: "",
  pins: [],
  minVersion: "1.2",
};

function contexts(
  wall: () => number = () => 0,
): ReturnType<typeof createOriginContexts> & { faults: OriginTlsFault[] } {
  const faults: OriginTlsFault[] = [];
  return { ...createOriginContexts({ onRefused: (fault) => faults.push(fault), wall, sessionsMax: 2 }), faults };
}

describe("a context", () => {
  it("is one for all origins with the same files, whatever else they say", () => {
    const { contextOf } = contexts();
    const first = contextOf({ ...PLAIN, ca: authority.caFile });
    expect(contextOf({ ...PLAIN, ca: authority.caFile, serverName: "other.test", pins: ["x"] })).toBe(first);
    expect(contextOf({ ...PLAIN })).not.toBe(first);
    expect(contextOf({ ...PLAIN, ca: authority.caFile, minVersion: "1.3" })).not.toBe(first);
  });

  it.each([
    ["is not there", { ca: "/nowhere/ca.pem" }, "/nowhere/ca.pem", /cannot be read \(ENOENT\)/],
    ["holds no certificate", { ca: "package.json" }, "package.json", /certificate/],
  ])("whose file %s is refused with its name", (_title, changes, file, reason) => {
    try {
      contexts().contextOf({ ...PLAIN, ...changes });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(OriginTlsFault);
      expect(error).toMatchObject({ file, reason: expect.stringMatching(reason) });
    }
  });

  it("with the key of another certificate is refused", () => {
    const one = authority.issue({ usage: "client" });
    const other = authority.issue({ usage: "client" });
    expect(() => contexts().contextOf({ ...PLAIN, certificate: one.certFile, key: other.keyFile })).toThrow(
      OriginTlsFault,
    );
  });

  it("is made anew when its file has changed, and the one before goes on while the file is of no use", async () => {
    let now = 0;
    const made = contexts(() => now);
    const file = join(authority.folder, "changing.pem");
    copyFileSync(authority.caFile, file);
    const settings = { ...PLAIN, ca: file };
    const first = made.contextOf(settings);
    made.keepSession(settings, "a", { session: Buffer.from("s"), expires: 1e12 });
    const other = createTestAuthority("Renewed");

    writeFileSync(file, "nothing of use");
    now += 10_000;
    expect(made.contextOf(settings)).toBe(first);
    await until("the fault", () => made.faults[0] ?? null);
    expect(made.contextOf(settings)).toBe(first);
    expect(made.session(settings, "a")).toBeDefined();

    rmSync(file);
    copyFileSync(other.caFile, file);
    await until("another context", () => {
      now += 10_000;
      return made.contextOf(settings) === first ? null : true;
    });
    // What was verified by the old authority says nothing any more.
    expect(made.session(settings, "a")).toBeUndefined();
    other.close();
  });
});

describe("a session", () => {
  const kept = { session: Buffer.from("s"), expires: 100 };

  it("is kept for an origin at an address, while what was verified for it holds", () => {
    let now = 0;
    const made = contexts(() => now);
    made.keepSession(PLAIN, "10.0.0.1 443", kept);
    expect(made.session({ ...PLAIN }, "10.0.0.1 443")).toBe(kept);
    expect(made.session(PLAIN, "10.0.0.2 443")).toBeUndefined();
    now = 100;
    expect(made.session(PLAIN, "10.0.0.1 443")).toBeUndefined();
  });

  it("vouches for nothing that was not checked", () => {
    const made = contexts();
    made.keepSession({ ...PLAIN, verify: false }, "a", kept);
    for (const stricter of [
      PLAIN,
      { ...PLAIN, verify: false, pins: ["x"] },
      { ...PLAIN, verify: false, serverName: "other.test" },
      { ...PLAIN, verify: false, ca: "/other.pem" },
    ]) {
      expect(made.session(stricter, "a")).toBeUndefined();
    }
  });

  it("that was used longest ago gives way", () => {
    const made = contexts();
    made.keepSession(PLAIN, "a", kept);
    made.keepSession(PLAIN, "b", kept);
    made.session(PLAIN, "a");
    made.keepSession(PLAIN, "c", kept);
    expect(["a", "b", "c"].map((place) => made.session(PLAIN, place) !== undefined)).toEqual([true, false, true]);
    made.forgetSession(PLAIN, "a");
    expect(made.session(PLAIN, "a")).toBeUndefined();
  });
});
