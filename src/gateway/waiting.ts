/**
 * Visitors who are turned away for lack of room: what a browser is offered instead of a failure page, and who of those
 * that come back has waited. Everything is in the ticket, so nothing is kept here.
 */
import type { WaitingSettings } from "../config/settings.ts";
import type { Chance, Clock } from "../kernel/clock.ts";
import { issueTicket, ticketCookie, ticketSince } from "./waiting-ticket.ts";
import type { TicketKey } from "./waiting-ticket.ts";

/** What a browser gets with its waiting page. */
export interface WaitingOffer {
  /** When the page asks again. */
  readonly seconds: number;
  /** A whole Set-Cookie value; empty: it has a ticket. */
  readonly cookie: string;
}

/** Those who were turned away together come back over at least this long. */
const SPREAD_SECONDS = 8;

export class WaitingRoom {
  readonly expiresMs: number;
  readonly #key: TicketKey;
  readonly #clock: Clock;
  readonly #chance: Chance;
  readonly #networkOf: (address: string) => string;

  /** `made`: the secret of this process, for when none is configured. */
  constructor(
    settings: WaitingSettings,
    made: string,
    ports: { readonly clock: Clock; readonly chance: Chance },
    networkOf: (address: string) => string,
  ) {
    this.expiresMs = settings.expiresMs;
    this.#key = { secret: settings.secret ?? made, expiresMs: settings.expiresMs };
    this.#clock = ports.clock;
    this.#chance = ports.chance;
    this.#networkOf = networkOf;
  }

  /** Epoch ms since when this client waits; 0: it has no ticket. */
  since(cookies: string | null, address: string): number {
    return ticketSince(this.#key, cookies, this.#networkOf(address), this.#clock.wall()) ?? 0;
  }

  offer(address: string, since: number, afterSeconds: number): WaitingOffer {
    const spread = Math.max(SPREAD_SECONDS, afterSeconds);
    return {
      seconds: Math.max(1, afterSeconds) + Math.floor(this.#chance() * (spread + 1)),
      cookie:
        since === 0
          ? ticketCookie(issueTicket(this.#key, this.#networkOf(address), this.#clock.wall()), this.#key)
          : "",
    };
  }
}
