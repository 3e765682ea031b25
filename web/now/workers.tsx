/** The processes that serve, where there are several, and the one that draws conclusions: who lives, and how it is. */
import type { JSX } from "preact";
import { countText, durationText, sizeText } from "../../src/contract/quantities.ts";
import type { WorkerView } from "../../src/contract/view.ts";
import { ageText, Lasting } from "../parts/moment.tsx";
import { Table } from "../parts/table.tsx";
import { Tag } from "../parts/tag.tsx";
import { control, now, status, workerRates } from "../state/facts.ts";
import { grouped, rateText, ratioText } from "../words/figures.ts";
import { CONTROL_SIGNS, WORKER_SIGNS } from "../words/signs.ts";

const COLUMNS = [
  { name: "Process" },
  { name: "State" },
  { name: "Exchanges", isNumber: true },
  { name: "Connections", isNumber: true },
  { name: "Event loop", isNumber: true },
  { name: "Memory", isNumber: true },
  { name: "Started again", isNumber: true },
];

export function Processes(): JSX.Element | null {
  const workers = status.value?.workers ?? [];
  const conclusions = control.value;
  if (workers.length === 0 && conclusions === null) return null;
  const rows = workers.map((one) => ({ key: String(one.worker), cells: cellsOf(one) }));
  return (
    <section aria-labelledby="processes">
      <h2 id="processes">Processes</h2>
      {workers.length === 0 ? null : <Table caption={`Workers. ${crashText(workers)}`} columns={COLUMNS} rows={rows} />}
      {conclusions === null ? null : (
        <p class="beside">
          <Tag sign={CONTROL_SIGNS[conclusions.state]} word={`control process ${conclusions.state}`} />{" "}
          {conclusions.because}
          {conclusions.heardAt === null || conclusions.state === "running"
            ? ""
            : `; last heard ${ageText(Math.max(0, now.value - conclusions.heardAt))} ago`}
          {conclusions.residentBytes > 0 ? `; ${sizeText(conclusions.residentBytes)} of memory` : ""}
          {conclusions.restarts === 0 ? "" : `; started again ${countText(conclusions.restarts, "time")}`}
          {conclusions.factsLost === 0 ? "" : `; ${countText(conclusions.factsLost, "fact")} lost`}. Requests do not
          wait for it.
        </p>
      )}
    </section>
  );
}

function cellsOf(one: WorkerView): JSX.Element[] {
  const isThere = one.pid !== 0;
  const rate = workerRates.value.get(one.worker);
  return [
    <>
      Worker {one.worker}
      <div class="soft small">{isThere ? `process ${one.pid}` : "no process now"}</div>
    </>,
    <>
      <Tag sign={WORKER_SIGNS[one.state]} word={one.state} /> <Lasting since={one.since} />
      {one.state === "serving" ? null : <div class="soft small">{one.because}</div>}
    </>,
    <>{rate === undefined ? "–" : rateText(rate)}</>,
    <>{grouped(one.connections)}</>,
    <>
      {isThere ? `busy ${ratioText(one.loopUtilisation)}, ${durationText(one.loopDelayP99Ms * 1000)} late at p99` : "–"}
    </>,
    <>{isThere ? sizeText(one.residentBytes) : "–"}</>,
    <>{countText(one.restarts, "time")}</>,
  ];
}

function crashText(workers: readonly WorkerView[]): string {
  const crashing = workers.filter(({ state }) => state === "crashing").length;
  if (crashing > 0) return `${crashing} of ${workers.length} end again and again as soon as they start.`;
  const serving = workers.filter(({ state }) => state === "serving").length;
  return `${serving} of ${workers.length} serve.`;
}
