/** From measurements to the table that people read, on the terminal and in docs/performance.md. */
import type { Measurement } from "./measure.ts";
import type { PeerName } from "./peers.ts";
import { ROWS, type RowName } from "./rows.ts";
import { median } from "../src/kernel/median.ts";
import { summarise } from "./statistics.ts";

export interface Memory {
  readonly peer: PeerName;
  readonly restBytes: number;
  readonly afterLoadBytes: number;
}

export interface BenchResult {
  readonly date: string;
  readonly machine: string;
  readonly command: string;
  readonly accessLog: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly versions: Readonly<Partial<Record<PeerName, string>>>;
  readonly rows: readonly RowName[];
  readonly peers: readonly PeerName[];
  readonly measurements: readonly Measurement[];
  readonly memory: readonly Memory[];
}

const YARDSTICK: PeerName = "haproxy";
/** The most that issue 2 allows Goodgate per idle connection, and how much cheaper than node:http it has to be. */
const IDLE_MARK_KIB = 12;
const NODE_HTTP_MARK = 3;

/** Markdown; reads as plain text too. */
export function renderReport(result: BenchResult): string {
  return [
    `${result.date}, ${result.machine}. Access log ${result.accessLog ? "on, to a file, for every peer that writes one" : "off for every peer"}.`,
    `${result.rounds} interleaved rounds of ${result.seconds} s for each peer and row. Command: \`${result.command}\``,
    "",
    `Versions: ${result.peers.map((peer) => `${peer} ${result.versions[peer]}`).join(" · ")}`,
    "",
    "CPU µs per exchange: median over the rounds (lowest–highest), and the median of each round's ratio to HAProxy.",
    "",
    table(
      ["", ...result.peers, "mark"],
      result.rows.map((row) => cpuRow(result, row)),
    ),
    "",
    "Resident memory.",
    "",
    table(["", ...result.peers, "mark"], memoryRows(result)),
    "",
    ...comparedWithNodeHttp(result),
    ...flaws(result),
  ].join("\n");
}

/** The text of a page of the docs with everything between the markers of that name replaced by `report`. */
export function insertReport(page: string, report: string, name = "bench"): string {
  const marks = { begin: `<!-- ${name}:begin -->`, end: `<!-- ${name}:end -->` };
  const begin = page.indexOf(marks.begin);
  const end = page.indexOf(marks.end);
  if (begin < 0 || end < begin) throw new Error(`the page needs a line ${marks.begin} and, below it, ${marks.end}`);
  return `${page.slice(0, begin)}${marks.begin}\n\n${report.trim()}\n\n${page.slice(end)}`;
}

/** Ratio of a peer to HAProxy in a row; null when either is missing. Ratios are taken round by round, so that drift of the machine cancels out. */
export function ratioOf(result: BenchResult, row: RowName, peer: PeerName): number | null {
  const mine = figures(result, row, peer);
  const theirs = figures(result, row, YARDSTICK);
  const ratios = mine.flatMap(({ round, cpuMicrosPerExchange }) => {
    const other = theirs.find((measurement) => measurement.round === round);
    return other === undefined || other.cpuMicrosPerExchange === 0
      ? []
      : [cpuMicrosPerExchange / other.cpuMicrosPerExchange];
  });
  return ratios.length === 0 ? null : median(ratios);
}

function figures(result: BenchResult, row: RowName, peer: PeerName): Measurement[] {
  return result.measurements.filter((measurement) => measurement.row === row && measurement.peer === peer);
}

function cpuRow(result: BenchResult, row: RowName): string[] {
  const cells = result.peers.map((peer) => {
    const found = figures(result, row, peer);
    if (found.length === 0) return "–";
    const { median: middle, min, max } = summarise(found.map((measurement) => measurement.cpuMicrosPerExchange));
    const ratio = ratioOf(result, row, peer);
    const flawed = found.some((measurement) => measurement.flaws.length > 0) ? " ⚠" : "";
    const times = ratio === null || peer === YARDSTICK ? "" : ` **${ratio.toFixed(2)}×**`;
    return `${micros(middle)} (${micros(min)}–${micros(max)})${times}${flawed}`;
  });
  const mark = ROWS[row].mark;
  return [ROWS[row].title, ...cells, mark === null ? "" : `≤ ${mark}×`];
}

function memoryRows(result: BenchResult): string[][] {
  const of = (pick: (memory: Memory) => number): string[] =>
    result.peers.map((peer) => {
      const memory = result.memory.find((entry) => entry.peer === peer);
      return memory === undefined ? "–" : `${(pick(memory) / 1048576).toFixed(1)} MiB`;
    });
  const rows = [
    ["at rest", ...of((memory) => memory.restBytes), ""],
    ["after load", ...of((memory) => memory.afterLoadBytes), ""],
  ];
  const idle = result.peers.map((peer) => {
    const sizes = figures(result, "idle", peer).flatMap((measurement) => measurement.bytesPerIdleConnection ?? []);
    return sizes.length === 0 ? "–" : `${(median(sizes) / 1024).toFixed(1)} KiB`;
  });
  if (result.rows.includes("idle")) rows.push(["per idle connection", ...idle, `≤ ${IDLE_MARK_KIB} KiB`]);
  return rows;
}

function comparedWithNodeHttp(result: BenchResult): string[] {
  const times = result.rows.flatMap((row) => {
    const mine = figures(result, row, "goodgate").map((measurement) => measurement.cpuMicrosPerExchange);
    const theirs = figures(result, row, "node-http").map((measurement) => measurement.cpuMicrosPerExchange);
    if (mine.length === 0 || theirs.length === 0) return [];
    return [`${(median(theirs) / median(mine)).toFixed(1)}× (${ROWS[row].title})`];
  });
  if (times.length === 0) return [];
  return [
    `The node:http proxy's CPU as a multiple of Goodgate's (mark: ≥ ${NODE_HTTP_MARK}×): ${times.join(", ")}.`,
    "",
  ];
}

function flaws(result: BenchResult): string[] {
  return result.measurements
    .filter((measurement) => measurement.flaws.length > 0)
    .map(({ row, peer, round, flaws: found }) => `⚠ ${ROWS[row].title}, ${peer}, round ${round}: ${found.join(", ")}`);
}

function micros(value: number): string {
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
