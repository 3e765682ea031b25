/**
 * What follows from a listener's TLS, or from that of the listener beside it, for each request: who may ask for which
 * host, what origins are told of a client's certificate, what browsers are told of the scheme, and who is sent there.
 */
import type { ClientCertificateSettings, ListenerSettings } from "../config/settings.ts";
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import { ruleFor } from "../kernel/host-rules.ts";
import type { TlsView } from "../kernel/socket.ts";
import type { ClientHost } from "./client-host.ts";
import type { PeerIdentity } from "./identify.ts";
import { answerOf } from "./stored-answer.ts";
import type { StoredAnswer } from "./stored-answer.ts";

/** RFC 8555 §8.3: who asks for this asks the listener itself, without TLS, because there is no certificate yet. */
const CHALLENGE = "/.well-known/acme-challenge/";
const CHALLENGE_BYTES_MAX = 256;
/** No more than a token (RFC 8555 §8.3): a path that leads elsewhere by way of `..` is none. */
const ASKS_FOR_PROOF = /^\/\.well-known\/acme-challenge\/[\w-]*(?:\?.*)?$/;
const DOT = 46;
const HTTPS_PORT = 443;

/** A whole line; empty: none. Over plain HTTP nobody heeds it (RFC 6797 §8.1), and nobody may send it (§7.2). */
export function hstsLine({ hsts }: ListenerSettings): string {
  return hsts === "" ? "" : `Strict-Transport-Security: ${hsts}\r\n`;
}

/** Whether an origin says it itself: then its own word holds. */
export function hasHsts(head: MessageHead): boolean {
  for (let i = 0; i < head.fieldCount; i += 1) if (head.named(i, "strict-transport-security")) return true;
  return false;
}

/** Whether the connection was made by this rule, or by one that believes the same authorities and asks alike. */
function isBy(rule: ClientCertificateSettings, tls: TlsView | null): boolean {
  const made = tls?.rule;
  return made !== undefined && made.ca === rule.ca && made.isRequired === rule.isRequired;
}

/**
 * RFC 9440, whole lines; empty: nothing is told. Only of a host by whose rule the certificate was asked for: by another
 * rule other authorities are believed.
 */
export function clientCertificateLines(
  rules: readonly ClientCertificateSettings[],
  tls: TlsView | null,
  host: string,
): string {
  const client = tls?.client ?? null;
  const rule = rules[ruleFor(rules, host)];
  if (client === null || rule === undefined || !isBy(rule, tls)) return "";
  const [own = "", ...issuers] = client.chain.map((der) => `:${der}:`);
  const chain = rule.chain && issuers.length > 0 ? `Client-Cert-Chain: ${issuers.join(", ")}\r\n` : "";
  return `Client-Cert: ${own}\r\n${chain}`;
}

/** The host has a rule for clients' certificates, and the connection was made by another, or by none. */
export function isMisdirected(rules: readonly ClientCertificateSettings[], tls: TlsView | null, host: string): boolean {
  const rule = rules[ruleFor(rules, host)];
  return rule !== undefined && !isBy(rule, tls);
}

/**
 * Where a request without TLS is sent; empty: it stays; null: it may not stay, and names no host to be sent to
 * (HTTP/1.0, or an empty Host). What a trusted proxy in front took off counts as TLS.
 */
export function redirectOf(
  redirectPort: number,
  head: MessageHead,
  host: ClientHost,
  peer: PeerIdentity,
): string | null {
  const target = head.targetForm === "asterisk" ? "/" : head.bytes.latin1Slice(head.pathStart, head.targetEnd);
  const spoken = peer.trusted ? (head.valueOf(FIELD.X_FORWARDED_PROTO) ?? peer.scheme) : peer.scheme;
  if (spoken.toLowerCase() === "https" || ASKS_FOR_PROOF.test(target)) return "";
  if (host.name === "") return null;
  const name = host.field.replace(/:\d*$/, "");
  const port = redirectPort === HTTPS_PORT ? "" : `:${redirectPort}`;
  return `https://${name}${port}${target.startsWith("/") ? target : "/"}`;
}

/** What an authority asks for; empty: this is nothing of the kind. */
export function challengeOf(head: MessageHead): string {
  // Every request comes by here, and the second byte of nearly all paths is no dot.
  if (head.bytes[head.pathStart + 1] !== DOT || head.method !== "GET") return "";
  if (head.targetEnd - head.pathStart > CHALLENGE_BYTES_MAX) return "";
  const target = head.bytes.latin1Slice(head.pathStart, head.targetEnd);
  return target.startsWith(CHALLENGE) ? target.slice(CHALLENGE.length) : "";
}

export function challengeAnswer(answer: string, date: string): StoredAnswer {
  const head = Buffer.from(
    `HTTP/1.1 200 OK\r\nDate: ${date}\r\nContent-Type: application/octet-stream\r\nContent-Length: ${answer.length}\r\n\r\n`,
    "latin1",
  );
  return { head, lines: "", body: answerOf([Buffer.from(answer, "latin1")]) };
}

/** A whole response head. 308 keeps method and body (RFC 9110 §15.4.9). */
export function redirectHead(location: string, date: string): Buffer {
  return Buffer.from(
    `HTTP/1.1 308 Permanent Redirect\r\nDate: ${date}\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`,
    "latin1",
  );
}
