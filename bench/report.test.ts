import { describe, expect, it } from "vitest";
import type { Measurement } from "./measure.ts";
import type { PeerName } from "./peers.ts";
import { insertReport, ratioOf, renderReport, type BenchResult } from "./report.ts";
import type { RowName } from "./rows.ts";

function measured(peer: PeerName, row: RowName, cpuMicrosPerExchange: number, round = 1): Measurement {
  return {
    peer,
    row,
    round,
    exchanges: 1_000,
    perSecond: 1_000,
    cpuMicrosPerExchange,
    flaws: [],
    bytesPerIdleConnection: null,
  };
}

function result(measurements: Measurement[]): BenchResult {
  return {
    date: "2026-01-02",
    machine: "2 cores",
    command: "npm run bench",
    accessLog: true,
    rounds: 1,
    seconds: 1,
    versions: { goodgate: "0.1.0", haproxy: "2.6" },
    rows: ["small", "idle"],
    peers: ["goodgate", "haproxy"],
    measurements,
    memory: [{ peer: "goodgate", restBytes: 50 * 1048576, afterLoadBytes: 60 * 1048576 }],
  };
}

describe("the ratio to HAProxy", () => {
  it("is taken round by round, so that a slow minute of the machine cancels out", () => {
    const both = [1, 10, 2].flatMap((disturbance, round) => [
      measured("goodgate", "small", 30 * disturbance, round),
      measured("haproxy", "small", 20 * disturbance, round),
    ]);
    expect(ratioOf(result(both), "small", "goodgate")).toBe(1.5);
  });

  it("is unknown without a yardstick", () => {
    expect(ratioOf(result([measured("goodgate", "small", 30)]), "small", "goodgate")).toBeNull();
  });
});

describe("the report", () => {
  it("has the figure, the ratio and the mark in a row, and memory beside it", () => {
    const text = renderReport(
      result([
        measured("goodgate", "small", 30),
        measured("haproxy", "small", 20),
        { ...measured("goodgate", "idle", 40), bytesPerIdleConnection: 8_192 },
      ]),
    );
    expect(text).toContain("| GET 500 B, keep-alive | 30.0 (30.0–30.0) **1.50×** | 20.0 (20.0–20.0) | ≤ 1.5× |");
    expect(text).toMatch(/\| per idle connection \| 8\.0 KiB \| – \| ≤ 12 KiB \|/);
    expect(text).toMatch(/\| after load \| 60\.0 MiB \| – \|/);
  });

  it("flags a row whose load generator saw errors, and says which", () => {
    const text = renderReport(result([{ ...measured("goodgate", "small", 30), flaws: ["3 socket errors"] }]));
    expect(text).toMatch(/\| GET 500 B, keep-alive \| 30\.0 \(30\.0–30\.0\) ⚠/);
    expect(text).toContain("⚠ GET 500 B, keep-alive, goodgate, round 1: 3 socket errors");
  });

  it("replaces what stands between the markers of the page and nothing else", () => {
    const page = "# Speed\n\n<!-- bench:begin -->\nold\n<!-- bench:end -->\n\nAfter.\n";
    expect(insertReport(page, "new\n")).toBe(
      "# Speed\n\n<!-- bench:begin -->\n\nnew\n\n<!-- bench:end -->\n\nAfter.\n",
    );
    expect(() => insertReport("# Speed\n", "new")).toThrow(/bench:begin/);
  });
});
