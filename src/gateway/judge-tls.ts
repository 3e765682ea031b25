/**
 * Judge: why TLS was not agreed on, from what OpenSSL, Node or tls-verify said. Until then nothing of a request has
 * left, so all of these may go to another origin.
 *
 * One comes later: in TLS 1.3 a client has finished before the server has looked at its certificate, so a server that
 * does not want it says so when the request may be on its way. It reads none of it before that (RFC 8446 §4.4.2), so
 * this one is as safe as the others.
 */
import type { CauseId } from "../kernel/causes.ts";
import type { SocketError } from "../kernel/socket.ts";
import { TLS_ALERTS } from "../kernel/tls-alerts.ts";
import type { AttemptFacts, Judgement } from "./judge.ts";

/** TCP was connected, and TLS was not agreed on. */
export function judgeHandshake(error: SocketError, facts: AttemptFacts): Judgement {
  const after = `after ${Math.round(facts.sinceSentMs)} ms`;
  const { code, alert, detail = "" } = error;
  if (code === "FIN" || error.syscall !== "tls") {
    const how = code === "FIN" ? "FIN" : `${code} on ${error.syscall || "the connection"}`;
    return { cause: "tls.handshake_closed", evidence: `${how} in the middle of the TLS handshake, ${after}` };
  }
  if (alert !== undefined) {
    const cause = ABOUT_OUR_CERTIFICATE.has(alert) ? "tls.client_cert" : "tls.alert";
    return { cause, evidence: `the origin ended the TLS handshake with the alert ${alertText(alert)}, ${after}` };
  }
  const said = detail === "" ? code : `${code}: ${detail}`;
  const cause = BY_CODE[code] ?? (NOT_TLS.has(code) ? "tls.not_tls" : "tls.protocol");
  return { cause, evidence: `${said}, ${after}` };
}

/** Null: it is no such alert. Only on a new connection: on one that was answered before, the certificate was good. */
export function judgeLateAlert(error: SocketError, facts: AttemptFacts): Judgement | null {
  const { alert } = error;
  if (alert === undefined || !ABOUT_OUR_CERTIFICATE.has(alert)) return null;
  if (facts.tls !== "TLSv1.3" || facts.reused || facts.receivedBytes > 0) return null;
  return {
    cause: "tls.client_cert",
    evidence: `the origin answered our certificate, or that there is none, with the alert ${alertText(alert)}; it has read nothing of the request`,
  };
}

/** certificate_required, and all that begin with what is wrong with a certificate that was shown. */
const ABOUT_OUR_CERTIFICATE: ReadonlySet<number> = new Set([41, 42, 43, 44, 45, 46, 48, 49, 113, 116]);

/** The first bytes are no record of TLS: OpenSSL tries to read a version or a length out of them. */
const NOT_TLS: ReadonlySet<string> = new Set([
  "ERR_SSL_WRONG_VERSION_NUMBER",
  "ERR_SSL_PACKET_LENGTH_TOO_LONG",
  "ERR_SSL_HTTP_REQUEST",
  "ERR_SSL_HTTPS_PROXY_REQUEST",
  "ERR_SSL_UNKNOWN_PROTOCOL",
  "ERR_SSL_RECORD_LAYER_FAILURE",
  "ERR_SSL_BAD_RECORD_TYPE",
]);

const TRUST: CauseId = "tls.cert_trust";
const BY_CODE: Readonly<Record<string, CauseId>> = {
  CERT_HAS_EXPIRED: "tls.cert_time",
  CERT_NOT_YET_VALID: "tls.cert_time",
  ERR_TLS_CERT_ALTNAME_INVALID: "tls.cert_name",
  HOSTNAME_MISMATCH: "tls.cert_name",
  PIN_MISMATCH: "tls.cert_pin",
  ERR_TLS_FILES: "tls.files",
  NO_CERTIFICATE: TRUST,
  DEPTH_ZERO_SELF_SIGNED_CERT: TRUST,
  SELF_SIGNED_CERT_IN_CHAIN: TRUST,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: TRUST,
  UNABLE_TO_GET_ISSUER_CERT: TRUST,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: TRUST,
  CERT_SIGNATURE_FAILURE: TRUST,
  CERT_CHAIN_TOO_LONG: TRUST,
  CERT_REVOKED: TRUST,
  CERT_UNTRUSTED: TRUST,
  CERT_REJECTED: TRUST,
  INVALID_CA: TRUST,
  INVALID_PURPOSE: TRUST,
  PATH_LENGTH_EXCEEDED: TRUST,
};

function alertText(number: number): string {
  return `${TLS_ALERTS[number] ?? "of an unknown kind"} (${number})`;
}
