import { describe, expect, test } from "vitest";
import { settingsForOrigins } from "../config/defaults.ts";
import type { Settings } from "../config/settings.ts";
import type { Finding } from "./machine-findings.ts";
import { connectionsWithin, isWorthTelling, machineFindings } from "./machine-findings.ts";
import type { MachineFacts } from "./ports.ts";

const ROOMY: MachineFacts = {
  descriptorsMax: 1_048_576,
  ephemeralPorts: { low: 32_768, high: 60_999 },
  ephemeralPortsInUse: 0,
  somaxconn: 4096,
  memoryBytes: 8 * 1024 ** 3,
  cores: 1,
};

function settings(changes: Partial<Settings["limits"]> = {}, perOriginMax = 1024): Settings {
  const made = settingsForOrigins(["http://127.0.0.1:3000"]);
  if (!made.ok) throw new Error("the defaults do not load");
  const limits = { ...made.settings.limits, connectionsMax: 10_000, ...changes };
  const services = made.settings.services.map((service) => ({
    ...service,
    connections: { ...service.connections, perOriginMax },
  }));
  return { ...made.settings, limits, services };
}

function finding(id: string, facts: Partial<MachineFacts>, of: Settings = settings()): Finding | undefined {
  return machineFindings({ ...ROOMY, ...facts }, of).find((one) => one.id === id);
}

test("a roomy machine has nothing to mend", () => {
  expect(machineFindings(ROOMY, settings()).map((one) => one.level)).toEqual(["ok", "ok", "ok", "ok"]);
});

test("cores that nothing uses are told, unless somebody has said how many are to be", () => {
  expect(finding("cores", { cores: 4 })).toMatchObject({
    level: "ok",
    says: "one of 4 cores serves; with  workers: auto  all of them do.",
  });
  expect(finding("cores", { cores: 4 }, { ...settings(), workers: 2 })).toBeUndefined();
  expect(finding("cores", { cores: 4 }, { ...settings(), workers: 0 })).toBeUndefined();
});

test("facts that the system does not tell are never bad", () => {
  const unknown: MachineFacts = {
    descriptorsMax: null,
    ephemeralPorts: null,
    ephemeralPortsInUse: null,
    somaxconn: null,
    memoryBytes: null,
    cores: 1,
  };
  expect(machineFindings(unknown, settings()).map((one) => one.level)).not.toContain("bad");
});

test("everything but ok says what to do", () => {
  const poor: MachineFacts = {
    descriptorsMax: 256,
    ephemeralPorts: { low: 1, high: 10 },
    ephemeralPortsInUse: 9,
    somaxconn: 128,
    memoryBytes: 1e6,
    cores: 1,
  };
  for (const one of machineFindings(poor, settings())) {
    expect(one.level).not.toBe("ok");
    expect(one.todo).not.toBe("");
  }
});

describe("descriptors", () => {
  test.each([
    [10_000, 10_000, false],
    [10_000, 9_968, false],
    [10_000, 9_800, false],
    [10_000, 9_799, true],
    [10_000, 100, true],
    // What an operator wrote down is missed by one already.
    [20_000, 19_999, true],
    [50, 60, false],
  ])("of %i connections %i fit: said at the start %s", (configured, fit, told) => {
    expect(isWorthTelling(configured, fit)).toBe(told);
  });

  test("two for each client connection and some of our own are enough, one less is not", () => {
    expect(finding("descriptors", { descriptorsMax: 20_064 })?.level).toBe("ok");
    expect(finding("descriptors", { descriptorsMax: 20_063 })?.level).toBe("warn");
  });

  test("fewer than 1024 are bad, unless the configuration needs no more", () => {
    expect(finding("descriptors", { descriptorsMax: 1023 })?.level).toBe("bad");
    expect(finding("descriptors", { descriptorsMax: 1023 }, settings({ connectionsMax: 100 }))?.level).toBe("ok");
  });

  test("what fits is what the descriptors cover, and never nothing", () => {
    expect(connectionsWithin(20_064)).toBe(10_000);
    expect(connectionsWithin(10)).toBe(1);
  });

  test("the advice names both figures that would fit", () => {
    expect(finding("descriptors", { descriptorsMax: 4096 })?.todo).toMatch(
      /Raise the limit to 20064 .*, or lower limits\.connections to 2016\.$/,
    );
  });
});

describe("ephemeral ports", () => {
  test("a range smaller than what one origin may take is bad", () => {
    expect(finding("ephemeral-ports", {}, settings({}, 28_233))?.level).toBe("bad");
    expect(finding("ephemeral-ports", {}, settings({}, 28_232))?.level).toBe("warn");
    expect(finding("ephemeral-ports", {}, settings({}, 14_116))?.level).toBe("ok");
  });

  test("a range that is mostly in use is a warning", () => {
    expect(finding("ephemeral-ports", { ephemeralPortsInUse: 19_763 })?.level).toBe("warn");
    expect(finding("ephemeral-ports", { ephemeralPortsInUse: 19_762 })?.level).toBe("ok");
  });
});

test("a short accept queue is a warning", () => {
  expect(finding("accept-queue", { somaxconn: 128 })?.level).toBe("warn");
  expect(finding("accept-queue", { somaxconn: 1024 })?.level).toBe("ok");
});

test("memory for all idle connections and all replay buffers is asked for", () => {
  expect(finding("memory", { memoryBytes: 256 * 1024 * 1024 })?.level).toBe("warn");
  expect(finding("memory", { memoryBytes: 512 * 1024 * 1024 })?.level).toBe("ok");
});
