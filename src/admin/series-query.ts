/** The query of `GET /series` as a question. Without any it is the last ten minutes of everything, in steps of ten seconds. */
import type { Resolution, SeriesQuestion } from "../contract/series.ts";
import { parseQuery, quoted, unknownName } from "./exchange-query.ts";
import type { Parsed } from "./exchange-query.ts";
import type { Parameter } from "./operations.ts";
import { parseSince, SINCE_FORMS } from "./since.ts";

const DIMENSIONS = [
  "all",
  "route",
  "class",
  "pool",
  "origin",
  "provider",
  "cause",
  "node",
  "revision",
  "worker",
  "family",
  "network",
] as const satisfies readonly SeriesQuestion["by"][];
const RESOLUTIONS = [1, 10, 60, 3600] as const satisfies readonly Resolution[];
const STRETCH_MS = 600_000;
/** A chart has some hundred pixels; more points are for whoever exports, in several questions. */
const POINTS_MAX = 2000;
const TEXT = { type: "string" } as const;

export const SERIES_PARAMETERS: readonly Parameter[] = [
  { name: "service", description: "Only this service; all together when left out.", schema: TEXT },
  {
    name: "by",
    description: "A series for each value of this; all: one series.",
    schema: { type: "string", enum: DIMENSIONS, default: "all" },
  },
  { name: "value", description: "Only this value of it; the busiest 20 when left out.", schema: TEXT },
  { name: "from", description: `The beginning: ${SINCE_FORMS}. Default: ten minutes ago.`, schema: TEXT },
  { name: "to", description: "The end, in the same forms. Default: now.", schema: TEXT },
  {
    name: "resolution",
    description: `Seconds that a point covers. At most ${POINTS_MAX} points are given; by default the finest that needs no more than 300.`,
    schema: { type: "integer", enum: RESOLUTIONS },
  },
];

export function parseSeriesQuestion(query: string, now: number): Parsed<SeriesQuestion> {
  const parsed = parseQuery(query, ["service", "by", "value", "from", "to", "resolution"]);
  if (!parsed.ok) return parsed;
  const { service = "", value = "", by: byText = "all" } = parsed.value;
  const by = DIMENSIONS.find((known) => known === byText);
  if (by === undefined) return unknownName("by", byText, DIMENSIONS);
  const to = moment(parsed.value.to, now, now);
  if (typeof to === "string") return bad("to", to);
  const from = moment(parsed.value.from, now, to - STRETCH_MS);
  if (typeof from === "string") return bad("from", from);
  if (from >= to) return bad("from", "from has to be before to.");
  const wanted = parsed.value.resolution;
  const resolution =
    wanted === undefined
      ? (RESOLUTIONS.find((seconds) => (to - from) / (seconds * 1000) <= 300) ?? 3600)
      : RESOLUTIONS.find((seconds) => String(seconds) === wanted);
  if (resolution === undefined) {
    return bad("resolution", `${quoted(wanted ?? "")} is none of ${RESOLUTIONS.join(", ")} (seconds).`);
  }
  const points = (to - from) / (resolution * 1000);
  if (points > POINTS_MAX) {
    return bad(
      "resolution",
      `That would be ${Math.ceil(points)} points of ${resolution} s; at most ${POINTS_MAX} are given.`,
    );
  }
  return { ok: true, value: { service, by, value, from, to, resolution } };
}

/** A text: what is wrong with it. */
function moment(text: string | undefined, now: number, otherwise: number): number | string {
  if (text === undefined) return otherwise;
  const parsed = parseSince(text, now);
  return parsed.ok ? parsed.at : parsed.detail;
}

function bad(parameter: string, detail: string): Parsed<never> {
  return { ok: false, refusal: { status: 400, code: "bad-parameter", parameter, detail } };
}
