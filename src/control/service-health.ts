/** A service at a glance. What is not known is said to be unknown: "no data" is no health. */
import type { TopologyFact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import type { ServiceHealth } from "../contract/series.ts";
import { budgetFrom, budgetLeft, burnRate } from "./burn-rate.ts";
import type { BudgetBook } from "./burn-rate.ts";
import { createHistogram } from "../kernel/histogram.ts";
import type { Histogram } from "../kernel/histogram.ts";
import type { SecondFact } from "../contract/facts.ts";
import { addSparse, quantileMs } from "./sparse-histogram.ts";
import { exchangesOf } from "./fact-sums.ts";
import type { AddressWatch } from "./address-watch.ts";

/** The last ten seconds of a service. */
export interface Glance {
  readonly seconds: GlanceSecond[];
}

interface GlanceSecond {
  readonly at: number;
  exchanges: number;
  failed: number;
  rescued: number;
  readonly durations: Histogram;
}

const GLANCE_S = 10;
/** So long without a word, and what is known is old. */
const STALE_MS = 15_000;

export class Glances {
  readonly #services = new Map<string, Glance>();
  #heardAt = 0;

  add(facts: readonly SecondFact[], at: number): void {
    this.#heardAt = Math.max(this.#heardAt, at);
    for (const fact of facts) {
      for (const row of fact.traffic) {
        if (row.service === "") continue;
        const second = this.#second(row.service, at);
        second.exchanges += exchangesOf(row);
        second.failed += row.byOutcome.failed;
        second.rescued += row.byOutcome.rescued;
        addSparse(second.durations, row.duration);
      }
    }
  }

  /** The clock was set back: the last seconds are told by another time than the next. */
  goBack(): void {
    this.#services.clear();
    this.#heardAt = 0;
  }

  health(
    service: TopologyFact["services"][number],
    book: BudgetBook | undefined,
    incidents: readonly Incident[],
    isSilent: boolean,
    down: readonly Pick<AddressWatch, "row" | "outSince">[],
    now: number,
  ): ServiceHealth {
    const durations = createHistogram();
    const sum = { exchanges: 0, failed: 0, rescued: 0 };
    for (const second of this.#services.get(service.name)?.seconds ?? []) {
      if (second.at <= this.#heardAt - GLANCE_S * 1000) continue;
      sum.exchanges += second.exchanges;
      sum.failed += second.failed;
      sum.rescued += second.rescued;
      second.durations.counts.forEach((count, bucket) => {
        if (count > 0) addSparse(durations, [[bucket, count]]);
      });
    }
    const isKnown = this.#heardAt > 0 && now - this.#heardAt <= STALE_MS;
    const ratio = (count: number): number => (sum.exchanges === 0 ? 0 : count / sum.exchanges);
    const { state, because } = stateOf(isKnown, isSilent, sum, incidents, down, now - this.#heardAt);
    const { objective } = service;
    return {
      service: service.name,
      state,
      because,
      perSecond: Math.round((sum.exchanges / GLANCE_S) * 10) / 10,
      failedRatio: ratio(sum.failed),
      rescuedRatio: ratio(sum.rescued),
      p50Ms: quantileMs(durations, 0.5),
      p95Ms: quantileMs(durations, 0.95),
      p99Ms: quantileMs(durations, 0.99),
      objective:
        objective === null || book === undefined
          ? null
          : {
              availability: objective.availability,
              latencyMs: objective.latencyMs,
              budgetLeft: budgetLeft(book, now, 1 - objective.availability),
              burn5m: burnRate(book, now, 5, 1 - objective.availability),
              burn1h: burnRate(book, now, 60, 1 - objective.availability),
              from: budgetFrom(book, now),
            },
      incidents: incidents.map(({ id, severity, title, party }) => ({ id, severity, title, party })),
    };
  }

  #second(service: string, at: number): GlanceSecond {
    let glance = this.#services.get(service);
    if (glance === undefined) {
      glance = { seconds: [] };
      this.#services.set(service, glance);
    }
    const { seconds } = glance;
    const last = seconds[seconds.length - 1];
    if (last !== undefined && last.at === at) return last;
    const second: GlanceSecond = { at, exchanges: 0, failed: 0, rescued: 0, durations: createHistogram() };
    seconds.push(second);
    if (seconds.length > GLANCE_S) seconds.shift();
    return second;
  }
}

const FAILING_RATIO = 0.05;

function stateOf(
  isKnown: boolean,
  isSilent: boolean,
  { exchanges, failed }: { exchanges: number; failed: number },
  incidents: readonly Incident[],
  down: readonly Pick<AddressWatch, "row" | "outSince">[],
  ageMs: number,
): Pick<ServiceHealth, "state" | "because"> {
  if (!isKnown)
    return { state: "no data", because: `Nothing was heard of the gateway for ${Math.round(ageMs / 1000)} s.` };
  const worst = incidents.find(({ severity }) => severity === "critical") ?? incidents[0];
  if (exchanges > 0 && failed / exchanges >= FAILING_RATIO && failed >= 2)
    return {
      state: "failing",
      because: worst?.title ?? `${failed} of ${exchanges} exchanges failed in the last 10 s.`,
    };
  if (isSilent) return { state: "silent", because: "Requests that always come do not come." };
  if (worst !== undefined) return { state: "disturbed", because: worst.title };
  const asked =
    exchanges === 0
      ? "Nothing was asked in the last 10 s."
      : `${exchanges - failed} of ${exchanges} exchanges went well in the last 10 s.`;
  return { state: "well", because: `${asked}${downText(down)}` };
}

/** Nobody is harmed by it, and with the next one somebody may be. */
function downText(down: readonly Pick<AddressWatch, "row" | "outSince">[]): string {
  const [first, ...more] = down.toSorted((a, b) => a.outSince - b.outSince);
  if (first === undefined) return "";
  const since = `${new Date(first.outSince).toISOString().slice(11, 19)} UTC`;
  const others = more.length === 0 ? "" : `, and ${more.length} more`;
  return ` ${first.row.address} is out of use by its check since ${since}${others}.`;
}
