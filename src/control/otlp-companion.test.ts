import { describe, expect, it } from "vitest";
import { sampleSecond } from "../../test/support/sample-facts.ts";
import { sampleIncident } from "../../test/support/sample-incident.ts";
import { sampleRecord } from "../../test/support/sample-record.ts";
import type { Question } from "../contract/control-port.ts";
import type { SecondFact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import type { OtlpFigures } from "../contract/otlp.ts";
import type { Span } from "../contract/spans.ts";
import { createOtlp } from "./otlp-companion.ts";

const TRACED = { ...sampleRecord(), traceId: "4bf92f3577b34da6a3ce929d0e0e4736", attempts: [] };

function world() {
  const batches: { spans: readonly Span[]; done: (failure: string | null) => void }[] = [];
  const told: string[] = [];
  let incidents: readonly Incident[] = [];
  let figures = (): OtlpFigures => [];
  const companion = createOtlp(
    {
      withQuery: false,
      open: (asked) => {
        figures = asked;
        return {
          send: (spans, done) => void batches.push({ spans, done }),
          close: () => Promise.resolve(),
        };
      },
    },
    {
      tell: (code) => void told.push(code),
      ask: ((question: Question) => (question.ask === "incidents" ? incidents : [])) as never,
    },
  );
  const second = (count: number, rest: Partial<SecondFact> = {}): SecondFact =>
    sampleSecond(1000, { samples: Array.from({ length: count }, () => TRACED), ...rest });
  const goOn = (...those: readonly Incident[]): void => void (incidents = those);
  return { batches, told, figures: () => figures(), companion, second, goOn };
}

describe("what a collector is told", () => {
  it("are the samples of each second, one batch after the other", () => {
    const { companion, batches, second } = world();
    companion.hear?.(second(2), [], false);
    expect(batches.map(({ spans }) => spans.length)).toEqual([2]);
    companion.hear?.(second(3), [], false);
    expect(batches.length).toBe(1);
    batches[0]?.done(null);
    expect(batches.map(({ spans }) => spans.length)).toEqual([2, 3]);
  });

  it("is not told again after a restart", () => {
    const { companion, batches, second } = world();
    companion.hear?.(second(2), [], true);
    expect(batches).toEqual([]);
  });

  it("is bounded while it does not take anything, and that is told once, and that it does again", () => {
    const { companion, batches, told, second } = world();
    for (let n = 0; n < 500; n += 1) companion.hear?.(second(20), [], false);
    expect(batches.length).toBe(1);
    batches[0]?.done("ECONNREFUSED");
    expect(told).toEqual(["otlp.failing"]);
    companion.hear?.(second(0), [], false);
    batches[1]?.done("ECONNREFUSED");
    expect(told).toEqual(["otlp.failing"]);
    companion.hear?.(second(0), [], false);
    for (let n = 2; n < batches.length; n += 1) batches[n]?.done(null);
    expect(told).toEqual(["otlp.failing", "otlp.recovered"]);
    const all = batches.reduce((sum, { spans }) => sum + spans.length, 0);
    expect(all).toBeLessThanOrEqual(20 + 4096);
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
    companion.hear?.(second(0, { traffic }), [], false);
    companion.hear?.(second(0, { traffic }), [], false);
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
