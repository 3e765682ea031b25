/**
 * How fast a service spends its error budget: the multi-window alerts of the SRE Workbook (ch. 5, table 5-8). A page
 * when 2 % of the 30-day budget went within an hour or 5 % within six, a ticket when 10 % went within three days;
 * each only while a twelfth of that window still burns as fast, so that the alert ends with the trouble. A window
 * needs a least number of bad exchanges: on a small service one failure is no burn.
 *
 * Counted by minutes for three days and by hours for thirty. What is unknown counts as nothing, neither good nor bad.
 *
 * What was spent while an incident said so is counted apart: it makes that incident worse, and is no reason for another one, nor
 * for keeping it open for as long as the windows are.
 */
export interface BudgetBook {
  readonly minutes: Tally[];
  readonly hours: Tally[];
}

/** `at`: index of the minute or hour since the epoch. */
interface Tally {
  at: number;
  bad: number;
  total: number;
  /** Of the bad ones, those that an incident told of. Absent in what was kept before there was such a count. */
  told?: number;
}

export interface Burn {
  readonly page: boolean;
  readonly ticket: boolean;
  /** Which rule: `14.4× over 1 h and 5 min`; empty when none. */
  readonly rule: string;
  readonly rate: number;
  /** Minutes of the long window. */
  readonly longMinutes: number;
}

const MINUTES_MAX = 3 * 24 * 60;
const HOURS_MAX = 30 * 24;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const BAD_MIN = 10;

const RULES = [
  { factor: 14.4, longMinutes: 60, shortMinutes: 5, page: true, text: "14.4× over 1 h and 5 min" },
  { factor: 6, longMinutes: 360, shortMinutes: 30, page: true, text: "6× over 6 h and 30 min" },
  { factor: 1, longMinutes: 4_320, shortMinutes: 360, page: false, text: "1× over 3 d and 6 h" },
] as const;

const NO_BURN: Burn = { page: false, ticket: false, rule: "", rate: 0, longMinutes: 0 };

export function createBudgetBook(): BudgetBook {
  return { minutes: [], hours: [] };
}

/** `isTold`: an incident of the service is open. */
export function countInBudget(book: BudgetBook, at: number, bad: number, total: number, isTold = false): void {
  if (total === 0) return;
  const told = isTold ? bad : 0;
  add(book.minutes, { at: Math.floor(at / MINUTE_MS), bad, total, told }, MINUTES_MAX);
  add(book.hours, { at: Math.floor(at / HOUR_MS), bad, total, told }, HOURS_MAX);
}

/** `budget`: part of exchanges that may go wrong, e.g. 0.0005. `untold`: what incidents told of is left out. */
export function burnOf(book: BudgetBook, now: number, budget: number, untold = false): Burn {
  const seenMinutes = Math.floor(now / MINUTE_MS) - (book.minutes[0]?.at ?? Number.POSITIVE_INFINITY) + 1;
  for (const rule of RULES) {
    // A service that was not seen for so much as the short window has spent nothing of the long one worth waking for.
    if (seenMinutes < rule.longMinutes / 12) continue;
    const long = windowOf(book, now, rule.longMinutes, untold);
    if (long.bad < BAD_MIN) continue;
    const short = windowOf(book, now, rule.shortMinutes, untold);
    const rate = rateOf(long, budget);
    if (rate < rule.factor || rateOf(short, budget) < rule.factor || short.bad < BAD_MIN / 2) continue;
    return { page: rule.page, ticket: !rule.page, rule: rule.text, rate, longMinutes: rule.longMinutes };
  }
  return NO_BURN;
}

export function burnRate(book: BudgetBook, now: number, minutes: number, budget: number): number {
  return rateOf(windowOf(book, now, minutes), budget);
}

/** Part of the 30-day budget that is left; negative when overspent. Of a service that is younger, of what it had so far. */
export function budgetLeft(book: BudgetBook, now: number, budget: number): number {
  const first = Math.floor(now / HOUR_MS) - HOURS_MAX;
  let bad = 0;
  let total = 0;
  for (const hour of book.hours) {
    if (hour.at <= first) continue;
    bad += hour.bad;
    total += hour.total;
  }
  return total === 0 ? 1 : 1 - bad / (total * budget);
}

/** From when on the budget is counted; epoch ms. */
export function budgetFrom(book: BudgetBook, now: number): number {
  return (book.hours[0]?.at ?? Math.floor(now / HOUR_MS)) * HOUR_MS;
}

function windowOf(book: BudgetBook, now: number, minutes: number, untold = false): Tally {
  const first = Math.floor(now / MINUTE_MS) - minutes;
  const sum: Tally = { at: first, bad: 0, total: 0 };
  for (let index = book.minutes.length - 1; index >= 0; index -= 1) {
    const minute = book.minutes[index];
    if (minute === undefined || minute.at <= first) break;
    sum.bad += minute.bad - (untold ? (minute.told ?? 0) : 0);
    sum.total += minute.total;
  }
  return sum;
}

function rateOf(window: Tally, budget: number): number {
  return window.total === 0 ? 0 : window.bad / window.total / budget;
}

function add(tallies: Tally[], tally: Tally, most: number): void {
  const last = tallies[tallies.length - 1];
  // Facts of two tellers come a second apart at most; an older minute takes them as the newest.
  if (last !== undefined && last.at >= tally.at) {
    last.bad += tally.bad;
    last.total += tally.total;
    last.told = (last.told ?? 0) + (tally.told ?? 0);
    return;
  }
  tallies.push(tally);
  if (tallies.length > most) tallies.shift();
}
