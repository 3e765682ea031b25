/**
 * Tells when a pool begins to be used although it fails, and when that is over, each once and with numbers: an
 * operator who sees traffic go to a broken origin has to learn why at that moment (Envoy's users asked for years).
 * A pool that is in order for a moment between two failures has not ended; it has to be in order for a while.
 */
import type { Availability, Member } from "../policies/availability.ts";
import { durationInWords } from "../policies/words.ts";
import type { Core } from "./core.ts";

/** How long a pool must be in order before the end is told. */
const CALM_MS = 5_000;

export class FailOpenNotice {
  /** Exchanges served so. */
  served = 0;
  /** Monotonic ms when the end is told unless it begins again; Infinity: there is none in sight. */
  endAt = Infinity;
  readonly #core: Core;
  readonly #service: string;
  readonly #pool: string;
  #code = "";
  #since = 0;
  #calmSince = 0;

  constructor(core: Core, service: string, pool: string) {
    this.#core = core;
    this.#service = service;
    this.#pool = pool;
  }

  look<M extends Member>(availability: Availability<M>, members: number, now: number): void {
    const { kind, code, because, usable } = availability;
    if (kind !== "fail-open") {
      if (this.#code !== "" && this.endAt === Infinity) {
        this.#calmSince = now;
        this.endAt = now + CALM_MS;
      }
      return;
    }
    this.endAt = Infinity;
    if (code === this.#code) return;
    if (this.#code === "") {
      this.#since = now;
      this.served = 0;
    }
    this.#code = code;
    const healthy = availability.standings.filter(({ state }) => state === "up" || state === "ramping").length;
    this.#tell("begin", code, `${because} (${usable.length} of ${members} addresses are used, ${healthy} are up)`);
  }

  end(now: number): void {
    const lasted = durationInWords(this.#calmSince - this.#since);
    const because = `it was used so for ${lasted} and served ${this.served} exchanges; it has been in order for ${durationInWords(now - this.#calmSince)}`;
    this.#tell("end", this.#code, because);
    this.#code = "";
    this.endAt = Infinity;
  }

  #tell(state: "begin" | "end", code: string, because: string): void {
    const at = this.#core.clock.wall();
    this.#core.book.publish({ kind: "fail-open", at, service: this.#service, pool: this.#pool, state, code, because });
  }
}
