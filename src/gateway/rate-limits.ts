/**
 * Admit: the rate limits of one route. All have to hold; a request that one of them refuses costs nothing with the
 * others. A limit in shadow is counted like the others, refuses nothing and tells clients nothing.
 *
 * Clients are told in the fields of draft-ietf-httpapi-ratelimit-headers (structured form): what the quota is, and
 * how much of it is left, also with every answer that passes, so that a well-made client never meets a 429.
 */
import { rateLimitText } from "../config/rate-limit-text.ts";
import type { RateLimitSettings } from "../config/settings.ts";
import type { MessageHead } from "../http1/head.ts";
import type { HashKey } from "../kernel/keyed-hash.ts";
import { keyedHash } from "../kernel/keyed-hash.ts";
import { createRateTable, fullMsAt, placeOf, remainingAt, rowsFor, takeOne, waitMsAt } from "../policies/rate-limit.ts";
import type { RateTable } from "../policies/rate-limit.ts";
import { durationInWords } from "../policies/words.ts";
import { joinedValue } from "./request-target.ts";
import type { SharedLimit } from "./shared-rates.ts";

export interface RateVerdict {
  /** Null: admitted. */
  readonly refused: { readonly evidence: string; readonly waitMs: number; readonly shared: boolean } | null;
  /** What a limit in shadow would have refused, as a sentence; empty: nothing. */
  readonly shadowed: string;
  /** Complete field lines for the answer; empty when all limits are in shadow. */
  readonly lines: string;
  /**
   * Null: it is decided. Otherwise other workers may have what this one has not: asked, it calls `done` once, within a
   * moment, and then the same has to be asked again. It returns what cancels that.
   */
  readonly wait: ((done: (now: number) => void) => () => void) | null;
}

interface Limit {
  /** Null: this gateway keeps it alone. */
  readonly shared: SharedLimit | null;
  /** The key of the request in hand, and what is left for it; of shared ones. */
  key: number;
  left: number;
  readonly settings: RateLimitSettings;
  readonly table: RateTable;
  /** The part of RateLimit-Policy that never changes. */
  readonly policy: string;
  /** The place of the request in hand. */
  place: number;
}

export class RouteLimits {
  readonly #limits: readonly Limit[];
  readonly #hashKey: HashKey;
  readonly #policyLine: string;

  /**
   * `before`: the route's limits in the configuration before this one: whoever has used up one has used it up still.
   * `sharedOf`: what is kept together with other workers; null for those that are this gateway's alone.
   */
  constructor(
    settings: readonly RateLimitSettings[],
    keysMax: number,
    hashKey: HashKey,
    before: RouteLimits | null = null,
    sharedOf: (limit: RateLimitSettings) => SharedLimit | null = alone,
  ) {
    this.#hashKey = hashKey;
    this.#limits = settings.map((limit) => ({
      shared: sharedOf(limit),
      key: 0,
      left: 0,
      settings: limit,
      table: before?.tableFor(limit, keysMax) ?? createRateTable(limit.per === "route" ? 1 : keysMax),
      policy: policyOf(limit),
      place: 0,
    }));
    const told = this.#limits.filter((limit) => !limit.settings.shadow).map((limit) => limit.policy);
    this.#policyLine = told.length === 0 ? "" : `RateLimit-Policy: ${told.join(", ")}\r\n`;
  }

  /** `client`: the number of whoever asks (client-key.ts). */
  admit(head: MessageHead, client: number, now: number): RateVerdict {
    let refusing: Limit | null = null;
    let asking: Limit | null = null;
    let waitMs = 0;
    let shadowed = "";
    for (const limit of this.#limits) {
      const { settings, table, shared } = limit;
      const key = this.#keyOf(settings, head, client);
      let wait = 0;
      if (shared === null) {
        limit.place = placeOf(settings, table, key, now);
        if (remainingAt(settings, table, limit.place, now) >= 1) continue;
        wait = waitMsAt(settings, table, limit.place, now);
      } else {
        const verdict = shared.look(key, now);
        limit.key = key;
        limit.left = verdict.kind === "may" ? verdict.remaining : 0;
        if (verdict.kind === "may") continue;
        if (verdict.kind === "ask") {
          // A limit in shadow holds nobody up.
          if (settings.shadow) shared.takeLater(key, now);
          else asking ??= limit;
          if (!settings.shadow || verdict.waitMs === 0) continue;
        }
        wait = verdict.waitMs;
      }
      if (settings.shadow) shadowed = sentenceOf(settings, wait);
      else if (wait > waitMs) {
        refusing = limit;
        waitMs = wait;
      }
    }
    if (refusing === null && asking !== null) {
      const { shared, key } = asking;
      return { refused: null, shadowed, lines: "", wait: (done) => shared?.wait(key, now, done) ?? nothing };
    }
    if (refusing === null) {
      for (const { settings, table, place, shared, key, left } of this.#limits) {
        if (shared !== null) {
          if (left >= 1) shared.take(key, now);
        } else if (remainingAt(settings, table, place, now) >= 1) takeOne(settings, table, place, now);
      }
    }
    const refused =
      refusing === null
        ? null
        : {
            evidence: sentenceOf(refusing.settings, waitMs),
            waitMs,
            shared: refusing.settings.per === "route",
          };
    return { refused, shadowed, lines: this.#lines(now, refusing === null), wait: null };
  }

  /** Levels are counted in the period's length, and keys are what `per` says: where those differ they mean nothing. */
  tableFor({ name, per, header, periodMs }: RateLimitSettings, keysMax: number): RateTable | null {
    const same = this.#limits.find(
      ({ settings, table }) =>
        settings.name === name &&
        settings.per === per &&
        settings.header === header &&
        settings.periodMs === periodMs &&
        table.rows === rowsFor(per === "route" ? 1 : keysMax),
    );
    return same?.table ?? null;
  }

  #keyOf({ per, header }: RateLimitSettings, head: MessageHead, client: number): number {
    if (per === "client") return client;
    return per === "route" ? 1 : keyedHash(this.#hashKey, joinedValue(head, header) ?? "");
  }

  #lines(now: number, isTaken: boolean): string {
    if (this.#policyLine === "") return "";
    let left = "";
    for (const limit of this.#limits) {
      const { settings, table, place, shared } = limit;
      if (settings.shadow) continue;
      const own = Math.max(0, limit.left - (isTaken ? 1 : 0));
      const remaining = shared === null ? remainingAt(settings, table, place, now) : own;
      const fullMs =
        shared === null
          ? fullMsAt(settings, table, place, now)
          : ((settings.burst - own) * settings.periodMs) / settings.count;
      const seconds = Math.ceil(fullMs / 1000);
      left += `${left === "" ? "" : ", "}"${settings.name}";r=${remaining};t=${seconds}`;
    }
    return `${this.#policyLine}RateLimit: ${left}\r\n`;
  }
}

function alone(): null {
  return null;
}

function nothing(): void {
  // There is nothing to cancel.
}

/**
 * The quota is the burst, and the window how long that takes to come back: so what is left never exceeds the quota,
 * and a client that keeps to quota per window keeps to the rate.
 */
function policyOf({ name, burst, periodMs, count }: RateLimitSettings): string {
  return `"${name}";q=${burst};w=${Math.ceil((burst * periodMs) / count / 1000)}`;
}

function sentenceOf(limit: RateLimitSettings, waitMs: number): string {
  return `rate limit "${limit.name}": ${rateLimitText(limit)}; one more in ${durationInWords(waitMs)}`;
}
