/**
 * The gateway's own limits, watched: four times a second what is in use of memory, descriptors and the loop, what the
 * policy makes of it, and what follows. Who is turned away is asked where requests are admitted; here idle clients make
 * room, and the number of connections that may be taken follows the descriptors that are left, so that some remain for
 * origins.
 */
import type { GatewayEvent, OwnUse } from "../contract/view.ts";
import type { Clock } from "../kernel/clock.ts";
import { descriptorsLeft, observePressure } from "../policies/own-pressure.ts";
import type { Pressure, PressureOptions } from "../policies/own-pressure.ts";

export interface OwnLimitsParts {
  readonly clock: Clock;
  /** As they are configured now. */
  readonly options: () => PressureOptions;
  readonly pressure: Pressure;
  readonly ownUse: () => OwnUse;
  /** Client connections that are open now. */
  readonly connections: () => number;
  /** Closes up to so many idle client connections. */
  readonly closeIdle: (max: number) => void;
  readonly publish: (event: GatewayEvent) => void;
}

export const SAMPLE_MS = 250;
/** Idle clients that make room at one look, by level. */
const CLOSED_AT_ONCE = [0, 16, 256, 1_024] as const;

export class OwnLimits {
  /** Client connections that may be open until the next look. */
  connectionsMax = Infinity;
  readonly #parts: OwnLimitsParts;
  #lookedAt: number;
  #lateMs = 0;

  constructor(parts: OwnLimitsParts) {
    this.#parts = parts;
    this.#lookedAt = parts.clock.monotonic();
  }

  look(): void {
    const { clock, pressure, ownUse, connections, closeIdle } = this.#parts;
    const options = this.#parts.options();
    const now = clock.monotonic();
    const sample = { ...ownUse(), connections: connections(), lateMs: now - this.#lookedAt - SAMPLE_MS };
    this.#lookedAt = now;
    if (sample.lateMs > this.#lateMs) this.#lateMs = sample.lateMs;
    const before = pressure.because;
    const { changed, warning } = observePressure(options, pressure, sample, now);
    this.connectionsMax = sample.connections + descriptorsLeft(options, sample);
    if (warning !== "") this.#tell("pressure.warning", warning);
    if (changed)
      this.#tell(
        `pressure.level-${pressure.level}`,
        pressure.level === 0 ? `over: ${before}` : SAYS[pressure.level](pressure.because),
      );
    if (pressure.roomLevel > 0) closeIdle(CLOSED_AT_ONCE[pressure.roomLevel]);
  }

  /** How late a look was at most since this was last asked. */
  takeLateMs(): number {
    const lateMs = this.#lateMs;
    this.#lateMs = 0;
    return lateMs;
  }

  #tell(code: string, detail: string): void {
    this.#parts.publish({ kind: "gateway", at: this.#parts.clock.wall(), code, detail });
  }
}

const SAYS = {
  1: (because: string) => `${because}; background requests are turned away`,
  2: (because: string) => `${because}; background requests and a part of the normal ones are turned away`,
  3: (because: string) => `${because}; all but critical requests are turned away`,
} as const;
