/** Origins that cannot be connected to, or break a connection before anything of a response has come. Rows of the table of causes (causes.ts). */
import type { CauseRow } from "../causes.ts";

export const ORIGIN_CONNECTION_CAUSES = {
  "origin.uncertain": {
    party: "origin",
    status: 409,
    proxyStatus: "proxy_internal_response",
    retryClass: "RX",
    title: "May have been carried out before",
    means:
      "A request with this Idempotency-Key was sent before and never answered, so it may have been carried out. It was not sent again, because that could carry it out twice.",
    evidence:
      "The ledger has the key as uncertain: the origin broke off, answered too late, or the gateway was interrupted meanwhile. A request that is still under way is client.key_in_flight.",
    lookFirst:
      "Look in the origin's own records for the key, then settle it: `goodgate keys resolve KEY --executed` or `--not-executed`. Origins that honour the key themselves make this unnecessary (`idempotencyKey: { origins: honour }`).",
    equivalents: {},
  },
  "origin.refused": {
    party: "origin",
    status: 502,
    proxyStatus: "connection_refused",
    retryClass: "R0",
    title: "Connection refused",
    means: "The origin's machine answers but nothing listens on that port.",
    evidence:
      "ECONNREFUSED within a round trip. The machine is up and reachable: that is what tells it from every timeout.",
    lookFirst:
      "Is the process running, and on that port and address? A restart shows as a short burst that ends by itself.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC", "EREFUSED"],
      nginx: ["connect() failed (111: Connection refused)"],
      cloudflare: ["521"],
      alb: ["502"],
      google: ["failed_to_connect_to_backend"],
    },
  },
  "origin.socket_missing": {
    party: "origin",
    status: 502,
    proxyStatus: "connection_refused",
    retryClass: "R0",
    title: "No such Unix socket",
    means: "The origin is a Unix socket, and there is no file at its path.",
    evidence:
      "ENOENT when connecting. A file that is there and has no listener would be origin.refused; one that may not be opened, origin.socket_denied.",
    lookFirst:
      "Has the application started, and with this path? In a container the directory has to be shared with it under the same name.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC"],
    },
  },
  "origin.socket_denied": {
    party: "configuration",
    status: 502,
    proxyStatus: "connection_refused",
    retryClass: "R0",
    title: "Unix socket may not be opened",
    means: "The user that the gateway runs as may not connect to the origin's Unix socket.",
    evidence:
      "EACCES or EPERM when connecting: the file exists, or a directory on its path cannot be searched. A missing file would be origin.socket_missing.",
    lookFirst:
      "Compare the owner, the group and the mode of the file and of its directories with the gateway's user: connecting takes write permission.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC"],
    },
  },
  "origin.socket_full": {
    party: "overload",
    status: 503,
    proxyStatus: "connection_limit_reached",
    retryClass: "R0",
    title: "Queue of the Unix socket is full",
    means: "The origin does not accept connections as fast as they come: its Unix socket has no room for another.",
    evidence:
      "EAGAIN when connecting. A Unix socket says at once what a TCP port would say by silence (net.connect_timeout).",
    lookFirst:
      "Look whether the application is stuck or has too few workers; then at its backlog and at net.core.somaxconn, which bounds it.",
    equivalents: {
      envoy: ["UF"],
      haproxy: ["SC"],
    },
  },
  "origin.keepalive_race": {
    party: "configuration",
    status: 502,
    proxyStatus: "connection_terminated",
    retryClass: "R1",
    title: "Idle connection reused too late",
    means:
      "The origin closed an idle connection at the very moment at which the gateway used it again. Neither is broken: their idle times are too close together.",
    evidence:
      "The connection was reused and idle before, ended by FIN or RST before any response byte and within about a round trip, while new connections work. More frequent when traffic is low. On a new connection it would be origin.reset_before_response.",
    lookFirst:
      "Give the origin a longer idle timeout than the gateway's, or lower `connections.idle` to a second or two below the origin's. The gateway also learns it and retires connections earlier.",
    equivalents: {
      envoy: ["UC"],
      haproxy: ["SH"],
      nginx: [
        "upstream prematurely closed connection while reading response header from upstream",
        "recv() failed (104: Connection reset by peer) while reading response header from upstream",
      ],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["backend_connection_closed_before_data_sent_to_client"],
    },
  },
  "origin.reset_before_response": {
    party: "origin",
    status: 502,
    proxyStatus: "connection_terminated",
    retryClass: "R1",
    title: "Closed without a response",
    means: "The origin accepted the connection and the request, then closed or reset it without one byte of response.",
    evidence:
      "FIN or RST after connecting and before any response byte, on a new connection or one that was too busy to have gone stale. On an idle one it is origin.keepalive_race.",
    lookFirst:
      "Look for crashes and out-of-memory kills at that time. If one path or body repeats, that request kills the process.",
    equivalents: {
      envoy: ["UC", "UR"],
      haproxy: ["SH"],
      nginx: [
        "upstream prematurely closed connection while reading response header from upstream",
        "recv() failed (104: Connection reset by peer) while reading response header from upstream",
      ],
      cloudflare: ["520"],
      alb: ["502"],
      google: ["backend_connection_closed_before_data_sent_to_client"],
    },
  },
} as const satisfies Record<string, CauseRow>;
