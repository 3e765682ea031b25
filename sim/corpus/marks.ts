/** What the engine is held to, and how near it comes: one row for each kind of disturbance, and the sums. */
import { median } from "../../src/kernel/median.ts";
import type { QuietKind } from "./quiet.ts";
import type { Result } from "./score.ts";

export const MARKS = {
  party: 0.97,
  cause: 0.9,
  abstention: 0.9,
  outrightS: 10,
  grayS: 60,
  falsePerWeek: 1,
} as const;

export interface QuietResult {
  readonly kind: QuietKind["name"];
  readonly seed: number;
  readonly weeks: number;
  readonly incidents: number;
}

export interface Score {
  readonly runs: number;
  readonly party: number;
  readonly cause: number;
  readonly step: number;
  readonly abstention: number;
  /** Part of runs with exactly one incident. */
  readonly single: number;
  /** Part found in time. */
  readonly outrightInTime: number;
  readonly grayInTime: number;
  readonly outrightMedianS: number;
  readonly grayMedianS: number;
  readonly outrightWorstS: number;
  readonly grayWorstS: number;
  /** Part of the incidents that were closed, how long after the end (median), and how often one came back. */
  readonly closed: number;
  readonly closeMedianS: number;
  readonly closeLateS: number;
  readonly returns: number;
}

export function scoreOf(results: readonly Result[]): Score {
  const times = (size: Result["size"]): number[] =>
    results.filter((result) => result.size === size).map(({ detectS }) => detectS ?? Infinity);
  const [outright, gray] = [times("outright"), times("gray")];
  const closings = results.map(({ closeS }) => closeS).filter((seconds) => seconds !== null);
  return {
    runs: results.length,
    party: partOf(results.map(({ partyRight }) => partyRight)),
    cause: partOf(results.map(({ causeRight }) => causeRight)),
    step: partOf(results.map(({ stepRight }) => stepRight)),
    abstention: partOf(results.map(({ abstained }) => abstained)),
    single: partOf(results.map((result) => hasAsMany(result))),
    outrightInTime: partOf(outright.map((seconds) => seconds <= MARKS.outrightS)),
    grayInTime: partOf(gray.map((seconds) => seconds <= MARKS.grayS)),
    outrightMedianS: median(outright),
    grayMedianS: median(gray),
    outrightWorstS: Math.max(0, ...outright),
    grayWorstS: Math.max(0, ...gray),
    closed: partOf(results.map(({ closeS }) => closeS !== null)),
    closeMedianS: median(closings),
    closeLateS: closings.toSorted((a, b) => a - b)[Math.floor(closings.length * 0.9)] ?? 0,
    returns: results.reduce((all, { returns }) => all + returns, 0),
  };
}

/** Sentences for the marks that were missed; empty: all were met. */
export function missed(score: Score, quiet: readonly QuietResult[]): string[] {
  const missing: string[] = [];
  const least = (name: string, value: number, mark: number): void => {
    if (value < mark) missing.push(`${name} ${percent(value)}, to be at least ${percent(mark)}`);
  };
  least("party right", score.party, MARKS.party);
  least("cause right", score.cause, MARKS.cause);
  least("abstained", score.abstention, MARKS.abstention);
  least(`outright found within ${MARKS.outrightS} s`, score.outrightInTime, MARKS.party);
  least(`gray found within ${MARKS.grayS} s`, score.grayInTime, MARKS.party);
  const perWeek = falsePerWeek(quiet);
  if (perWeek > MARKS.falsePerWeek)
    missing.push(`${perWeek} false incidents a week, to be at most ${MARKS.falsePerWeek}`);
  return missing;
}

export function falsePerWeek(quiet: readonly QuietResult[]): number {
  const weeks = quiet.reduce((all, one) => all + one.weeks, 0);
  return weeks === 0 ? 0 : quiet.reduce((all, { incidents }) => all + incidents, 0) / weeks;
}

/** The tables of docs/diagnosis.md. */
export function tables(
  results: readonly Result[],
  simulated: readonly Result[],
  quiet: readonly QuietResult[],
): string {
  const names = [...new Set(results.map(({ name }) => name))];
  const rows = names.map((name) => {
    const own = results.filter((result) => result.name === name);
    return rowOf(name, own);
  });
  const kinds = [...new Set(quiet.map(({ kind }) => kind))];
  const score = scoreOf(results);
  const sim = scoreOf(simulated);
  return [
    "| | mark | generated | simulated gateway |",
    "| --- | ---: | ---: | ---: |",
    `| runs | | ${score.runs} | ${sim.runs} |`,
    `| party right | ${percent(MARKS.party)} | ${percent(score.party)} | ${percent(sim.party)} |`,
    `| cause right, where it can be decided | ${percent(MARKS.cause)} | ${percent(score.cause)} | ${percent(sim.cause)} |`,
    `| first step right | | ${percent(score.step)} | ${percent(sim.step)} |`,
    `| abstained, where it cannot | ${percent(MARKS.abstention)} | ${percent(score.abstention)} | ${percent(sim.abstention)} |`,
    `| one incident and no more | | ${percent(score.single)} | ${percent(sim.single)} |`,
    `| outright ones found within ${MARKS.outrightS} s (median, longest) | | ${timesText(score.outrightInTime, score.outrightMedianS, score.outrightWorstS)} | ${timesText(sim.outrightInTime, sim.outrightMedianS, sim.outrightWorstS)} |`,
    `| gray ones found within ${MARKS.grayS} s (median, longest) | | ${timesText(score.grayInTime, score.grayMedianS, score.grayWorstS)} | ${timesText(sim.grayInTime, sim.grayMedianS, sim.grayWorstS)} |`,
    `| closed after the end (median, nine of ten within) | | ${secondsText(score.closeMedianS)}, ${secondsText(score.closeLateS)} | |`,
    `| said to be over and came back, times | | ${score.returns} | ${sim.returns} |`,
    "",
    "| family | runs | party | cause | abstained | one incident | found in time | found after (median, longest) |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ...[...new Set(results.map(({ family }) => family))].map((family) =>
      familyRow(
        family,
        results.filter((result) => result.family === family),
      ),
    ),
    "",
    "| disturbance | party | cause | abstained | found after (median) |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...rows,
    "",
    "The simulated gateway:",
    "",
    "| scenario | party | cause | abstained | found after (median) |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...[...new Set(simulated.map(({ name }) => name))].map((name) =>
      rowOf(
        name,
        simulated.filter((result) => result.name === name),
      ),
    ),
    "",
    "| quiet weeks | weeks | false incidents |",
    "| --- | ---: | ---: |",
    ...kinds.map((kind) => {
      const own = quiet.filter((one) => one.kind === kind);
      const weeks = own.reduce((all, one) => all + one.weeks, 0);
      return `| ${kind} | ${weeks < 1 ? weeks.toFixed(2) : weeks} | ${own.reduce((all, { incidents }) => all + incidents, 0)} |`;
    }),
  ].join("\n");
}

function familyRow(family: string, own: readonly Result[]): string {
  const times = own.map(({ detectS }) => detectS ?? Infinity);
  const inTime = own.map(
    ({ size, detectS }) => (detectS ?? Infinity) <= (size === "outright" ? MARKS.outrightS : MARKS.grayS),
  );
  const parts = [
    own.map(({ partyRight }) => partyRight),
    own.map(({ causeRight }) => causeRight),
    own.map(({ abstained }) => abstained),
    own.map((result) => hasAsMany(result)),
    inTime,
  ].map((values) => (values.every((value) => value === null) ? "–" : percent(partOf(values))));
  return `| ${family} | ${own.length} | ${parts.join(" | ")} | ${secondsText(median(times))}, ${secondsText(Math.max(0, ...times))} |`;
}

/** As many incidents as there were disturbances. */
export function hasAsMany({ incidents, truth }: Result): boolean {
  return incidents.length === (truth.incidents ?? 1);
}

function rowOf(name: string, own: readonly Result[]): string {
  const times = own.map(({ detectS }) => detectS ?? Infinity);
  return `| ${name} | ${countText(own.map(({ partyRight }) => partyRight))} | ${countText(own.map(({ causeRight }) => causeRight))} | ${countText(own.map(({ abstained }) => abstained))} | ${secondsText(median(times))} |`;
}

function countText(values: readonly (boolean | null)[]): string {
  const asked = values.filter((value) => value !== null);
  return asked.length === 0 ? "–" : `${asked.filter(Boolean).length} of ${asked.length}`;
}

function timesText(part: number, middle: number, worst: number): string {
  return `${percent(part)} (${secondsText(middle)}, ${secondsText(worst)})`;
}

function secondsText(seconds: number): string {
  return seconds === Infinity ? "never" : `${Math.round(seconds)} s`;
}

function partOf(values: readonly (boolean | null)[]): number {
  const asked = values.filter((value) => value !== null);
  return asked.length === 0 ? 1 : asked.filter(Boolean).length / asked.length;
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 1000) / 10} %`;
}
