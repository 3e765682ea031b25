/** The four figures that everybody asks for first, each with its unit, what it covers and the last minutes as a line. */
import type { JSX } from "preact";
import { durationText } from "../../src/contract/quantities.ts";
import { figures, history, status } from "../state/facts.ts";
import type { Sample } from "../state/history.ts";
import { grouped, msText, rateText, ratioText } from "../words/figures.ts";
import type { Tone } from "../words/signs.ts";

const SPARK_SAMPLES = 90;

export function Tiles(): JSX.Element {
  const known = figures.value;
  const sum = (pick: (one: { exchanges: number; failed: number; rescued: number }) => number): number =>
    (known?.services ?? []).reduce((total, one) => total + pick(one), 0);
  const exchanges = sum((one) => one.exchanges);
  const failed = sum((one) => one.failed);
  const rescued = sum((one) => one.rescued);
  const latest = history.value.at(-1);
  const slowest = (known?.services ?? []).toSorted((one, other) => (other.p95Ms ?? 0) - (one.p95Ms ?? 0))[0];
  const window =
    known === null
      ? ""
      : known.isSinceStart
        ? "since the start"
        : `in the last ${durationText(Math.round(known.seconds) * 1e6)}`;
  const perSecond = known === null ? null : sum((one) => one.exchanges) / Math.max(known.seconds, 0.001);
  return (
    <section aria-labelledby="figures">
      <h2 id="figures" class="unseen">
        Figures
      </h2>
      <ul class="tiles">
        <Tile
          name="Traffic"
          value={perSecond === null ? "–" : rateText(perSecond)}
          note={status.value === null ? "" : `exchanges; ${grouped(status.value.exchangesActive)} going on now`}
          tone="info"
          pick={(sample) => sample.perSecond}
        />
        <Tile
          name="Failed"
          value={exchanges === 0 ? "–" : ratioText(failed / exchanges)}
          note={known === null ? "" : `${grouped(failed)} of ${grouped(exchanges)} ${window}`}
          tone={failed > 0 ? "bad" : "good"}
          pick={(sample) => sample.failedPerSecond}
        />
        <Tile
          name="Rescued"
          value={exchanges === 0 ? "–" : ratioText(rescued / exchanges)}
          note={known === null ? "" : `${grouped(rescued)} ${window}; clients noticed nothing`}
          tone={rescued > 0 ? "warn" : "good"}
          pick={(sample) => sample.rescuedPerSecond}
        />
        <Tile
          name="Latency, p95"
          value={msText(slowest?.p95Ms ?? null)}
          note={
            slowest === undefined || slowest.p95Ms === null
              ? "nothing ended lately"
              : `slowest service: ${slowest.service === "" ? "no route" : slowest.service}; median ${msText(slowest.p50Ms)}`
          }
          tone="info"
          pick={(sample) => sample.p95Ms ?? 0}
        />
      </ul>
      {latest === undefined && known !== null ? (
        <p class="soft small">Figures of the last seconds come in a moment.</p>
      ) : null}
    </section>
  );
}

function Tile(props: {
  name: string;
  value: string;
  note: string;
  tone: Tone;
  pick: (sample: Sample) => number;
}): JSX.Element {
  return (
    <li class={`tile ${props.tone}`}>
      <h3>{props.name}</h3>
      <p class="value">{props.value}</p>
      <Spark values={history.value.slice(-SPARK_SAMPLES).map(props.pick)} />
      <p class="soft small">{props.note}</p>
    </li>
  );
}

/** The shape of the last minutes; the charts below have it with axes and a table. */
function Spark({ values }: { values: readonly number[] }): JSX.Element {
  const most = Math.max(...values, 0);
  const step = 100 / (SPARK_SAMPLES - 1);
  const start = 100 - (values.length - 1) * step;
  const points = values.map(
    (value, index) =>
      `${(start + index * step).toFixed(1)},${(27 - (most === 0 ? 0 : (24 * value) / most)).toFixed(1)}`,
  );
  return (
    <svg class="spark" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
      {values.length < 2 ? null : (
        <>
          <polygon points={`${start.toFixed(1)},30 ${points.join(" ")} 100,30`} />
          <polyline points={points.join(" ")} />
        </>
      )}
    </svg>
  );
}
