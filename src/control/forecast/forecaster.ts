/**
 * One kind of forecast: it hears the facts and says, when asked, what it sees coming. Whether that is told, and when it
 * is over, is decided for all kinds alike (forecast-book.ts).
 */
import type { ServiceHealth } from "../../contract/series.ts";
import type { Fact } from "../../contract/facts.ts";
import type { Forecast } from "../../contract/incident.ts";

export type Foreseen = Omit<Forecast, "since">;

export interface Forecaster {
  hear(fact: Fact): void;
  look(at: Moment): readonly Foreseen[];
  /** What took longer to see than a gateway runs between two restarts. */
  readonly memory?: Memory;
}

export interface Memory {
  readonly name: string;
  /** Plain data. */
  save(): unknown;
  /** What `save` gave, of this version of the program or of another: an exception costs what was saved. */
  restore(saved: unknown): void;
}

export interface Moment {
  readonly now: number;
  readonly services: readonly ServiceHealth[];
}

export const SECOND = 1000;
export const MINUTE: number = 60 * SECOND;
export const HOUR: number = 60 * MINUTE;
export const DAY: number = 24 * HOUR;

/** Appends, and forgets the oldest beyond `most`. */
export function keep<T>(list: T[], item: T, most: number): void {
  list.push(item);
  if (list.length > most) list.shift();
}
