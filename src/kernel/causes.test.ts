import { describe, expect, test } from "vitest";
import { CAUSES, causeOf, isCauseId } from "./causes.ts";
import type { Cause, CauseId, ProxyStatusError } from "./causes.ts";

/** The statuses that RFC 9209 §2.3 recommends for each error type that the table uses. */
const RECOMMENDED: Record<ProxyStatusError, readonly number[]> = {
  connection_limit_reached: [503],
  connection_read_timeout: [504],
  connection_refused: [502],
  connection_terminated: [502],
  connection_timeout: [504],
  connection_write_timeout: [504],
  destination_ip_unroutable: [502],
  destination_not_found: [500],
  destination_unavailable: [503],
  dns_error: [502],
  dns_timeout: [504],
  http_protocol_error: [502],
  http_request_denied: [403],
  // "The 4xx that applies", and for the internal response "the most appropriate".
  http_request_error: [400, 404, 408, 409, 421, 422],
  http_response_header_section_size: [502],
  http_response_incomplete: [502],
  http_response_timeout: [504],
  http_response_transfer_coding: [502],
  http_upgrade_failed: [502],
  proxy_internal_error: [500],
  proxy_internal_response: [400, 404, 408, 409, 422, 500, 502, 503, 504],
  proxy_loop_detected: [502],
  tls_alert_received: [502],
  tls_certificate_error: [502],
  tls_protocol_error: [502],
};

/** Where the table leaves the recommendation on purpose. */
const DEVIATIONS: Partial<Record<CauseId, string>> = {
  "gw.no_route": "404 is what people expect of a host or path that nobody serves; a 500 would page someone",
  "client.rate_limited": "429 (RFC 6585) says what was wrong and that it passes; 403 would not",
  "client.flood": "as client.rate_limited",
  "gw.fd_exhausted": "it passes, so 503 invites another try where 500 would forbid it",
  "gw.ports_exhausted": "as gw.fd_exhausted",
  "gw.mem_or_buffers": "as gw.fd_exhausted",
  "gw.key_unprotected": "as gw.fd_exhausted",
  "gw.loop_stall": "as gw.fd_exhausted",
};

const rows: readonly Cause[] = Object.values(CAUSES);

describe("the table of causes", () => {
  test.each(rows)("$id answers with a status that RFC 9209 recommends for its error type, or says why not", (cause) => {
    if (cause.proxyStatus === null) {
      expect(cause.status).toBe(0);
      return;
    }
    const isRecommended = RECOMMENDED[cause.proxyStatus].includes(cause.status);
    expect(isRecommended || DEVIATIONS[cause.id] !== undefined).toBe(true);
    expect(isRecommended && DEVIATIONS[cause.id] !== undefined).toBe(false);
  });

  test.each(rows)("$id is well formed and its texts are sentences", (cause) => {
    expect(cause.id).toMatch(/^(client|gw|dns|net|tls|origin)\.[a-z0-9]+(_[a-z0-9]+)*$/);
    expect(cause.title).toMatch(/^[A-Z].*[^.]$/);
    expect(cause.title.length).toBeLessThanOrEqual(42);
    for (const text of [cause.means, cause.evidence, cause.lookFirst]) expect(text).toMatch(/^[A-Z`].*[.?]$/s);
  });

  test("no two causes have the same title or the same meaning", () => {
    expect(new Set(rows.map((cause) => cause.title.toLowerCase())).size).toBe(rows.length);
    expect(new Set(rows.map((cause) => cause.means)).size).toBe(rows.length);
  });

  test("a cause that is named as a look-alike exists", () => {
    const mentioned = rows.flatMap((cause) => [
      ...`${cause.means} ${cause.evidence}`.matchAll(/\b(?:client|gw|dns|net|tls|origin)\.[a-z0-9_]+\b/g),
    ]);
    expect(mentioned.length).toBeGreaterThan(10);
    for (const [id] of mentioned) expect(isCauseId(id), id).toBe(true);
  });

  test("the client is never told to come back for what it did itself, and origins are only blamed from dns on", () => {
    for (const cause of rows) {
      if (cause.id.startsWith("client.")) expect([cause.party, cause.retryClass]).toEqual(["client", "RX"]);
      if (cause.id.startsWith("gw.")) expect(["gateway", "configuration", "overload"]).toContain(cause.party);
      if (cause.id.startsWith("dns.")) expect([cause.party, cause.retryClass]).toEqual(["dns", "R0"]);
      if (cause.party === "gateway") expect(cause.proxyStatus).toMatch(/^proxy_internal_/);
    }
  });

  test("a request may go to another origin unconditionally only where nothing can have been sent", () => {
    const neverSent = rows.filter((cause) => cause.retryClass === "R0").map((cause) => cause.id);
    for (const id of neverSent) {
      expect(id).not.toMatch(/truncated|stall|reset|race|timeout_read|app_5xx|upgrade|internal|half_open/);
    }
    expect(causeOf("origin.refused").retryClass).toBe("R0");
    expect(causeOf("net.connect_timeout").retryClass).toBe("R0");
  });

  test("text from outside is a cause only when it is a row of its own, not a name of Object.prototype", () => {
    expect(isCauseId("origin.refused")).toBe(true);
    expect(isCauseId("origin.refuse")).toBe(false);
    expect(isCauseId("constructor")).toBe(false);
    expect(isCauseId("__proto__")).toBe(false);
  });

  test("rows cannot be changed by whoever holds them", () => {
    expect(Object.isFrozen(CAUSES)).toBe(true);
    expect(Object.isFrozen(causeOf("gw.loop"))).toBe(true);
  });
});
