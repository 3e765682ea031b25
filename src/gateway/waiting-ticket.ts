/**
 * The ticket of a visitor who was told to wait: a cookie that says when that was, signed so that nobody can make one,
 * and for the network it was given to, so that one cannot be handed around. It holds no personal data and no place in
 * a queue: whoever has one goes before whoever has none, and that is all.
 *
 * The signature is HMAC-SHA256, cut to 128 bits (RFC 2104 §5), compared in constant time. Without a configured secret
 * each process has its own, which a fleet of gateways must not.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

export interface TicketKey {
  readonly secret: string;
  readonly expiresMs: number;
}

export const TICKET_COOKIE = "goodgate-wait";
const MAC_BYTES = 16;
/** Clocks of a fleet differ a little. */
const AHEAD_MS = 5_000;

/** The value of the cookie. `network`: whom the client is counted as, in words. */
export function issueTicket(key: TicketKey, network: string, wallMs: number): string {
  const since = Math.floor(wallMs / 1000).toString(36);
  return `${since}.${macOf(key, network, since).toString("base64url")}`;
}

/** Epoch ms since when this client waits; null: there is no valid ticket. `cookies`: the Cookie field, whole. */
export function ticketSince(key: TicketKey, cookies: string | null, network: string, wallMs: number): number | null {
  const value = cookies === null ? null : cookieOf(cookies);
  const parts = value === null ? null : /^([0-9a-z]{1,9})\.([\w-]{22})$/.exec(value);
  if (parts === null) return null;
  const [, since = "", mac = ""] = parts;
  const given = Buffer.from(mac, "base64url");
  if (given.length !== MAC_BYTES || !timingSafeEqual(given, macOf(key, network, since))) return null;
  const sinceMs = Number.parseInt(since, 36) * 1000;
  return sinceMs <= wallMs + AHEAD_MS && wallMs - sinceMs < key.expiresMs ? sinceMs : null;
}

/** A complete Set-Cookie value. No script needs it, and no other site may send it along. */
export function ticketCookie(value: string, key: TicketKey): string {
  return `${TICKET_COOKIE}=${value}; Path=/; Max-Age=${Math.floor(key.expiresMs / 1000)}; HttpOnly; SameSite=Lax`;
}

function macOf({ secret }: TicketKey, network: string, since: string): Buffer {
  return createHmac("sha256", secret).update(`goodgate-wait 1 ${since} ${network}`).digest().subarray(0, MAC_BYTES);
}

/** The first cookie of that name (RFC 6265 §5.4). */
function cookieOf(cookies: string): string | null {
  for (const pair of cookies.slice(0, 16_384).split(";")) {
    const equals = pair.indexOf("=");
    if (equals !== -1 && pair.slice(0, equals).trim() === TICKET_COOKIE) return pair.slice(equals + 1).trim();
  }
  return null;
}
