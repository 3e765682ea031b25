/** What happens between this machine and an origin. Rows of the table of causes (causes.ts). */
import type { CauseRow } from "../causes.ts";

export const NETWORK_CAUSES = {
  "net.unroutable": {
    party: "network",
    status: 502,
    proxyStatus: "destination_ip_unroutable",
    retryClass: "R0",
    title: "No way to the address",
    means: "The network says that there is no way to the origin's address.",
    evidence:
      "ENETUNREACH within milliseconds (no route), or EHOSTUNREACH after about three seconds (the machine does not answer on its own network). Silence would be net.connect_timeout.",
    lookFirst:
      "Try the other address family and the routes of this machine; then whether the origin's machine exists at all.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "EUNREACH"],
      nginx: ["connect() failed (113: No route to host)", "connect() failed (101: Network is unreachable)"],
      cloudflare: ["523"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "net.connect_timeout": {
    party: "network",
    status: 504,
    proxyStatus: "connection_timeout",
    retryClass: "R0",
    title: "Connecting took too long",
    means: "The origin's address did not answer the attempt to connect. Nothing of the request was sent.",
    evidence:
      "No connection by the deadline and no error either. A firewall that drops and an origin whose queue for new connections is full look the same from here; a closed port would be origin.refused.",
    lookFirst:
      "Does the machine answer on another port? Then look at the origin's firewall and at its accept queue (ListenOverflows). If it answers nowhere, it is the path or the machine.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["sC"],
      nginx: ["upstream timed out (110: Connection timed out) while connecting to upstream"],
      cloudflare: ["522"],
      alb: ["504"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "net.half_open": {
    party: "network",
    status: 504,
    proxyStatus: "connection_read_timeout",
    retryClass: "R1",
    title: "Idle connection silently dropped",
    means:
      "A connection that had been idle swallowed the request: something between dropped it without telling either end.",
    evidence:
      "A reused connection with a long idle time, no byte and no error until the deadline, while new connections to the same address work. Told from origin.ttfb_timeout by that comparison.",
    lookFirst:
      "Find the device between that forgets idle connections (often at 350 s or less) and keep `connections.idle` below it.",
    equivalents: {
      envoy: ["UT"],
      haproxy: ["sH", "sD"],
      nginx: ["upstream timed out (110: Connection timed out) while reading response header from upstream"],
      cloudflare: ["522", "524"],
      alb: ["504"],
      google: ["backend_timeout"],
    },
  },
  "net.mid_reset": {
    party: "network",
    status: 502,
    proxyStatus: "connection_terminated",
    retryClass: "R2",
    title: "Reset during the response",
    means:
      "The connection was reset while the response was under way, by the path or by a crashing origin; the client's copy was cut, too, unless another origin could go on with it.",
    evidence:
      "RST (ECONNRESET while reading) after response bytes and before the framing said that all had come. A FIN at that point is origin.truncated.",
    lookFirst:
      "If the origin's log shows these requests as complete, look at the path; if it shows nothing or a crash, at the origin.",
    equivalents: {
      envoy: ["UC", "UR"],
      haproxy: ["SD", "ERESET"],
      nginx: ["recv() failed (104: Connection reset by peer) while reading upstream"],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["backend_connection_closed_after_partial_response_sent"],
    },
  },
} as const satisfies Record<string, CauseRow>;
