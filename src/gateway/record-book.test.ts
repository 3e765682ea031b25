import { describe, expect, it } from "vitest";
import type { ExchangeFilter, GatewayEvent } from "../contract/view.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import { newAttemptRecord, newExchangeRecord } from "./new-record.ts";
import { RecordBook } from "./record-book.ts";

const SETTINGS = { failedMax: 3, slowestMax: 2, sampledMax: 3, sampleRatio: 0.5 };

function record(id: string, over: Partial<ExchangeRecord> = {}): ExchangeRecord {
  return { ...newExchangeRecord(id, 1000, "l"), outcome: "served", status: 200, doneUs: 10, ...over };
}

function book(chance = 0.9, settings = SETTINGS): RecordBook {
  return new RecordBook(settings, () => chance, null);
}

function ids(of: RecordBook, filter: ExchangeFilter = {}): string[] {
  return of.list(filter).map(({ id }) => id);
}

describe("what is kept", () => {
  it("are all that failed, were rescued, refused or aborted, within their bound: the newest of them", () => {
    const kept = book(0.9, { ...SETTINGS, slowestMax: 0 });
    for (const outcome of ["failed", "rescued", "refused", "aborted"] as const)
      kept.add(record(outcome, { outcome }), 0);
    expect(ids(kept).toSorted()).toEqual(["aborted", "refused", "rescued"]);
    expect(kept.total).toBe(4);
  });

  it("are the slowest of the good ones, slowest first out of reach of the fast", () => {
    const kept = book();
    kept.add(record("a", { doneUs: 50 }), 0);
    kept.add(record("b", { doneUs: 10 }), 0);
    kept.add(record("c", { doneUs: 30 }), 0);
    kept.add(record("d", { doneUs: 20 }), 0);
    expect(ids(kept).toSorted()).toEqual(["a", "c"]);
  });

  it("are the slowest of the last ten minutes only: an old record makes room", () => {
    const kept = book();
    kept.add(record("slow", { doneUs: 1_000_000 }), 0);
    kept.add(record("slower", { doneUs: 2_000_000 }), 1);
    kept.add(record("fast", { doneUs: 10 }), 300_000);
    expect(ids(kept).toSorted()).toEqual(["slow", "slower"]);
    kept.add(record("later", { doneUs: 10 }), 700_000);
    expect(ids(kept)).toEqual(["later"]);
  });

  it("is no tunnel among the slowest: those last as long as people like", () => {
    const kept = book();
    kept.add(record("tunnel", { tunnel: true, doneUs: 1e12 }), 0);
    expect(ids(kept)).toEqual([]);
  });

  it("is a sample of the rest, as large as chance and its bound say", () => {
    const rolls = [0.1, 0.9, 0.49, 0.5, 0.2, 0.3];
    let next = 0;
    const kept = new RecordBook({ ...SETTINGS, slowestMax: 0 }, () => rolls[next++] ?? 1, null);
    for (const id of ["a", "b", "c", "d", "e", "f"]) kept.add(record(id), 0);
    expect(ids(kept).toSorted()).toEqual(["c", "e", "f"]);
  });

  it("is bounded, whatever comes", () => {
    const kept = book(0);
    for (let number = 0; number < 1000; number += 1) {
      kept.add(
        record(`${number}`, { outcome: number % 2 === 0 ? "failed" : "served", doneUs: number % 97 }),
        number * 1000,
      );
    }
    expect(ids(kept, { limit: 1000 }).length).toBeLessThanOrEqual(3 + 2 + 3);
  });
});

describe("the list", () => {
  const kept = book(0, { failedMax: 10, slowestMax: 0, sampledMax: 10, sampleRatio: 1 });
  const attempt = { ...newAttemptRecord(1, "p", "http://o1", "a"), cause: "origin.refused" as const };
  kept.add(record("a", { service: "s1", route: "r1", attempts: [attempt], outcome: "rescued", startedAt: 100 }), 0);
  kept.add(
    record("b", { service: "s1", route: "r2", status: 503, cause: "gw.shed", outcome: "failed", startedAt: 300 }),
    0,
  );
  kept.add(
    record("c", { service: "s2", status: 0, cause: "client.abort_wait", outcome: "aborted", startedAt: 200 }),
    0,
  );
  kept.add(record("d", { service: "s2", status: 504, outcome: "failed", startedAt: 200, doneUs: 99 }), 0);

  it.each<[ExchangeFilter, string[]]>([
    [{}, ["b", "d", "c", "a"]],
    [{ cause: "origin.refused" }, ["a"]],
    [{ cause: "gw.shed" }, ["b"]],
    [{ origin: "http://o1" }, ["a"]],
    [{ origin: "http://o2" }, []],
    [{ service: "s2" }, ["d", "c"]],
    [{ route: "r2" }, ["b"]],
    [{ outcome: "failed" }, ["b", "d"]],
    [{ since: 200 }, ["b", "d", "c"]],
    [{ status: "503" }, ["b"]],
    [{ status: "5xx" }, ["b", "d"]],
    [{ status: "0xx" }, []],
    [{ status: "2xx", service: "s1" }, ["a"]],
    [{ limit: 1 }, ["b"]],
    [{ limit: 0 }, ["b"]],
    [{ limit: -5 }, ["b"]],
  ])("for %j is %j, newest first", (filter, expected) => {
    expect(ids(kept, filter)).toEqual(expected);
  });

  it("finds one by its id wherever it is kept, and nothing that is not", () => {
    for (const id of ["a", "b", "c", "d"]) expect(kept.find(id)?.id).toBe(id);
    expect(kept.find("e")).toBe(null);
  });
});

describe("who listens", () => {
  it("hears of every exchange until it stops, kept or not; the log gets every one", () => {
    const logged: string[] = [];
    const book = new RecordBook(
      { ...SETTINGS, slowestMax: 0 },
      () => 1,
      ({ id }) => logged.push(id),
    );
    const heard: GatewayEvent[] = [];
    book.add(record("before"), 0);
    const stop = book.subscribe((event) => heard.push(event));
    book.add(record("during"), 0);
    book.publish({ kind: "gateway", at: 0, code: "c", detail: "d" });
    stop();
    book.add(record("after"), 0);
    expect(heard).toMatchObject([{ kind: "exchange", record: { id: "during" } }, { kind: "gateway" }]);
    expect(logged).toEqual(["before", "during", "after"]);
    expect(book.total).toBe(3);
  });
});
