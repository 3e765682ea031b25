import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ControlStore, ControlWriting } from "../contract/control-store.ts";
import type { SeriesRow } from "../contract/series.ts";
import { sampleEvent, sampleSecond } from "../../test/support/sample-facts.ts";
import { sampleIncident } from "../../test/support/sample-incident.ts";
import { CONTROL_FILE, openControlStore } from "./control-store.ts";
import { factLines, holdsFacts, readFacts } from "./recorded-facts.ts";

const HOUR = 3_600_000;
const NOW = 1_790_000_000_000;
const NOTHING: ControlWriting = { batch: null, rows: [], incidents: [], documents: [], saved: null, at: NOW };

let directory = "";
let opened: ControlStore[] = [];
let told: string[] = [];
let now = 0;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "goodgate-control-"));
  opened = [];
  told = [];
  now = 0;
});
afterEach(() => {
  for (const store of opened) store.close();
  rmSync(directory, { recursive: true, force: true });
});

function open(bounds: { bytesMax?: number; factsBytesMax?: number } = {}): ControlStore {
  const store = openControlStore({
    directory,
    bytesMax: bounds.bytesMax ?? 64 * 1024 * 1024,
    factsBytesMax: bounds.factsBytesMax ?? 16 * 1024 * 1024,
    onEvent: (code) => told.push(code),
    now: () => now,
  });
  opened.push(store);
  return store;
}

function batch(number: number, session = "life-1"): NonNullable<ControlWriting["batch"]> {
  return { session, number, facts: [sampleEvent(number), sampleSecond(NOW + number * 1_000)] };
}

function row(rest: Partial<SeriesRow> = {}): SeriesRow {
  const counts = { exchanges: 5, failed: 1, rescued: 2, p50Ms: 1.5, p95Ms: 9, p99Ms: null };
  return { resolution: 10, service: "shop", by: "all", value: "", at: NOW, ...counts, ...rest };
}

describe("what is written", () => {
  it("is there after a restart: what was saved, what was told since, figures, incidents, documents", () => {
    const before = open();
    before.write({ ...NOTHING, batch: batch(1) });
    const older = [
      row({ at: NOW - HOUR }),
      row({ at: NOW - HOUR, resolution: 1 }),
      row({ at: NOW - HOUR, resolution: 3600 }),
    ];
    before.write({ ...NOTHING, batch: batch(2), rows: older, saved: { some: "thing" } });
    // Its facts are gone through again, so what they came to must not be there already.
    before.write({ ...NOTHING, batch: batch(3), rows: [row()], at: NOW + 10_000 });
    before.write({
      ...NOTHING,
      incidents: [sampleIncident({ id: "inc-1", state: "open" }), sampleIncident({ id: "inc-2", state: "closed" })],
    });
    const silence = { kind: "silence", id: "s1", at: NOW, until: NOW + HOUR, body: { by: "ann" } };
    before.write({ ...NOTHING, documents: [silence] });
    before.close();

    const after = open();
    const memory = after.read();
    expect(memory).toMatchObject({ saved: { some: "thing" }, session: "life-1", number: 3 });
    expect([...memory.batches]).toEqual([batch(3)]);
    // Seconds are not kept: they are an engine's for five minutes.
    expect(memory.rows).toEqual([row({ at: NOW - HOUR }), row({ at: NOW - HOUR, resolution: 3600 })]);
    expect(after.closedIncidents(10)).toEqual([sampleIncident({ id: "inc-2", state: "closed" })]);
    expect(after.incident("inc-1")).toEqual(sampleIncident({ id: "inc-1", state: "open" }));
    expect(after.incident("inc-9")).toBe(null);
    expect(after.incidentsSince(Number.MAX_SAFE_INTEGER).map(({ id }) => id)).toEqual(["inc-1"]);
    expect(after.incidentsSince(0).map(({ id }) => id)).toEqual(["inc-1", "inc-2"]);
    expect(after.documents("silence")).toEqual([silence]);
    expect(after.documents("alert")).toEqual([]);
    expect(told).toEqual([]);
  });

  it("replaces what was there, and forgets what is to be forgotten", () => {
    const store = open();
    const document = { kind: "silence", id: "s1", at: NOW, until: NOW + HOUR, body: 1 };
    store.write({
      ...NOTHING,
      incidents: [sampleIncident({ id: "inc-1", state: "open" })],
      documents: [document],
      rows: [row()],
    });
    store.write({
      ...NOTHING,
      incidents: [sampleIncident({ id: "inc-1", state: "closed" })],
      documents: [{ ...document, body: null }],
      rows: [row({ exchanges: 6 })],
      saved: 1,
      at: NOW + HOUR,
    });
    expect(store.incident("inc-1")?.state).toBe("closed");
    expect(store.documents("silence")).toEqual([]);
    expect(store.read().rows).toEqual([row({ exchanges: 6 })]);
  });

  it("can be read for a replay while it is written, by whoever has the file", () => {
    const store = open();
    store.write({ ...NOTHING, batch: batch(1) });
    store.write({ ...NOTHING, batch: batch(2) });
    expect([...readFacts(join(directory, CONTROL_FILE))]).toEqual([batch(1), batch(2)]);
    store.write({ ...NOTHING, batch: batch(3) });
    expect([...readFacts(join(directory, CONTROL_FILE))]).toHaveLength(3);
    expect([...factLines(join(directory, CONTROL_FILE))].map((line) => JSON.parse(line) as unknown)).toEqual(
      [1, 2, 3].flatMap((number) => batch(number).facts),
    );
    expect(holdsFacts(join(directory, CONTROL_FILE))).toBe(true);
    writeFileSync(join(directory, "facts.jsonl"), "{}\n");
    expect(holdsFacts(join(directory, "facts.jsonl"))).toBe(false);
    expect(() => holdsFacts(join(directory, "none"))).toThrow("ENOENT");
    expect(told).toEqual([]);
  });

  it("is for its owner alone", () => {
    open().write({ ...NOTHING, batch: batch(1) });
    for (const name of readdirSync(directory)) expect(statSync(join(directory, name)).mode & 0o077).toBe(0);
  });
});

describe("bounds", () => {
  it("facts give way by their bytes, oldest first", () => {
    const store = open({ factsBytesMax: 4_000 });
    for (let number = 1; number <= 200; number += 1) store.write({ ...NOTHING, batch: batch(number) });
    const kept = [...readFacts(join(directory, CONTROL_FILE))].map(({ number }) => number);
    expect(kept.length).toBeGreaterThan(3);
    expect(kept.length).toBeLessThan(30);
    expect(kept.at(-1)).toBe(200);
    expect(kept).toEqual(kept.toSorted((a, b) => a - b));
    expect(store.read().number).toBe(200);
    expect(store.state().isSaveUrgent).toBe(true);
    store.write({ ...NOTHING, batch: batch(201), saved: 1 });
    expect(store.state().isSaveUrgent).toBe(false);
  });

  it("no facts are kept where none are wanted, and what was taken is known all the same", () => {
    const store = open({ factsBytesMax: 0 });
    store.write({ ...NOTHING, batch: batch(5), saved: 1 });
    store.write({ ...NOTHING, batch: batch(6) });
    expect(store.read()).toMatchObject({ saved: 1, number: 6 });
    // Nothing could be gone through again, so what the engine holds is all there is.
    expect(store.state().isSaveUrgent).toBe(true);
  });

  it("figures leave by their age, each resolution by its own", () => {
    const store = open();
    const old = [row({ at: NOW - 2 * HOUR }), row({ at: NOW - 2 * HOUR, resolution: 60 })];
    store.write({ ...NOTHING, rows: [...old, row()], saved: 1, at: NOW + 10_000 });
    for (let at = 0; at < 60; at += 1) store.write(NOTHING);
    expect(store.read().rows).toEqual([row(), row({ at: NOW - 2 * HOUR, resolution: 60 })]);
  });

  it("the file does not outgrow its bound, and the newest is what stays", () => {
    const bytesMax = 1024 * 1024;
    const store = open({ bytesMax, factsBytesMax: bytesMax / 4 });
    const long = "x".repeat(5_000);
    for (let at = 0; at < 1_000; at += 1) {
      const incident = {
        ...sampleIncident({ id: `inc-${at}`, state: "closed", firstFailureAt: NOW + at }),
        summary: long,
      };
      store.write({ ...NOTHING, batch: batch(at + 1), incidents: [incident], at: NOW + at * 1_000 });
    }
    expect(statSync(join(directory, CONTROL_FILE)).size).toBeLessThanOrEqual(bytesMax);
    expect(store.state().failing).toBe("");
    expect(told).toEqual([]);
    const kept = store.closedIncidents(1_000).map(({ id }) => id);
    expect(kept[0]).toBe("inc-999");
    expect(kept.length).toBeGreaterThan(20);
    expect(kept.length).toBeLessThan(300);
  });
});

describe("when it cannot be used", () => {
  it("a file that is none is moved aside and told, and all begins anew", () => {
    writeFileSync(join(directory, CONTROL_FILE), "this is not a database, and it is long enough to be seen as none");
    const store = open();
    expect(told).toEqual(["control.store-moved-aside"]);
    store.write({ ...NOTHING, batch: batch(1) });
    expect(store.read().number).toBe(1);
    expect(store.state().failing).toBe("");
    const aside = readdirSync(directory).filter((name) => name.includes(".unreadable-"));
    expect(aside).toHaveLength(1);
  });

  it("one that breaks while it is used is moved aside too, and only the newest of them is kept", () => {
    for (let time = 0; time < 2; time += 1) {
      const store = open();
      for (let number = 1; number < 50; number += 1) store.write({ ...NOTHING, batch: batch(number) });
      store.close();
      writeFileSync(join(directory, CONTROL_FILE), Buffer.alloc(32_768, time + 1));
    }
    const store = open();
    expect(store.read().number).toBe(0);
    store.write({ ...NOTHING, batch: batch(1) });
    expect(store.read().number).toBe(1);
    expect(told.filter((code) => code === "control.store-moved-aside")).toHaveLength(2);
    expect(readdirSync(directory).filter((name) => name.includes(".unreadable-"))).toHaveLength(1);
  });

  it("a second process is told, goes on in memory, and takes over when the first has gone", () => {
    const first = open();
    const second = open();
    expect(told).toEqual(["control.store-failing"]);
    expect(second.state().failing).toContain("another process");
    second.write({ ...NOTHING, incidents: [sampleIncident({ id: "inc-1", state: "closed" })] });
    expect(second.incident("inc-1")).toBe(null);
    first.write({ ...NOTHING, batch: batch(1) });
    first.close();
    now += 10_000;
    second.write({ ...NOTHING, batch: batch(2) });
    expect(told).toEqual(["control.store-failing", "control.store-works"]);
    // What was concluded meanwhile is written after all.
    expect(second.incident("inc-1")?.id).toBe("inc-1");
    expect(second.read().number).toBe(2);
  });

  it("a full disk is told once, is tried again now and then, and stops nobody", () => {
    // Less than the smallest file needs.
    const store = open({ bytesMax: 1 });
    const incident = { ...sampleIncident({ id: "inc-1", state: "closed" }), summary: "x".repeat(600_000) };
    for (let at = 0; at < 20; at += 1) {
      store.write({ ...NOTHING, batch: batch(at + 1), incidents: [incident] });
      now += 1_000;
    }
    expect(told).toEqual(["control.store-failing"]);
    expect(store.state().failing).toMatch(/full/);
    expect(store.closedIncidents(10)).toEqual([]);
  });

  it("a directory that cannot be made is told and stops nobody", () => {
    writeFileSync(join(directory, "file"), "");
    directory = join(directory, "file", "state");
    const store = open();
    store.write({ ...NOTHING, batch: batch(1) });
    expect(store.read()).toEqual({ saved: null, savedAt: 0, rows: [], batches: [], session: "", number: 0 });
    expect(told).toEqual(["control.store-failing"]);
    directory = join(directory, "..", "..");
  });
});
