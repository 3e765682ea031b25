/**
 * Whether an origin is who it has to be: its chain, its name, its pins, in this order, each failure with the certificate
 * that was shown. Node would do the first two by itself and then keep the certificate from whoever hears of the failure.
 *
 * A session that goes on shows no certificate; it was kept because the handshake that began it had passed here, with the
 * same settings.
 */
import crypto from "node:crypto";
import net from "node:net";
import type tls from "node:tls";
import type { OriginCertificate, OriginTls, SocketError } from "../kernel/socket.ts";

/** Longer chains are no chains. */
const CHAIN_MAX = 12;

/** Null: it is. */
export function verifyOrigin(
  socket: tls.TLSSocket,
  leaf: crypto.X509Certificate | null,
  settings: OriginTls,
): SocketError | null {
  const { verify, serverName, pins } = settings;
  if (!verify && pins.length === 0) return null;
  if (leaf === null) return { code: "NO_CERTIFICATE", syscall: "tls", detail: "the origin showed no certificate" };
  if (verify) {
    const failed = chainFailure(socket);
    if (failed !== null) return { code: failed, syscall: "tls", detail: certificateText(leaf) };
    if (!isFor(leaf, serverName)) {
      const detail = `${certificateText(leaf)}; wanted is ${serverName}`;
      return { code: "ERR_TLS_CERT_ALTNAME_INVALID", syscall: "tls", detail };
    }
  }
  if (pins.length === 0 || isPinned(leaf, pins, verify)) return null;
  return { code: "PIN_MISMATCH", syscall: "tls", detail: `${certificateText(leaf)}, key sha256/${pinOf(leaf)}` };
}

/** RFC 9525 §6.3: by the names that it lists, never by its subject, and a wildcard stands for one whole label. */
function isFor(leaf: crypto.X509Certificate, serverName: string): boolean {
  if (net.isIP(serverName) !== 0) return leaf.checkIP(serverName) !== undefined;
  return leaf.checkHost(serverName, { subject: "never", partialWildcards: false }) !== undefined;
}

/** For tests and for people who write pins. */
export function pinOf(certificate: crypto.X509Certificate): string {
  const key = certificate.publicKey.export({ type: "spki", format: "der" });
  return crypto.createHash("sha256").update(key).digest("base64");
}

/**
 * A pin holds when the leaf has it, or a certificate above it. What a server sends as its chain proves nothing by being
 * sent, so each step up counts only when the signature says so. Unverified there is no chain, and only the leaf counts.
 */
function isPinned(leaf: crypto.X509Certificate, pins: readonly string[], withChain: boolean): boolean {
  let certificate = leaf;
  for (let step = 0; step < CHAIN_MAX; step += 1) {
    if (pins.includes(pinOf(certificate))) return true;
    const issuer = certificate.issuerCertificate;
    if (!withChain || issuer === undefined || issuer.fingerprint256 === certificate.fingerprint256) return false;
    if (!certificate.verify(issuer.publicKey)) return false;
    certificate = issuer;
  }
  return false;
}

/** OpenSSL's word for what is wrong with the chain; null: nothing. Node has it as a text or as an error. */
function chainFailure(socket: tls.TLSSocket): string | null {
  if (socket.authorized) return null;
  const said: unknown = socket.authorizationError;
  if (said instanceof Error) return (said as NodeJS.ErrnoException).code ?? said.message;
  return typeof said === "string" ? said : "CERT_REJECTED";
}

export function certificateOf(leaf: crypto.X509Certificate): OriginCertificate {
  let chainUntil = 0;
  let above = leaf.issuerCertificate;
  for (let step = 0; step < CHAIN_MAX && above !== undefined; step += 1) {
    const until = above.validToDate.getTime();
    chainUntil = chainUntil === 0 ? until : Math.min(chainUntil, until);
    above = above.issuerCertificate?.fingerprint256 === above.fingerprint256 ? undefined : above.issuerCertificate;
  }
  return {
    names: namesOf(leaf).slice(0, NAMES_KEPT),
    issuer: commonName(leaf.issuer),
    from: leaf.validFromDate.getTime(),
    until: leaf.validToDate.getTime(),
    chainUntil,
    fingerprint: leaf.fingerprint256.replaceAll(":", "").toLowerCase(),
  };
}

/** `certificate of shop.example.com by R11, 2026-01-01 to 2026-04-01`. */
export function certificateText(certificate: crypto.X509Certificate): string {
  const { subject, issuer, validFromDate, validToDate } = certificate;
  const names = namesOf(certificate);
  const shown = names.slice(0, NAMES_SHOWN);
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : "";
  const of = shown.length === 0 ? commonName(subject) : `${shown.join(", ")}${more}`;
  return `certificate of ${of} by ${commonName(issuer)}, ${day(validFromDate)} to ${day(validToDate)}`;
}

function namesOf({ subjectAltName }: crypto.X509Certificate): string[] {
  return (subjectAltName ?? "")
    .split(", ")
    .map((name) => printable(name.replace(/^(?:DNS|IP Address):/, "")))
    .filter((name) => name !== "");
}

const NAMES_SHOWN = 3;
const NAMES_KEPT = 20;
const NAME_BYTES_MAX = 100;

function commonName(name: string): string {
  const lines = (name ?? "").split("\n");
  const common = lines.find((line) => line.startsWith("CN=")) ?? lines[0] ?? "";
  const text = printable(common.replace(/^CN=/, ""));
  return text === "" ? "nobody" : text;
}

/** And bounded: it goes into records and on terminals, and an origin chose it. */
function printable(text: string): string {
  return text.replace(/[^ -~]/g, "?").slice(0, NAME_BYTES_MAX);
}

function day(date: Date): string {
  return Number.isNaN(date.getTime()) ? "?" : date.toISOString().slice(0, 10);
}
