/**
 * A chart over time with the table behind it. The picture is drawn by uPlot, which is fetched when the first chart is
 * shown; who does not see it has a sentence in its place and all figures in the table.
 */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { now } from "../state/facts.ts";
import { theme, zone } from "../state/settings.ts";
import { clockText, zoneText } from "../words/moments.ts";
import { Table } from "./table.tsx";

export interface Line {
  readonly name: string;
  /** A custom property of the style sheet. */
  readonly color: string;
  readonly values: readonly (number | null)[];
  readonly isArea?: boolean;
}

const HEIGHT = 170;
const TABLE_ROWS_MAX = 30;

export function Chart(props: {
  title: string;
  /** Epoch ms. */
  times: readonly number[];
  lines: readonly Line[];
  text: (value: number) => string;
}): JSX.Element {
  const { times, lines, text, title } = props;
  const frame = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data: uPlot.AlignedData = [times.map((at) => at / 1000), ...lines.map((line) => [...line.values])];
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    let isGone = false;
    const watch = new ResizeObserver(() => plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }));
    const draw = async (): Promise<void> => {
      const { default: Plot } = await import("./plot.ts");
      if (isGone) return;
      plot.current?.destroy();
      plot.current = new Plot(optionsOf(element, lines, text), latest.current, element);
    };
    void draw();
    watch.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const redraw = (): void => void draw();
    dark.addEventListener("change", redraw);
    return () => {
      isGone = true;
      watch.disconnect();
      dark.removeEventListener("change", redraw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [theme.value, zone.value, lines.map((line) => line.name).join()]);

  useEffect(() => plot.current?.setData(data), [times, lines]);

  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span>
        <span class="legend" aria-hidden="true">
          {lines.map((line) => (
            <span key={line.name}>
              <i class="key" style={{ "--part": `var(${line.color})` }} />
              {line.name} <b>{lastText(line, text)}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={frame} class="plot" role="img" aria-label={summaryOf(title, lines, text)} />
      <ChartTable {...props} />
    </figure>
  );
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

function lastText(line: Line, text: (value: number) => string): string {
  return valueText(line.values.at(-1), text);
}

function summaryOf(title: string, lines: readonly Line[], text: (value: number) => string): string {
  const parts = lines.map((line) => {
    const known = line.values.filter((value) => value !== null);
    if (known.length === 0) return `${line.name}: no data`;
    return `${line.name} now ${lastText(line, text)}, between ${text(Math.min(...known))} and ${text(Math.max(...known))}`;
  });
  return `${title}: ${parts.join("; ")}`;
}

function optionsOf(element: HTMLElement, lines: readonly Line[], text: (value: number) => string): uPlot.Options {
  const color = (name: string): string => resolved(element, `var(${name})`);
  const axis: uPlot.Axis = {
    stroke: color("--soft"),
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui, sans-serif",
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    padding: [10, 8, 0, 0],
    tzDate: (seconds) => (zone.value === "UTC" ? shiftedToUtc(seconds) : new Date(seconds * 1000)),
    axes: [
      {
        ...axis,
        size: 26,
        values: (_plot, seconds) => seconds.map((one) => clockText(one * 1000, one * 1000, zone.value).slice(0, 5)),
        space: 70,
      },
      { ...axis, size: 62, values: (_plot, values) => values.map((value) => text(value)), space: 34 },
    ],
    scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
    series: [
      {},
      ...lines.map((line): uPlot.Series => ({
        label: line.name,
        stroke: color(line.color),
        width: 2,
        ...(line.isArea === true
          ? { fill: resolved(element, `color-mix(in srgb, var(${line.color}) 14%, transparent)`) }
          : {}),
        points: { show: false },
      })),
    ],
  };
}

/** The canvas knows nothing of custom properties: what they come to is read from an element. */
function resolved(element: HTMLElement, color: string): string {
  const probe = document.createElement("span");
  probe.style.color = color;
  element.append(probe);
  const { color: result } = getComputedStyle(probe);
  probe.remove();
  return result;
}

function shiftedToUtc(seconds: number): Date {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() + date.getTimezoneOffset() * 60_000);
}
