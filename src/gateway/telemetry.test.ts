import { describe, expect, it } from "vitest";
import type { ExchangeRecord } from "../contract/record.ts";
import { newExchangeRecord } from "./new-record.ts";
import { RouteCounters, Telemetry, countCause } from "./telemetry.ts";

function record(over: Partial<ExchangeRecord>): ExchangeRecord {
  return { ...newExchangeRecord("1", 0, "l"), ...over };
}

describe("the counters of a route", () => {
  it("count each exchange once by status class, outcome and cause, and add up bytes", () => {
    const counters = new RouteCounters("shop", "all");
    counters.add(record({ status: 200, outcome: "served", requestBytes: 3, responseBytes: 5, doneUs: 100 }));
    counters.add(record({ status: 599, outcome: "failed", cause: "origin.app_5xx", responseBytes: 1, doneUs: 300 }));
    counters.add(record({ status: 0, outcome: "aborted", cause: "client.abort_wait", doneUs: 200 }));
    expect(counters.byStatus).toEqual({ none: 1, "1xx": 0, "2xx": 1, "3xx": 0, "4xx": 0, "5xx": 1 });
    expect(counters.byOutcome).toEqual({ served: 1, rescued: 0, failed: 1, refused: 0, aborted: 1 });
    expect(counters.byCause).toEqual({ "origin.app_5xx": 1, "client.abort_wait": 1 });
    expect([counters.requestBytes, counters.responseBytes]).toEqual([3, 6]);
    expect(counters.duration).toMatchObject({ count: 3, sumUs: 600, maxUs: 300 });
  });

  it("leave the length of tunnels out of the durations", () => {
    const counters = new RouteCounters("shop", "all");
    counters.add(record({ status: 101, tunnel: true, doneUs: 3_600_000_000 }));
    expect(counters.byStatus).toMatchObject({ "1xx": 1 });
    expect(counters.duration.count).toBe(0);
  });
});

it("refusals are counted by their reason", () => {
  const telemetry = new Telemetry();
  telemetry.refused("bare-lf");
  telemetry.refused("bare-lf");
  telemetry.refused("host-missing");
  expect(telemetry.refusals).toEqual({ "bare-lf": 2, "host-missing": 1 });
});

it("causes are counted from one", () => {
  const counts = {};
  countCause(counts, "origin.refused");
  countCause(counts, "origin.refused");
  expect(counts).toEqual({ "origin.refused": 2 });
});
