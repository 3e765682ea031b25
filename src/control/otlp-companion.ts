/**
 * What a collector is told, beside the control loop: the exchanges that came as samples (all that failed or were
 * rescued and the slowest, as far as a second's bound allows) as spans, and figures as metrics. Here, and not in the
 * gateway's process: a collector that is slow or away must not be felt by a request.
 *
 * Bounded: what does not fit is dropped and told once, and so is a collector that does not take it.
 */
import type { Otlp, OtlpFigures } from "../contract/otlp.ts";
import { spansOf } from "../contract/spans.ts";
import type { Span } from "../contract/spans.ts";
import type { SecondFact } from "../contract/facts.ts";
import type { Companion, LoopHands } from "./control-loop.ts";
import { bySeverity, countsAsOpen } from "./open-incidents.ts";

const SPANS_MAX = 4096;
const BATCH_MAX = 512;
/** Counters that are kept; more than any sane configuration has. */
const KEYS_MAX = 10_000;
const INCIDENTS_MAX = 1_000;

export interface OtlpCompanionParts {
  readonly open: (figures: () => OtlpFigures) => Otlp;
  readonly withQuery: boolean;
}

export function createOtlp(parts: OtlpCompanionParts, hands: Pick<LoopHands, "tell" | "ask">): Companion {
  const counters = new Map<string, OtlpFigures[number] & { value: number }>();
  let waiting: Span[] = [];
  let isSending = false;
  let dropped = 0;
  let wasTold = false;

  const otlp = parts.open(() => [...counters.values(), ...gauges()]);

  function gauges(): OtlpFigures {
    // Asked and not remembered: after a restart there are incidents of which nothing was heard yet.
    const open = hands.ask({ ask: "incidents", state: "open", limit: INCIDENTS_MAX }).filter(countsAsOpen);
    return [
      ...hands
        .ask({ ask: "health" })
        .flatMap(({ service, p50Ms, p95Ms, p99Ms }) =>
          Object.entries({ p50: p50Ms, p95: p95Ms, p99: p99Ms }).flatMap(([quantile, value]) =>
            value === null ? [] : [{ metric: "duration" as const, value, attributes: { service, quantile } }],
          ),
        ),
      ...Object.entries(bySeverity(open.map(({ severity }) => severity))).map(([severity, value]) => ({
        metric: "incidents" as const,
        value,
        attributes: { severity },
      })),
    ];
  }

  function count(
    metric: OtlpFigures[number]["metric"],
    attributes: Readonly<Record<string, string>>,
    by: number,
  ): void {
    if (by === 0) return;
    const key = `${metric}\n${Object.values(attributes).join("\n")}`;
    const counter = counters.get(key);
    if (counter !== undefined) counter.value += by;
    else if (counters.size < KEYS_MAX) counters.set(key, { metric, value: by, attributes });
  }

  function addFigures({ traffic, origins }: SecondFact): void {
    for (const { service, route, byOutcome, byCause } of traffic) {
      for (const [outcome, by] of Object.entries(byOutcome)) count("exchanges", { service, route, outcome }, by);
      for (const [cause, by] of Object.entries(byCause)) count("causes", { service, route, cause }, by);
    }
    for (const { service, pool, origin, address, attempts, byCause } of origins) {
      const where = { service, pool, origin, address };
      count("attempts", where, attempts);
      for (const [cause, by] of Object.entries(byCause)) count("failures", { ...where, cause }, by);
    }
  }

  function send(): void {
    if (isSending || waiting.length === 0) return;
    isSending = true;
    const batch = waiting.slice(0, BATCH_MAX);
    waiting = waiting.slice(BATCH_MAX);
    otlp.send(batch, (failure) => {
      isSending = false;
      if (failure === null && wasTold) {
        hands.tell("otlp.recovered", `the collector takes spans again; ${dropped} were lost`);
        dropped = 0;
      } else if (failure !== null) {
        dropped += batch.length;
        if (!wasTold)
          hands.tell("otlp.failing", `the collector does not take spans: ${failure}; requests are served all the same`);
      }
      wasTold = failure !== null;
      // One batch after the other while it takes them; otherwise with the next second.
      if (failure === null) send();
    });
  }

  return {
    hear(fact, _, isReplay) {
      if (fact.kind !== "second" || isReplay) return;
      addFigures(fact);
      for (const record of fact.samples) {
        const spans = spansOf(record, { withQuery: parts.withQuery });
        if (waiting.length + spans.length > SPANS_MAX) dropped += spans.length;
        else waiting.push(...spans);
      }
      send();
    },
    close: () => otlp.close(),
  };
}
