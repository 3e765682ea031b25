/**
 * Asks one origin of the first pool and one of each pool behind it for the same, every ten minutes, and remembers what was different.
 * Light and bounded: the health path, or `/` where none is configured, without a body and without credentials; one service
 * after the other, one request and one handshake each; only origins that are configured. The next round looks at the
 * next origin of each pool, so a difference is known only of those that were asked.
 */
import type { ServiceSettings, Settings } from "../../config/settings.ts";
import type { Rungs } from "../../contract/rungs.ts";
import { minimal, resolveTarget } from "../ladder/climb.ts";
import { planOf } from "../ladder/ladder-plan.ts";
import type { Lately } from "../ladder/ladder-plan.ts";
import { differencesOf } from "./standby-compare.ts";
import type { Shown } from "./standby-compare.ts";
import { MINUTE } from "./forecaster.ts";

export interface StandbyParts {
  /** As they are configured now. */
  readonly settings: () => Settings;
  readonly rungs: Rungs;
  readonly onFault: (error: unknown) => void;
}

export interface Compared {
  readonly service: string;
  readonly pool: string;
  readonly url: string;
  readonly differences: readonly string[];
  /** Epoch ms. */
  readonly at: number;
}

/** The first round waits until everybody has started. */
const FIRST_MS: number = 5 * MINUTE;
export const EVERY_MS: number = 10 * MINUTE;
const HANDSHAKE_MS = 2_000;
const REQUEST_MS = 3_000;
const SERVICES_MAX = 50;
const POOLS_MAX = 8;
const NOTHING_KNOWN: Lately = { isWell: () => false, failedAt: () => null };

export class StandbyProbe {
  readonly #parts: StandbyParts;
  readonly #compared = new Map<string, Compared>();
  #nextAt = 0;
  #round = 0;
  #isUnderWay = false;

  constructor(parts: StandbyParts) {
    this.#parts = parts;
  }

  /** What the newest round found, of pools that it could compare. */
  get compared(): readonly Compared[] {
    return [...this.#compared.values()];
  }

  /** Time is `now`, epoch ms. */
  tick(now: number): void {
    if (this.#nextAt === 0) this.#nextAt = now + FIRST_MS;
    // A clock that was set back does not put the next round off for as long.
    if (this.#nextAt > now + EVERY_MS) this.#nextAt = now + EVERY_MS;
    if (this.#isUnderWay || now < this.#nextAt) return;
    this.#nextAt = now + EVERY_MS;
    this.#isUnderWay = true;
    this.#goRound(now)
      .catch(this.#parts.onFault)
      .finally(() => {
        this.#isUnderWay = false;
      });
  }

  async #goRound(now: number): Promise<void> {
    const settings = this.#parts.settings();
    const found = new Map<string, Compared>();
    for (const service of settings.services.slice(0, SERVICES_MAX)) {
      if (service.pools.length < 2) continue;
      // oxlint-disable-next-line no-await-in-loop -- One after the other: it has ten minutes.
      for (const one of await this.#compare(settings, service, now)) found.set(`${one.service}\n${one.pool}`, one);
    }
    this.#round += 1;
    this.#compared.clear();
    for (const [key, one] of found) this.#compared.set(key, one);
  }

  async #compare(settings: Settings, { name: service, pools }: ServiceSettings, now: number): Promise<Compared[]> {
    const urls = pools.slice(0, POOLS_MAX).map(({ name: pool, origins }) => ({
      pool,
      url: origins[this.#round % Math.max(1, origins.length)]?.url,
    }));
    const [first, ...standbys] = urls;
    if (first?.url === undefined) return [];
    const measure = await this.#show(settings, service, first.url);
    if (measure === null) return [];
    const compared: Compared[] = [];
    for (const { pool, url } of standbys) {
      // oxlint-disable-next-line no-await-in-loop -- One after the other.
      const shown = url === undefined ? null : await this.#show(settings, service, url);
      if (shown !== null)
        compared.push({ service, pool, url: shown.url, differences: differencesOf(measure, shown), at: now });
    }
    return compared;
  }

  /** Null: its name has no address now, which is told elsewhere. */
  async #show(settings: Settings, service: string, url: string): Promise<Shown | null> {
    const { rungs } = this.#parts;
    const plan = planOf(settings, service, url, NOTHING_KNOWN);
    if (plan === null) return null;
    const { target, health } = plan;
    const [to] = (await resolveTarget(rungs, target)).endpoints;
    if (to === undefined) return null;
    const tls = target.way.tls === null ? null : await rungs.handshake(to, target.way, HANDSHAKE_MS);
    if (tls !== null && !tls.ok) return { url, tls, answer: null };
    const request =
      health === null
        ? minimal("HEAD", `${target.basePath}/`, target.hostField, target.way)
        : minimal("GET", health.target, health.host, target.way);
    return { url, tls, answer: await rungs.request(to, request, REQUEST_MS) };
  }
}
