/**
 * Traffic and latency over time. From the control plane's series, which outlive this page and the gateway; while it has
 * none, what this page has seen since it was opened.
 */
import type { JSX } from "preact";
import type { SeriesAnswer } from "../../src/contract/series.ts";
import { useAsked } from "../parts/asked.tsx";
import { Chart } from "../parts/chart.tsx";
import { diagnosis, history, now, status } from "../state/facts.ts";
import { sampleOf, withGaps } from "../state/history.ts";
import type { Sample } from "../state/history.ts";
import { place, queryOf, replaceQuery } from "../state/router.ts";
import { msText, rateText } from "../words/figures.ts";

const RANGES = {
  "15m": { name: "15 minutes", ms: 900_000, resolution: 10 },
  "6h": { name: "6 hours", ms: 21_600_000, resolution: 60 },
  "7d": { name: "7 days", ms: 604_800_000, resolution: 3600 },
} as const;
type Range = keyof typeof RANGES;
const REFRESH_MS = 10_000;

type Moment = ReturnType<typeof withGaps>[number];

export function Charts(): JSX.Element {
  const query = new URLSearchParams(place.value.query);
  const range = rangeOf(query.get("range"));
  const service = query.get("service") ?? "";
  const set = (changes: Readonly<Record<string, string>>): void =>
    replaceQuery(queryOf({ ...Object.fromEntries(query), ...changes }));
  const isAsked = diagnosis.value.kind === "running" || diagnosis.value.kind === "stale";
  const to = Math.floor(now.value / REFRESH_MS) * REFRESH_MS;
  const { ms, resolution } = RANGES[range];
  const step = resolution * 1000;
  const end = Math.floor(to / step) * step;
  const question = queryOf({
    service,
    by: "all",
    from: String(end - ms),
    to: String(end),
    resolution: String(resolution),
  });
  const answer = useAsked<SeriesAnswer>(isAsked ? `/series${question}` : "").value;
  const [first] = answer?.ok === true ? answer.value.series : [];
  const isOwn = first === undefined;
  const moments: readonly Moment[] = isOwn
    ? service === ""
      ? withGaps(history.value)
      : []
    : first.points.map((point) => sampleOf(point, resolution));

  return (
    <section aria-labelledby="over-time">
      <div class="section-head">
        <h2 id="over-time">Over time</h2>
        <label>
          Service{" "}
          <select value={service} onChange={(event) => set({ service: event.currentTarget.value })}>
            <option value="">all</option>
            {status.value?.services.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Span{" "}
          <select value={range} onChange={(event) => set({ range: event.currentTarget.value })} disabled={isOwn}>
            {Object.entries(RANGES).map(([key, { name }]) => (
              <option key={key} value={key}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <span class="soft small">
          {isOwn
            ? "As this page has seen it since it was opened; a longer memory needs the control plane."
            : `One point for ${resolution === 10 ? "10 s" : resolution === 60 ? "1 min" : "1 h"}; a gap means that nothing is known.`}
        </span>
      </div>
      <div class="charts">
        <Chart
          title="Exchanges per second"
          times={moments.map(({ at }) => at)}
          text={rateText}
          lines={[
            { name: "all", color: "--line1", isArea: true, values: values(moments, (one) => one.perSecond) },
            { name: "rescued", color: "--line2", values: values(moments, (one) => one.rescuedPerSecond) },
            { name: "failed", color: "--line3", values: values(moments, (one) => one.failedPerSecond) },
          ]}
        />
        <Chart
          title="Duration of exchanges"
          times={moments.map(({ at }) => at)}
          text={msText}
          lines={[
            { name: "p50", color: "--line4", values: values(moments, (one) => one.p50Ms) },
            { name: "p95", color: "--line1", values: values(moments, (one) => one.p95Ms) },
            { name: "p99", color: "--line5", values: values(moments, (one) => one.p99Ms) },
          ]}
        />
      </div>
    </section>
  );
}

function rangeOf(text: string | null): Range {
  return text === "6h" || text === "7d" ? text : "15m";
}

function values(moments: readonly Moment[], pick: (sample: Sample) => number | null): (number | null)[] {
  return moments.map((one) => ("isGap" in one ? null : pick(one)));
}
