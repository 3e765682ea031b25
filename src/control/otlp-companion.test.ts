import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { sampleSecond } from "../../test/support/sample-facts.ts";
import { sampleIncident } from "../../test/support/sample-incident.ts";
import { sampleAttempt, sampleRecord } from "../../test/support/sample-record.ts";
import type { Question } from "../contract/control-port.ts";
import type { SecondFact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import type { OtlpFigures } from "../contract/otlp.ts";
import type { Span } from "../contract/spans.ts";
import { createOtlp } from "./otlp-companion.ts";

const NONE = { bound: 0, process: 0 };
const TRACED = { ...sampleRecord(), traceId: "4bf92f3577b34da6a3ce929d0e0e4736", attempts: [] };

function world() {
  const time = manualSchedule();
  let isClosed = false;
  const batches: { spans: readonly Span[]; done: (failure: string | null) => void }[] = [];
  const told: string[] = [];
  let incidents: readonly Incident[] = [];
  let figures = (): OtlpFigures => [];
  const companion = createOtlp(
    {
      withQuery: false,
      schedule: time.schedule,
      open: (asked) => {
        figures = asked;
        return {
          send: (spans, done) => void batches.push({ spans, done }),
          close() {
            isClosed = true;
            return Promise.resolve();
          },
        };
      },
    },
    {
      tell: (code, detail) => void told.push(code === "otlp.lost" ? `${code}: ${detail}` : code),
      ask: ((question: Question) => (question.ask === "incidents" ? incidents : [])) as never,
    },
  );
  const second = (rest: Partial<SecondFact> = {}): SecondFact => sampleSecond(1000, rest);
  const trace = (count: number, leftOut = 0): void =>
    companion.trace?.(
      Array.from({ length: count }, () => TRACED),
      { bound: leftOut, process: 0 },
    );
  const goOn = (...those: readonly Incident[]): void => void (incidents = those);
  return { batches, told, figures: () => figures(), companion, second, trace, goOn, time, isClosed: () => isClosed };
}

describe("what a collector is told", () => {
  it("are the exchanges that it is given, one batch after the other", () => {
    const { trace, batches } = world();
    trace(2);
    expect(batches.map(({ spans }) => spans.length)).toEqual([2]);
    trace(3);
    expect(batches.length).toBe(1);
    batches[0]?.done(null);
    expect(batches.map(({ spans }) => spans.length)).toEqual([2, 3]);
  });

  it("are an outage of a thousand exchanges a second with two attempts each, without a loss", () => {
    const { batches, told, companion, second, figures } = world();
    const attempts = [1, 2].map((number) => ({ ...sampleAttempt(), number }));
    for (let n = 0; n < 10; n += 1) {
      for (let chunk = 0; chunk < 10; chunk += 1) {
        companion.trace?.(
          Array.from({ length: 100 }, () => ({ ...TRACED, attempts })),
          NONE,
        );
      }
      companion.hear?.(second(), [], false);
      // It answers once a second only.
      for (let at = batches.length - 1; at < batches.length; at += 1) batches[at]?.done(null);
    }
    expect(batches.reduce((sum, { spans }) => sum + spans.length, 0)).toBe(10 * 1000 * 3);
    expect(told).toEqual([]);
    expect(figures().filter(({ metric, value }) => metric === "traces left out" && value > 0)).toEqual([]);
  });

  it("is bounded while it does not take anything; that is told once, and that it does again", () => {
    const { batches, told, companion, second, trace } = world();
    for (let n = 0; n < 500; n += 1) trace(100);
    expect(batches.length).toBe(1);
    batches[0]?.done("ECONNREFUSED");
    expect(told).toEqual(["otlp.failing"]);
    // Asked once a second, not with each message that comes.
    trace(1);
    expect(batches.length).toBe(1);
    companion.hear?.(second(), [], false);
    batches[1]?.done("ECONNREFUSED");
    expect(told).toEqual(["otlp.failing"]);
    companion.hear?.(second(), [], false);
    for (let n = 2; n < batches.length; n += 1) batches[n]?.done(null);
    expect(told).toEqual(["otlp.failing", "otlp.recovered"]);
    const all = batches.reduce((sum, { spans }) => sum + spans.length, 0);
    expect(all).toBeLessThanOrEqual(100 + 16_384);
  });

  it("whatever happens: what was told and what spans say was left out add up to all there were", () => {
    const event = fc.oneof(
      fc.record({ do: fc.constant("trace" as const), count: fc.integer({ min: 1, max: 900 }), leftOut: fc.nat(50) }),
      fc.record({ do: fc.constant("second" as const) }),
      fc.record({ do: fc.constant("answer" as const), failure: fc.constantFrom(null, "ECONNREFUSED") }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const { batches, companion, second, trace, figures } = world();
        let all = 0;
        let answered = 0;
        const taken: Span[] = [];
        const answer = (failure: string | null): void => {
          const batch = batches[answered];
          if (batch === undefined) return;
          answered += 1;
          if (failure === null) taken.push(...batch.spans);
          batch.done(failure);
        };
        for (const one of events) {
          if (one.do === "trace") {
            trace(one.count, one.leftOut);
            all += one.count + one.leftOut;
          } else if (one.do === "second") companion.hear?.(second(), [], false);
          else answer(one.failure);
        }
        // Another one goes well, in the end: so the last ones are told of too.
        const finish = (): void => {
          do {
            companion.hear?.(second(), [], false);
            answer(null);
          } while (answered < batches.length);
        };
        finish();
        trace(1);
        all += 1;
        finish();
        const said = taken.reduce(
          (sum, { attributes }) => sum + Number(attributes["goodgate.traces.left_out"] ?? 0),
          0,
        );
        expect(taken.length + said).toBe(all);
        const counted = figures().filter(({ metric }) => metric === "traces left out");
        expect(counted.reduce((sum, { value }) => sum + value, 0)).toBe(said);
      }),
      { numRuns: 60 },
    );
  });

  it("is, at the end, what still waits, batch by batch; then it is closed", async () => {
    const { companion, trace, batches, told, isClosed, time } = world();
    trace(1);
    trace(600);
    expect(batches.map(({ spans }) => spans.length)).toEqual([1]);
    const closed = companion.close?.();
    for (let at = 0; at < batches.length; at += 1) batches[at]?.done(null);
    await closed;
    expect(batches.map(({ spans }) => spans.length)).toEqual([1, 512, 88]);
    expect([isClosed(), told, time.waiting()]).toEqual([true, [], 0]);
  });

  it("is not waited for at the end for long, and what is lost with it is said", async () => {
    const { companion, trace, batches, told, time } = world();
    trace(3);
    trace(600);
    const closed = companion.close?.();
    time.advance(700);
    await closed;
    expect(batches.length).toBe(1);
    expect(told).toEqual(["otlp.lost: 603 exchanges found no way to the collector before the end"]);
  });

  it("says of a collector that refuses at the end how much is lost", async () => {
    const { companion, trace, batches, told, isClosed } = world();
    trace(3);
    trace(600);
    const closed = companion.close?.();
    batches[0]?.done("ECONNREFUSED");
    await closed;
    expect(isClosed()).toBe(true);
    expect(told).toEqual(["otlp.failing", "otlp.lost: 600 exchanges found no way to the collector before the end"]);
  });

  it("are figures that add up over the seconds, and the incidents that are open", () => {
    const { companion, figures, second, goOn } = world();
    const traffic = [
      {
        service: "shop",
        route: "default",
        class: "normal",
        byOutcome: { served: 5, rescued: 0, failed: 1, refused: 0, aborted: 0 },
        byCause: { "origin.refused": 1 },
        duration: [],
        durationSumUs: 0,
        retries: 0,
        retriesRefusedByBudget: 0,
      },
    ] as const;
    companion.hear?.(second({ traffic }), [], false);
    companion.hear?.(second({ traffic }), [], false);
    // One is part of another, and is not counted by itself, as on /metrics.
    goOn(sampleIncident(), sampleIncident({ id: "inc-2", severity: "warning", parent: sampleIncident().id }));
    const told = figures();
    expect(told).toContainEqual({ metric: "incidents", value: 0, attributes: { severity: "warning" } });
    expect(told).toContainEqual({
      metric: "exchanges",
      value: 10,
      attributes: { service: "shop", route: "default", outcome: "served" },
    });
    expect(told).toContainEqual({
      metric: "causes",
      value: 2,
      attributes: { service: "shop", route: "default", cause: "origin.refused" },
    });
    expect(told).toContainEqual({ metric: "incidents", value: 1, attributes: { severity: "critical" } });
    goOn();
    expect(figures()).toContainEqual({ metric: "incidents", value: 0, attributes: { severity: "critical" } });
  });
});
