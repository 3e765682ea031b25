/** Where the marks of a chart's axes stand: round numbers upwards, round moments sideways. */

/** From zero to a little above the greatest, at most five. */
export function heightMarks(most: number): readonly number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((times) => times * power >= rough) ?? 10);
  return Array.from({ length: Math.ceil(most / step - 1e-9) + 1 }, (_, index) => index * step);
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const STEPS = [
  ...[1 / 6, 0.5, 1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12, 24, 48, 168].map((hours) => hours * HOUR),
];
const MARKS_MAX = 6;

/** Epoch ms between both, at full hours and days by a clock that is so many ms ahead of UTC. */
export function timeMarks(from: number, to: number, aheadMs: number): { readonly step: number; readonly at: number[] } {
  const step = STEPS.find((one) => (to - from) / one <= MARKS_MAX) ?? to - from;
  const at: number[] = [];
  if (!(to > from)) return { step, at };
  for (let mark = Math.ceil((from + aheadMs) / step) * step - aheadMs; mark <= to; mark += step) at.push(mark);
  return { step, at };
}
