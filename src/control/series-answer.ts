/** Answers questions for figures over time from the roll-ups. */
import type { SeriesAnswer, SeriesQuestion } from "../contract/series.ts";
import type { Rollup } from "./rollup.ts";

const SERIES_MAX = 20;

/** Dimensions of the gateway and not of a service: counted once for all. */
const OF_ALL: ReadonlySet<SeriesQuestion["by"]> = new Set(["node", "worker", "revision", "network"]);

export function answerSeries(
  rollup: Rollup,
  { service, by, value, from, to, resolution }: SeriesQuestion,
): SeriesAnswer {
  if (!(to > from)) return { resolution, series: [] };
  const of = OF_ALL.has(by) ? "" : service;
  const values =
    by === "all" ? [""] : value !== "" ? [value] : rollup.values(of, by, resolution, from, to).slice(0, SERIES_MAX);
  return {
    resolution,
    series: values.map((one) => ({ value: one, points: rollup.points(of, by, one, resolution, from, to) })),
  };
}
