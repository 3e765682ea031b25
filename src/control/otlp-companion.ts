/**
 * What a collector is told, beside the control loop: exchanges as spans (all that failed or were rescued and the
 * slowest, as far as a second's bound allows), and figures as metrics. Here, and not in the gateway's process: a
 * collector that is slow or away must not be felt by a request.
 *
 * Bounded, and nothing is left out in silence: the next exchange that is told carries how many were not, so that its sum
 * over the spans is their number, and a counter has it by reason. That a collector takes nothing is told once.
 */
import type { Otlp, OtlpFigures } from "../contract/otlp.ts";
import { spansOf } from "../contract/spans.ts";
import type { Span } from "../contract/spans.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import type { SecondFact } from "../contract/facts.ts";
import type { Schedule } from "../kernel/clock.ts";
import type { Companion, LoopHands } from "./control-loop.ts";
import { countText } from "../contract/quantities.ts";
import { bySeverity, countsAsOpen } from "./open-incidents.ts";

/** A few seconds of an outage at a thousand exchanges a second with an attempt or two each. */
const SPANS_MAX = 16_384;
const BATCH_MAX = 512;
/** Counters that are kept; more than any sane configuration has. */
const KEYS_MAX = 10_000;
const INCIDENTS_MAX = 1_000;
const LEFT_OUT = "goodgate.traces.left_out";
/** Others have last things to write down, and whoever ends this process waits for two seconds. */
const LAST_WORDS_MS = 700;

export interface OtlpCompanionParts {
  readonly open: (figures: () => OtlpFigures) => Otlp;
  readonly schedule: Schedule;
  readonly withQuery: boolean;
}

export function createOtlp(parts: OtlpCompanionParts, hands: Pick<LoopHands, "tell" | "ask">): Companion {
  const counters = new Map<string, OtlpFigures[number] & { value: number }>();
  const leftOut = { bound: 0, process: 0, queue: 0, collector: 0 };
  let waiting: Span[] = [];
  let isSending = false;
  /** Exchanges in the batch that is being sent. */
  let underWay = 0;
  /** Exchanges that were left out, and no span has said so yet. */
  let untold = 0;
  /** Spans that a collector did not take since it was told that it takes none. */
  let dropped = 0;
  let wasTold = false;
  /** Nothing is under way any more: all was sent, or what was sent was not taken. */
  let onIdle = (): void => undefined;

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
      ...Object.entries(leftOut).map(([reason, value]) => ({
        metric: "traces left out" as const,
        value,
        attributes: { reason },
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

  function leaveOut(reason: keyof typeof leftOut, exchanges: number): void {
    leftOut[reason] += exchanges;
    untold += exchanges;
  }

  function add(record: ExchangeRecord): void {
    const [exchange, ...attempts] = spansOf(record, { withQuery: parts.withQuery });
    if (exchange === undefined) return;
    if (waiting.length + 1 + attempts.length > SPANS_MAX) {
      leaveOut("queue", 1);
      return;
    }
    waiting.push(
      untold === 0 ? exchange : { ...exchange, attributes: { ...exchange.attributes, [LEFT_OUT]: untold } },
      ...attempts,
    );
    untold = 0;
  }

  /** What it said is not said: the next one says it. */
  function takeBack({ kind, attributes }: Span): void {
    if (kind !== "server") return;
    leaveOut("collector", 1);
    untold += Number(attributes[LEFT_OUT] ?? 0);
  }

  function send(): void {
    if (isSending || waiting.length === 0) return;
    isSending = true;
    const batch = waiting.slice(0, BATCH_MAX);
    waiting = waiting.slice(BATCH_MAX);
    underWay = exchangesIn(batch);
    otlp.send(batch, (failure) => {
      isSending = false;
      underWay = 0;
      if (failure === null && wasTold) {
        hands.tell("otlp.recovered", `the collector takes spans again; ${dropped} were lost`);
        dropped = 0;
      } else if (failure !== null) {
        dropped += batch.length;
        for (const span of batch) takeBack(span);
        if (!wasTold)
          hands.tell("otlp.failing", `the collector does not take spans: ${failure}; requests are served all the same`);
      }
      wasTold = failure !== null;
      // One batch after the other while it takes them; otherwise with the next second.
      if (failure === null) send();
      if (!isSending) onIdle();
    });
  }

  /** What waits is sent now, as far as there is time for it; the rest is said to be lost. */
  async function lastWords(): Promise<void> {
    let cancel = (): void => undefined;
    const late = new Promise<void>((resolve) => {
      cancel = parts.schedule(LAST_WORDS_MS, resolve);
    });
    const idle = new Promise<void>((resolve) => {
      onIdle = resolve;
      send();
      if (!isSending) resolve();
    });
    await Promise.race([idle.then(() => otlp.close()), late]);
    cancel();
    const lost = underWay + exchangesIn(waiting);
    if (lost > 0)
      hands.tell("otlp.lost", `${countText(lost, "exchange")} found no way to the collector before the end`);
  }

  return {
    hear(fact, _, isReplay) {
      if (fact.kind !== "second" || isReplay) return;
      addFigures(fact);
      send();
    },
    trace(records, { bound, process }) {
      leaveOut("bound", bound);
      leaveOut("process", process);
      for (const record of records) add(record);
      // One that takes nothing is asked once a second, or it would be given all that waits to drop.
      if (!wasTold) send();
    },
    close: lastWords,
  };
}

function exchangesIn(spans: readonly Span[]): number {
  return spans.reduce((sum, { kind }) => sum + Number(kind === "server"), 0);
}
