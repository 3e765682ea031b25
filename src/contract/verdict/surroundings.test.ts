import { describe, expect, it } from "vitest";
import { sampleView } from "../../../test/support/sample-view.ts";
import type { SampleView } from "../../../test/support/sample-view.ts";
import { createHistogram, recordDuration } from "../../kernel/histogram.ts";
import type { ExchangeRecord } from "../record.ts";
import { surroundingsOf } from "./surroundings.ts";

function newest(view: SampleView): ExchangeRecord {
  const record = view.records.find(({ attempts }) => attempts.length > 0);
  if (record === undefined) throw new Error("the sample has exchanges with attempts");
  return record;
}

describe("what is around an exchange", () => {
  it("is the others of the minute before and after, without itself", () => {
    const view = sampleView();
    const record = newest(view);
    const { others } = surroundingsOf(view, record);
    expect(others.length).toBeGreaterThan(0);
    for (const { id, startedAt } of others) {
      expect(id).not.toBe(record.id);
      expect(Math.abs(startedAt - record.startedAt)).toBeLessThanOrEqual(60_000);
    }
  });

  it("has a usual time to the first byte of the address once that was measured often enough", () => {
    const view = sampleView();
    const record = newest(view);
    const last = record.attempts.at(-1);
    const [row] = view.metricsNow.origins;
    if (last === undefined || row === undefined) throw new Error("the sample has origins");
    const usual = (count: number): number | null => {
      const firstByte = createHistogram();
      for (let each = 0; each < count; each += 1) recordDuration(firstByte, 40_000);
      const { pool, origin, address } = last;
      view.metricsNow = { ...view.metricsNow, origins: [{ ...row, pool, origin, address, firstByte }] };
      return surroundingsOf(view, record).usualFirstByteMs;
    };
    expect(usual(5)).toBe(null);
    expect(usual(50)).toBeGreaterThan(35);
    expect(usual(50)).toBeLessThan(45);
  });

  it("knows when the addresses of its origin last changed, and of its service's where none was asked", () => {
    const view = sampleView();
    const record = newest(view);
    expect(surroundingsOf(view, record).answerChangedAt).toBe(null);
    view.originsNow = view.originsNow.map((origin, index) => ({ ...origin, addressesSince: 1_000 + index }));
    const known = view.originsNow.findLast(({ origin }) => origin === record.origin);
    expect(surroundingsOf(view, record).answerChangedAt).toBe(known?.addressesSince ?? null);
    const unasked = { ...record, origin: "", attempts: [] };
    const ofService = view.originsNow.filter(({ service }) => service === record.service);
    expect(surroundingsOf(view, unasked).answerChangedAt).toBe(ofService.at(-1)?.addressesSince);
  });
});
