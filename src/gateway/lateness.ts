/**
 * How long answers of one route take lately, so that it is known when one is late (policies/hedge.ts). Taken from
 * requests that may be sent twice, because only those are ever hedged.
 */
import type { HedgeSettings } from "../config/settings.ts";
import { hedgeAfterMs } from "../policies/hedge.ts";
import { addSample, createQuantileWindow, quantileAt, samplesAt } from "../policies/quantile-window.ts";
import type { QuantileWindow } from "../policies/quantile-window.ts";

/** Later than this part of the answers is late. */
const LATE = 0.95;
const WINDOW_MS = 30_000;

export class Lateness {
  #settings: HedgeSettings;
  readonly #window: QuantileWindow;

  constructor(settings: HedgeSettings, now: number) {
    this.#settings = settings;
    this.#window = createQuantileWindow(LATE, WINDOW_MS, now);
  }

  configure(settings: HedgeSettings): void {
    this.#settings = settings;
  }

  /** An answer came, or was given up, after so long. */
  took(ms: number, now: number): void {
    addSample(this.#window, ms, now);
  }

  /** ms after which an attempt is late; 0: that is not known. */
  afterMs(now: number): number {
    return hedgeAfterMs(this.#settings, quantileAt(this.#window, now), samplesAt(this.#window, now));
  }
}
