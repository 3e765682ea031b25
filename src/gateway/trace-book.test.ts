import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import { sampleRecord } from "../../test/support/sample-record.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import { TraceBook } from "./trace-book.ts";

const TRACED = { ...sampleRecord(), traceId: "4bf92f3577b34da6a3ce929d0e0e4736" };

function book(perSecondMax: number) {
  const told: { records: readonly ExchangeRecord[]; leftOut: number }[] = [];
  const traces = new TraceBook(perSecondMax, (records, leftOut) => told.push({ records, leftOut }));
  const sum = (of: (one: (typeof told)[number]) => number) => told.reduce((all, one) => all + of(one), 0);
  return { traces, told, count: () => sum(({ records }) => records.length), leftOut: () => sum((one) => one.leftOut) };
}

describe("what a collector is told", () => {
  it("are all up to the bound of a second, in small messages; the last one says how many more there were", () => {
    const { traces, told, count, leftOut } = book(1000);
    for (let n = 0; n < 2500; n += 1) traces.add(TRACED, false);
    expect(told.every(({ records }) => records.length <= 64)).toBe(true);
    expect(leftOut()).toBe(0);
    traces.second();
    expect(count()).toBe(1000);
    expect(told.at(-1)?.leftOut).toBe(1500);
    expect(told.at(-1)?.records.length).toBeGreaterThan(0);
    // The next second has a bound of its own.
    for (let n = 0; n < 10; n += 1) traces.add(TRACED, false);
    traces.second();
    expect(count()).toBe(1010);
    expect(leftOut()).toBe(1500);
  });

  it("has room for a kind of failure that is new in this second, and for so many at most", () => {
    const { traces, count, leftOut } = book(10);
    for (let n = 0; n < 20; n += 1) traces.add(TRACED, false);
    for (let n = 0; n < 100; n += 1) traces.add(TRACED, true);
    traces.second();
    expect(count()).toBe(10 + 64);
    expect(leftOut()).toBe(10 + 36);
  });

  it("is nothing of an exchange without a trace, and nothing in a second without any", () => {
    const { traces, told } = book(10);
    traces.add({ ...TRACED, traceId: "" }, true);
    traces.second();
    expect(told).toEqual([]);
  });
});

const BROKEN = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 2\r\n\r\nno";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function ask({ client, network }: MemoryGateway, answer: string): void {
  client().send("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  network.dialled.at(-1)?.send(answer);
  network.settle();
}

function collected({ traces }: MemoryGateway): { told: string[]; leftOut: number } {
  return {
    told: traces.flatMap(({ records }) => records.map(({ outcome }) => outcome)),
    leftOut: traces.reduce((sum, { leftOut }) => sum + leftOut, 0),
  };
}

describe("a gateway with a collector", () => {
  const rest = { telemetry: { otlp: { url: "http://127.0.0.1:4318", tracesPerSecond: 30 } }, records: { slowest: 0 } };

  it("tells it of each failure of an outage with its attempts, up to the configured bound, and counts the rest", async () => {
    const world = await memoryGateway({ rest, service: { retry: false, poison: false, ejection: false } });
    for (let n = 0; n < 3; n += 1) ask(world, OK);
    for (let n = 0; n < 40; n += 1) ask(world, BROKEN);
    world.advance(1_000);
    const { told, leftOut } = collected(world);
    expect(told.every((outcome) => outcome === "failed")).toBe(true);
    expect(told).toHaveLength(30);
    expect(leftOut).toBe(10);
    expect(world.traces.flatMap(({ records }) => records).every(({ attempts }) => attempts.length === 1)).toBe(true);
  });

  it("does not let a flood that is refused push out what fails", async () => {
    const world = await memoryGateway({ rest, service: { retry: false, poison: false, ejection: false } });
    for (let n = 0; n < 50; n += 1) {
      world.client().send("GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n");
      world.network.settle();
    }
    ask(world, BROKEN);
    world.advance(1_000);
    expect(collected(world).told.filter((outcome) => outcome === "failed")).toHaveLength(1);
    expect(collected(world).leftOut).toBe(0);
  });

  it("takes another bound while it runs; without a collector, or without traces, it makes nothing of them", async () => {
    const service = { retry: false, poison: false, ejection: false };
    const world = await memoryGateway({ rest, service });
    await world.apply({
      rest: { ...rest, telemetry: { otlp: { ...rest.telemetry.otlp, tracesPerSecond: 5 } } },
      service,
    });
    for (let n = 0; n < 8; n += 1) ask(world, BROKEN);
    world.advance(1_000);
    expect(collected(world).told).toHaveLength(5);
    await world.apply({ rest: { ...rest, telemetry: { otlp: { ...rest.telemetry.otlp, traces: false } } }, service });
    for (let n = 0; n < 8; n += 1) ask(world, BROKEN);
    world.advance(1_000);
    expect(collected(world).told).toHaveLength(5);
  });
});
