/**
 * A chart over time with the table behind it. Who does not see it has a sentence in its place and all figures in the
 * table. Drawn as SVG that is stretched to its frame, with its marks as text beside it: so it follows the width and the
 * colours of the page by itself, and needs no library, which would be more than a third of all that is loaded.
 */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { now } from "../state/facts.ts";
import { zone } from "../state/settings.ts";
import { clockText, zoneText } from "../words/moments.ts";
import { DAY, heightMarks, timeMarks } from "./axes.ts";
import { Table } from "./table.tsx";

export interface Line {
  readonly name: string;
  /** A custom property of the style sheet. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  readonly isArea?: boolean;
}

const WIDTH = 1000;
const HEIGHT = 100;
const TABLE_ROWS_MAX = 30;

export function Chart(props: {
  title: string;
  /** Epoch ms. */
  times: readonly number[];
  lines: readonly Line[];
  text: (value: number) => string;
}): JSX.Element {
  const { times, lines, text, title } = props;
  /** The moment under the pointer; null: the latest. */
  const shown = useRef(signal<number | null>(null)).current;
  const index = shown.value === null ? times.length - 1 : nearest(times, shown.value);
  const at = times[index];
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span>
        <span class="legend" aria-hidden="true">
          {shown.value === null || at === undefined ? null : <b>{clockText(at, now.value, zone.value)}</b>}
          {lines.map((line) => (
            <span key={line.name}>
              <i class="key" style={{ "--part": `var(${line.color})` }} />
              {line.name} <b>{valueText(line.values[index], text)}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <Picture {...props} label={summaryOf(title, lines, text)} pointed={shown} at={at ?? 0} />
      <ChartTable {...props} />
    </figure>
  );
}

function Picture(
  props: Parameters<typeof Chart>[0] & { label: string; at: number; pointed: { value: number | null } },
): JSX.Element {
  const { times, lines, text, pointed } = props;
  const from = times[0] ?? 0;
  const to = times.at(-1) ?? 0;
  const marks = heightMarks(Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const top = marks.at(-1) ?? 1;
  const aheadMs = zone.value === "UTC" ? 0 : -60_000 * new Date(to).getTimezoneOffset();
  const moments = timeMarks(from, to, aheadMs);
  const part = (time: number): number => (time - from) / Math.max(1, to - from);
  const x = (time: number): string => (WIDTH * part(time)).toFixed(1);
  const y = (value: number): string => (HEIGHT * (1 - value / top)).toFixed(2);
  const point = ({ currentTarget, clientX }: { currentTarget: Element; clientX: number }): void => {
    const { left, width } = currentTarget.getBoundingClientRect();
    pointed.value = from + ((clientX - left) / width) * (to - from);
  };
  return (
    <div class="plot" role="img" aria-label={props.label}>
      {marks.map((mark) => (
        <span class="height" style={{ top: `${100 - (100 * mark) / top}%` }} key={mark}>
          {mark === 0 ? "0" : text(mark)}
        </span>
      ))}
      <div onPointerMove={point} onPointerLeave={() => (pointed.value = null)}>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none">
          {marks.map((mark) => (
            <path class="grid" d={`M0 ${y(mark)}h${WIDTH}`} key={mark} />
          ))}
          {lines.map(({ name, color, values, isArea }) => {
            const pieces = piecesOf(times, values);
            const drawn = pieces.map((piece) => `M${piece.map(([time, value]) => `${x(time)} ${y(value)}`).join("L")}`);
            return (
              <g style={{ "--part": `var(${color})` }} key={name}>
                {isArea === true ? (
                  <path
                    class="area"
                    d={drawn
                      .map((path, index) => {
                        const piece = pieces[index] ?? [];
                        return `${path}V${HEIGHT}H${x(piece[0]?.[0] ?? from)}Z`;
                      })
                      .join("")}
                  />
                ) : null}
                {/* A piece of a single point is a dot. */}
                <path class="line" d={drawn.map((path) => `${path}h0`).join("")} />
              </g>
            );
          })}
          {pointed.value === null ? null : <path class="pointed" d={`M${x(props.at)} 0V${HEIGHT}`} />}
        </svg>
        {moments.at.map((time) => (
          <span class="moment" style={{ left: `${100 * part(time)}%` }} key={time}>
            {momentText(time, moments.step)}
          </span>
        ))}
      </div>
    </div>
  );
}

/** Without what is not known: a gap is no line. */
function piecesOf(times: readonly number[], values: readonly (number | null)[]): (readonly [number, number])[][] {
  const pieces: (readonly [number, number])[][] = [];
  let isOpen = false;
  for (const [index, value] of values.entries()) {
    const time = times[index];
    if (value === null || time === undefined) isOpen = false;
    else {
      if (!isOpen) pieces.push([]);
      pieces.at(-1)?.push([time, value]);
      isOpen = true;
    }
  }
  return pieces;
}

function nearest(times: readonly number[], wanted: number): number {
  let best = 0;
  for (const [index, time] of times.entries())
    if (Math.abs(time - wanted) < Math.abs((times[best] ?? 0) - wanted)) best = index;
  return best;
}

/** The day where the marks are days, the minute otherwise. */
function momentText(at: number, step: number): string {
  return step >= DAY
    ? (clockText(at, at + DAY, zone.value).split(",")[0] ?? "")
    : clockText(at, at, zone.value).slice(0, step < 60_000 ? 8 : 5);
}

function ChartTable({ title, times, lines, text }: Parameters<typeof Chart>[0]): JSX.Element {
  const step = Math.max(1, Math.ceil(times.length / TABLE_ROWS_MAX));
  const shown = times
    .map((at, index) => ({ at, index }))
    .filter(({ index }) => (times.length - 1 - index) % step === 0);
  return (
    <details class="twin">
      <summary>Figures of “{title}” as a table</summary>
      <Table
        kind="plain"
        caption={`${title}. Times in ${zoneText(zone.value, now.value)}.`}
        columns={[{ name: "Time" }, ...lines.map((line) => ({ name: line.name, isNumber: true }))]}
        rows={shown.toReversed().map(({ at, index }) => ({
          key: String(at),
          cells: [clockText(at, now.value, zone.value), ...lines.map((line) => valueText(line.values[index], text))],
        }))}
        empty="Nothing yet."
      />
    </details>
  );
}

function valueText(value: number | null | undefined, text: (value: number) => string): string {
  return value === null || value === undefined ? "no data" : text(value);
}

function summaryOf(title: string, lines: readonly Line[], text: (value: number) => string): string {
  const parts = lines.map((line) => {
    const known = line.values.filter((value) => value !== null);
    if (known.length === 0) return `${line.name}: no data`;
    return `${line.name} now ${valueText(line.values.at(-1), text)}, between ${text(Math.min(...known))} and ${text(Math.max(...known))}`;
  });
  return `${title}: ${parts.join("; ")}`;
}
