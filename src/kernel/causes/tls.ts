/** Each way in which a handshake of TLS with an origin fails. Rows of the table of causes (causes.ts). */
import type { CauseRow } from "../causes.ts";

export const TLS_CAUSES = {
  "tls.not_tls": {
    party: "configuration",
    status: 502,
    proxyStatus: "tls_protocol_error",
    retryClass: "R0",
    title: "Origin does not speak TLS",
    means: "The origin's URL says `https`, and what answered there does not speak TLS: usually plain HTTP.",
    evidence:
      "The first bytes that came back in the handshake are no record of TLS. One that speaks plain HTTP and waits for more ends in tls.handshake_timeout instead, one that closes in tls.handshake_closed; the probe ladder tells them apart by asking without TLS.",
    lookFirst: "Compare scheme and port of the origin with what it listens on; `http://` is for plain ports.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_HANDSHAKE"],
      nginx: ["SSL_do_handshake() failed"],
      cloudflare: ["525"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.alert": {
    party: "origin",
    status: 502,
    proxyStatus: "tls_alert_received",
    retryClass: "R0",
    title: "Origin refused the TLS handshake",
    means: "The origin ended the handshake with an alert: it does not want to speak TLS in this way.",
    evidence:
      "The alert's name and number stand in the evidence (RFC 8446 §6). handshake_failure and protocol_version mean nothing in common, unrecognized_name a name that it does not serve. Alerts about our own certificate are tls.client_cert.",
    lookFirst:
      "Look up the alert. For unrecognized_name set `tls.serverName`; for protocol_version compare `tls.minVersion` with what the origin offers; an old origin that says handshake_failure may want a client certificate.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_HANDSHAKE"],
      nginx: ["SSL_do_handshake() failed"],
      cloudflare: ["525"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.protocol": {
    party: "configuration",
    status: 502,
    proxyStatus: "tls_protocol_error",
    retryClass: "R0",
    title: "No TLS in common with the origin",
    means:
      "The origin speaks TLS, and this gateway ended the handshake: the version, the keys or a message of the origin's are not what it accepts.",
    evidence:
      "OpenSSL's word for what was wrong stands in the evidence, and no alert came. Bytes that are no TLS at all are tls.not_tls; a certificate that was not accepted is one of tls.cert_time, tls.cert_trust, tls.cert_name, tls.cert_pin.",
    lookFirst:
      "Compare `tls.minVersion` with the versions that the origin offers, and renew keys that are shorter than 2048 bits.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_HANDSHAKE"],
      nginx: ["SSL_do_handshake() failed"],
      cloudflare: ["525"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.handshake_timeout": {
    party: "origin",
    status: 504,
    proxyStatus: "connection_timeout",
    retryClass: "R0",
    title: "TLS handshake not done in time",
    means: "The TCP connection stood, and the TLS handshake was not over before `timeouts.handshake`.",
    evidence:
      "TCP connected and the handshake did not end. Silence before TCP is net.connect_timeout. A machine that is short of processor answers late; a path that drops large packets loses the certificates, which come in the largest; a plain port waits for a request.",
    lookFirst:
      "Compare with the origin's load. If small handshakes (resumed ones) work and full ones do not, look at packet sizes on the way (MTU).",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_TIMEOUT"],
      nginx: ["upstream timed out (110: Connection timed out) while SSL handshaking to upstream"],
      cloudflare: ["522", "525"],
      alb: ["504"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.handshake_closed": {
    party: "origin",
    status: 502,
    proxyStatus: "tls_protocol_error",
    retryClass: "R0",
    title: "Origin hung up in the TLS handshake",
    means: "The origin closed or reset the connection in the middle of the TLS handshake, without an alert.",
    evidence:
      "FIN or RST between TCP being connected and the end of the handshake. With an alert it is tls.alert; a reset instead of the TCP connection is origin.refused.",
    lookFirst:
      "Ask for the name by hand: `openssl s_client -connect HOST:PORT -servername NAME`. Servers do this for names that they do not know, and some for a client certificate that is missing; behind a balancer it can be that nothing listens.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_EMPTY", "SSL_ABORT"],
      nginx: ["peer closed connection in SSL handshake"],
      cloudflare: ["525"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.cert_time": {
    party: "origin",
    status: 502,
    proxyStatus: "tls_certificate_error",
    retryClass: "R0",
    title: "Origin's certificate is out of date",
    means: "The origin's certificate, or one above it, has expired or is not valid yet, by this machine's clock.",
    evidence:
      "The dates stand in the evidence. When certificates of several origins that have nothing in common fail like this at once, it is this machine's clock; one alone is that certificate.",
    lookFirst:
      "Renew the certificate and see that the server loaded it. If `goodgate doctor` says that the clock is off, set the clock first.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_CRT_FAIL"],
      nginx: ["upstream SSL certificate verify error"],
      cloudflare: ["526"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.cert_trust": {
    party: "origin",
    status: 502,
    proxyStatus: "tls_certificate_error",
    retryClass: "R0",
    title: "Origin's certificate is not trusted",
    means: "The origin's certificate does not lead to an authority that is trusted here.",
    evidence:
      "OpenSSL's word stands in the evidence: self-signed, an issuer that is not known, a chain whose middle the server does not send. It may be right for a name and a time for which it is not trusted; those are tls.cert_name and tls.cert_time.",
    lookFirst:
      "If the authority is your own, name it under `tls.ca`. Otherwise let the server send the certificates between as well: `openssl s_client -showcerts`.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_CA_FAIL"],
      nginx: ["upstream SSL certificate verify error"],
      cloudflare: ["526"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.cert_name": {
    party: "origin",
    status: 502,
    proxyStatus: "tls_certificate_error",
    retryClass: "R0",
    title: "Origin's certificate is for another name",
    means: "The origin proved to be somebody, and not the one that is wanted.",
    evidence:
      "A certificate that is trusted and in its time, whose names do not have the one that was asked for; both stand in the evidence. At an address that the name has left it is dns.stale_ip. After a change of the certificate it is the certificate, otherwise somebody else lives at that address now.",
    lookFirst:
      "Read the names. Your own under another name: set `tls.serverName`. A stranger's: look at the DNS records of the origin.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_MISMATCH_SNI"],
      nginx: ["upstream SSL certificate does not match"],
      cloudflare: ["526", "1013"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.cert_pin": {
    party: "configuration",
    status: 502,
    proxyStatus: "tls_certificate_error",
    retryClass: "R0",
    title: "Origin's key is none of those pinned",
    means: "The origin's certificate is good, and neither its key nor one above it is among the `pins`.",
    evidence:
      "The key's pin stands in the evidence. It is either a new key that nobody pinned, or somebody between who has a certificate that is trusted.",
    lookFirst:
      "Compare the pin with what the people who run the origin say. Only then add it; keep a spare one pinned before keys change.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC"],
      cloudflare: ["526"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.client_cert": {
    party: "configuration",
    status: 502,
    proxyStatus: "tls_alert_received",
    retryClass: "R0",
    title: "Origin wants another client certificate",
    means:
      "The origin asks for a certificate of this gateway and got none, or does not accept the one that it was shown.",
    evidence:
      "An alert about our certificate: certificate_required, bad_certificate, certificate_expired, unknown_ca and the like. In TLS 1.3 it comes after this side has finished the handshake, even after the request was handed over; the origin never takes a request before it is satisfied, so it is safe to send again.",
    lookFirst: "Name a certificate under `tls.clientCertificate`, or renew it; see that the origin trusts its issuer.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "SSL_HANDSHAKE"],
      nginx: ["SSL_do_handshake() failed"],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "tls.files": {
    party: "configuration",
    status: 502,
    proxyStatus: "tls_protocol_error",
    retryClass: "R0",
    title: "Certificate files cannot be used",
    means: "A file that is named under `tls` of the service or the pool cannot be read, or is not what it has to be.",
    evidence:
      "No connection was made. The file and what is wrong with it stand in the evidence. A start with such a file is refused; this is one that came with a change of the configuration.",
    lookFirst: "Repair the file or its rights; `goodgate doctor` looks at all of them.",
    equivalents: {},
  },
} as const satisfies Record<string, CauseRow>;
