/**
 * Every cause that one gateway can conclude is brought about against real sockets, and must be named rightly
 * on the record. One gateway with a service for each case (told apart by Host), each in front of a raw origin
 * that misbehaves in one way. Retries are off, so that the first attempt's cause is the exchange's.
 *
 * Causes that need a gateway of their own (descriptors, ports, a stall, draining) are in
 * causes-of-the-gateway.test.ts, those of name resolution in causes-of-dns.test.ts.
 */
import { setTimeout as pass } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExchangeRecord } from "../../src/contract/record.ts";
import { CAUSES, type CauseId } from "../../src/kernel/causes.ts";
import { deafListener, type DeafListener } from "../support/deaf-listener.ts";
import { freePort } from "../support/free-port.ts";
import { startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { rawClient, type RawClient } from "../support/raw-client.ts";
import { rawOrigin, response, type RawOrigin, type Script } from "../support/raw-origin.ts";

interface Scene {
  readonly client: RawClient;
  readonly origin: RawOrigin;
  readonly host: string;
  /** `GET /name HTTP/1.1` with Host and `fields`, complete. */
  get(fields?: string): string;
  /** `POST /name` that announces `length` body bytes. */
  post(length: number): string;
}

interface Case {
  /** Host label and path. */
  readonly name: string;
  readonly cause: CauseId;
  readonly title: string;
  readonly origin?: Script;
  /** Instead of the raw origin's. */
  readonly origins?: () => string[];
  readonly service?: Readonly<Record<string, unknown>>;
  /** Plays the client; what it returns is what the client must have seen: a status, or that it was cut, or nothing. */
  readonly act: (scene: Scene) => Promise<number | "cut" | "gone">;
  /** What else the record must say. */
  readonly record?: Partial<ExchangeRecord>;
}

/** Time limits are short here, but far above what a busy test machine needs for a round trip. */
const LIMIT = "1500ms";

const HOLD: Script = async (connection) => {
  await connection.head();
  await connection.over;
};

/** Answers a head with these bytes, then ends like this once the client has them. */
function answerThen(bytes: string, end: "fin" | "rst" | "hold"): Script {
  return async (connection) => {
    await connection.head();
    await connection.send(bytes);
    if (end === "fin") connection.close();
    else await connection.over;
  };
}

let deaf: DeafListener;
let refusingPort = 0;
let gateway: GatewayProcess;
const origins = new Map<string, RawOrigin>();

async function status(scene: Scene, method = "GET"): Promise<number> {
  return (await scene.client.response(method)).status;
}

/** The client has the first bytes of a response that can never become complete. */
async function cutAfter(scene: Scene, mark: string, cut: () => void): Promise<"cut"> {
  await scene.client.received.until(`the bytes ${mark}`, (text) => (text.includes(mark) ? true : null));
  cut();
  await scene.client.over;
  await expect(scene.client.response()).rejects.toThrow(/no complete response/);
  return "cut";
}

async function resetOrigin(scene: Scene): Promise<void> {
  (await scene.origin.connection(1)).reset();
}

/** For answers that may come as a 502 or, once a head was passed on, as a cut connection. */
async function refusedOrCut(scene: Scene): Promise<number | "cut"> {
  try {
    return await status(scene);
  } catch {
    return "cut";
  }
}

const CASES: readonly Case[] = [
  {
    name: "abort-wait-rst",
    cause: "client.abort_wait",
    title: "a client that resets while it waits",
    origin: HOLD,
    async act({ client, origin, get }) {
      await client.send(get());
      await (
        await origin.connection(1)
      ).received.until("the request", (text) => (text.includes("\r\n\r\n") ? true : null));
      client.reset();
      return "gone";
    },
  },
  {
    name: "abort-wait-fin",
    cause: "client.abort_wait",
    title: "a client that closes its side and is given up when the half-closed limit is over",
    origin: HOLD,
    service: { routes: [{ match: { path: "/*" }, timeouts: { firstByte: "60s" } }] },
    async act({ client, get }) {
      await client.send(get());
      client.halfClose();
      await client.over;
      return "gone";
    },
  },
  {
    name: "abort-response",
    cause: "client.abort_body",
    title: "a client that resets during the response body",
    origin: answerThen(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${"x".repeat(1_000)}`, "hold"),
    async act({ client, get }) {
      await client.send(get());
      await client.received.until("a part of the body", (text) => (text.endsWith("xxx") ? true : null));
      client.reset();
      return "gone";
    },
    record: { originStatus: 200 },
  },
  {
    name: "abort-upload",
    cause: "client.abort_body",
    title: "a client that resets during its upload",
    origin: HOLD,
    async act({ client, origin, post }) {
      await client.send(`${post(1_000)}0123456789`);
      await (
        await origin.connection(1)
      ).received.until("a part of the body", (text) => (text.endsWith("789") ? true : null));
      client.reset();
      return "gone";
    },
  },
  {
    name: "slow-head",
    cause: "client.slow",
    title: "a client that never finishes its head",
    async act(scene) {
      await scene.client.send("GET /slow-head HTTP/1.1\r\nHost: slow-head.test\r\nX-More:");
      return status(scene);
    },
  },
  {
    name: "slow-upload",
    cause: "client.slow",
    title: "a client that stops in the middle of its upload",
    origin: HOLD,
    async act(scene) {
      await scene.client.send(`${scene.post(1_000)}0123456789`);
      return status(scene);
    },
  },
  {
    name: "slow-reader",
    cause: "client.slow",
    title: "a client that stops taking the response",
    origin: async (connection) => {
      await connection.head();
      await connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * 1024 * 1024}\r\n\r\n`);
      await connection.send(Buffer.alloc(64 * 1024 * 1024));
    },
    async act({ client, get }) {
      client.pause();
      await client.send(get());
      return "gone";
    },
    record: { originStatus: 200 },
  },
  {
    name: "bare-lf",
    cause: "client.bad_request",
    title: "a request with bare line feeds",
    async act(scene) {
      await scene.client.send("GET /bare-lf HTTP/1.1\nHost: bare-lf.test\n\n");
      return status(scene);
    },
  },
  {
    name: "two-framings",
    cause: "client.bad_request",
    title: "a request with two framings",
    async act(scene) {
      await scene.client.send(
        "POST /two-framings HTTP/1.1\r\nHost: two-framings.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      );
      return status(scene);
    },
  },
  {
    name: "bad-chunk",
    cause: "client.bad_request",
    title: "an upload whose second chunk has no valid size",
    origin: HOLD,
    async act(scene) {
      const head = "POST /bad-chunk HTTP/1.1\r\nHost: bad-chunk.test\r\nTransfer-Encoding: chunked\r\n\r\n";
      await scene.client.send(head, "3\r\nabc\r\n", "zz\r\n");
      return status(scene);
    },
  },
  {
    name: "nobody",
    cause: "gw.no_route",
    title: "a host that no service has",
    async act(scene) {
      await scene.client.send("GET /nobody HTTP/1.1\r\nHost: unknown.example\r\n\r\n");
      return status(scene);
    },
    record: { attempts: [] },
  },
  {
    name: "loop",
    cause: "gw.loop",
    title: "a request that an origin sends back to where it came from",
    origin: async (connection) => {
      await connection.head();
      await connection.send(response(200, "the first pass"));
    },
    async act(scene) {
      await scene.client.send("GET /loop-before HTTP/1.1\r\nHost: loop.test\r\n\r\n");
      expect(await status(scene)).toBe(200);
      const via = /^Via: .*$/im.exec(scene.origin.heads[0] ?? "")?.[0];
      await scene.client.send(scene.get(`${via}\r\n`));
      return status(scene);
    },
    record: { attempts: [] },
  },
  {
    name: "pool-wait",
    cause: "gw.pool_wait",
    title: "a request that finds every connection to the origin busy",
    origin: HOLD,
    service: {
      connections: { perOrigin: 1 },
      routes: [{ match: { path: "/*" }, timeouts: { connect: LIMIT, firstByte: "60s" } }],
    },
    async act(scene) {
      const first = await rawClient(gateway.port);
      await first.send("GET /pool-wait-before HTTP/1.1\r\nHost: pool-wait.test\r\n\r\n");
      await scene.origin.connection(1);
      await scene.client.send(scene.get());
      const seen = await status(scene);
      first.reset();
      return seen;
    },
  },
  {
    name: "unroutable",
    cause: "net.unroutable",
    title: "an address that the kernel has no way to",
    // The kernel refuses TCP to the broadcast address with ENETUNREACH whatever the machine's routes are.
    origins: () => ["http://255.255.255.255:80"],
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
  },
  {
    name: "connect-timeout",
    cause: "net.connect_timeout",
    title: "an address that answers no SYN",
    origins: () => [deaf.url],
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
  },
  {
    name: "deadline-unconnected",
    cause: "gw.deadline",
    title: "a deadline that passes before an address answers SYN",
    origins: () => [deaf.url],
    async act(scene) {
      await scene.client.send(scene.get("X-Request-Timeout: 0.1\r\n"));
      return status(scene);
    },
  },
  {
    name: "half-open",
    cause: "net.half_open",
    title: "a long idle connection that swallows the request",
    origin: async (connection) => {
      await connection.head();
      await connection.send(response(200, "first", { "Keep-Alive": "timeout=120" }));
      connection.stall();
      await connection.over;
    },
    async act(scene) {
      await scene.client.send("GET /half-open-before HTTP/1.1\r\nHost: half-open.test\r\n\r\n");
      expect(await status(scene)).toBe(200);
      // Idle time is the evidence: below half a minute a silent connection speaks for a slow origin.
      await pass(31_000);
      await scene.client.send(scene.get());
      return status(scene);
    },
  },
  {
    name: "reset-in-length",
    cause: "net.mid_reset",
    title: "a reset in the middle of a body with a length",
    origin: answerThen("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart-of-it", "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return cutAfter(scene, "part-of-it", () => void resetOrigin(scene));
    },
    record: { originStatus: 200 },
  },
  {
    name: "reset-in-chunks",
    cause: "net.mid_reset",
    title: "a reset in the middle of a chunked body",
    origin: answerThen("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\npart-of-it\r\n", "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return cutAfter(scene, "part-of-it", () => void resetOrigin(scene));
    },
    record: { originStatus: 200 },
  },
  {
    name: "refused",
    cause: "origin.refused",
    title: "a port on which nothing listens",
    origins: () => [`http://127.0.0.1:${refusingPort}`],
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
    record: { originStatus: 0 },
  },
  {
    name: "keepalive-race",
    cause: "origin.keepalive_race",
    title: "an idle connection that ends when it is used again",
    origin: async (connection) => {
      await connection.head();
      await connection.send(response(200, "first"));
      await connection.head();
      connection.close();
    },
    async act(scene) {
      await scene.client.send("GET /keepalive-race-before HTTP/1.1\r\nHost: keepalive-race.test\r\n\r\n");
      expect(await status(scene)).toBe(200);
      // The connection has to lie idle; one in steady use has not gone stale.
      await pass(250);
      await scene.client.send(`${scene.post(2)}hi`);
      return status(scene);
    },
    record: { originStatus: 0 },
  },
  {
    name: "fin-first",
    cause: "origin.reset_before_response",
    title: "a new connection closed without a byte of response",
    origin: async (connection) => {
      await connection.head();
      connection.close();
    },
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
    record: { originStatus: 0 },
  },
  {
    name: "rst-first",
    cause: "origin.reset_before_response",
    title: "a new connection reset without a byte of response",
    origin: async (connection) => {
      await connection.head();
      connection.reset();
    },
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
    record: { originStatus: 0 },
  },
  {
    name: "cut-in-head",
    cause: "origin.truncated",
    title: "a FIN in the middle of the response head",
    origin: answerThen("HTTP/1.1 200 OK\r\nContent-Le", "fin"),
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
    record: { originStatus: 0 },
  },
  {
    name: "cut-in-length",
    cause: "origin.truncated",
    title: "a FIN before the announced length",
    origin: answerThen("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart-of-it", "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return cutAfter(
        scene,
        "part-of-it",
        () => void scene.origin.connection(1).then((connection) => connection.close()),
      );
    },
    record: { originStatus: 200 },
  },
  {
    name: "cut-in-chunks",
    cause: "origin.truncated",
    title: "a FIN before the last chunk",
    origin: answerThen("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\npart-of-it\r\n", "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return cutAfter(
        scene,
        "part-of-it",
        () => void scene.origin.connection(1).then((connection) => connection.close()),
      );
    },
    record: { originStatus: 200 },
  },
  {
    name: "cut-unframed",
    cause: "origin.truncated_unframed",
    title: "a reset of a body that only a close could have ended",
    origin: answerThen("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\npart-of-it", "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return cutAfter(scene, "part-of-it", () => void resetOrigin(scene));
    },
    record: { originStatus: 200 },
  },
  {
    name: "not-http",
    cause: "origin.malformed",
    title: "another protocol on the origin's port",
    origin: answerThen("SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
  },
  {
    name: "tls-alert",
    cause: "origin.malformed",
    title: "an origin that speaks TLS",
    origin: answerThen("\x15\x03\x01\x00\x02\x02\x0a", "fin"),
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
  },
  {
    name: "bad-field",
    cause: "origin.malformed",
    title: "a response field without a colon",
    origin: answerThen("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nnonsense\r\n\r\nok", "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
  },
  {
    name: "two-lengths",
    cause: "origin.framing",
    title: "a response with two different lengths",
    origin: answerThen("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk", "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
  },
  {
    name: "length-and-chunks",
    cause: "origin.framing",
    title: "a response with a length and chunks",
    origin: answerThen("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
  },
  {
    name: "odd-chunk",
    cause: "origin.framing",
    title: "a response whose chunk has no valid size",
    origin: answerThen("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return refusedOrCut(scene);
    },
  },
  {
    name: "big-head",
    cause: "origin.header_too_big",
    title: "a response head above the limit of bytes",
    origin: answerThen(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Big: ${"x".repeat(40_000)}\r\n\r\nok`, "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
  },
  {
    name: "many-fields",
    cause: "origin.header_too_big",
    title: "a response head above the limit of fields",
    origin: answerThen(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n${"X-Field: x\r\n".repeat(150)}\r\nok`, "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
  },
  {
    name: "ttfb",
    cause: "origin.ttfb_timeout",
    title: "an origin that takes the request and says nothing",
    origin: HOLD,
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
    record: { originStatus: 0 },
  },
  {
    name: "deadline",
    cause: "origin.deadline",
    title: "an origin that has the request when the client's deadline passes",
    origin: HOLD,
    async act(scene) {
      await scene.client.send(scene.get("X-Request-Timeout: 0.1\r\n"));
      return status(scene);
    },
    record: { originStatus: 0 },
  },
  {
    name: "stall",
    cause: "origin.stall_mid_body",
    title: "an origin that stops in the middle of its body",
    origin: answerThen("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart-of-it", "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return cutAfter(scene, "part-of-it", () => {});
    },
    record: { originStatus: 200 },
  },
  {
    name: "write-stall",
    cause: "origin.write_stall",
    title: "an origin that stops taking the upload",
    origin: async (connection) => {
      connection.stall();
      await connection.over;
    },
    async act(scene) {
      const bytes = 64 * 1024 * 1024;
      await scene.client.send(scene.post(bytes));
      // It ends with an error, because the gateway refuses the rest of the body.
      scene.client.send(Buffer.alloc(bytes)).catch(() => {});
      return status(scene, "POST");
    },
  },
  {
    name: "early-reply",
    cause: "origin.early_reply",
    title: "an origin that answers before the upload has ended",
    origin: async (connection) => {
      await connection.head();
      await connection.send(response(413, "too large for me", { Connection: "close" }));
      connection.close();
    },
    async act(scene) {
      await scene.client.send(`${scene.post(1_000)}0123456789`);
      return status(scene, "POST");
    },
    record: { originStatus: 413, status: 413 },
  },
  {
    name: "app-error",
    cause: "origin.app_5xx",
    title: "an application's own 500",
    origin: answerThen(response(500, "the application's words"), "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      const answer = await scene.client.response();
      expect(answer.body).toBe("the application's words");
      return answer.status;
    },
    record: { originStatus: 500, status: 500 },
  },
  {
    name: "nested-via",
    cause: "origin.nested_gw_5xx",
    title: "a 502 that carries another gateway's Via",
    origin: answerThen(response(502, "inner", { Via: "1.1 inner-proxy" }), "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
    record: { originStatus: 502, status: 502 },
  },
  {
    name: "nested-proxy-status",
    cause: "origin.nested_gw_5xx",
    title: "a 504 that carries another gateway's Proxy-Status",
    origin: answerThen(response(504, "inner", { "Proxy-Status": "inner; error=connection_timeout" }), "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      const answer = await scene.client.response();
      expect(answer.headers["proxy-status"]).toMatch(/^inner; error=connection_timeout/);
      return answer.status;
    },
    record: { originStatus: 504, status: 504 },
  },
  {
    name: "overloaded",
    cause: "origin.overload_reply",
    title: "a 503 with Retry-After",
    origin: answerThen(response(503, "later", { "Retry-After": "7" }), "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      const answer = await scene.client.response();
      expect(answer.headers["retry-after"]).toBe("7");
      return answer.status;
    },
    record: { originStatus: 503, status: 503 },
  },
  {
    name: "upgrade-unasked",
    cause: "origin.upgrade_failed",
    title: "a 101 that nobody asked for",
    origin: answerThen("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "hold"),
    async act(scene) {
      await scene.client.send(scene.get());
      return status(scene);
    },
  },
  {
    name: "upgrade-other",
    cause: "origin.upgrade_failed",
    title: "a 101 to another protocol than the one asked for",
    origin: answerThen("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", "hold"),
    async act(scene) {
      await scene.client.send(scene.get("Connection: upgrade\r\nUpgrade: websocket\r\n"));
      return status(scene);
    },
  },
];

/** Causes that are brought about in other files. */
const ELSEWHERE: readonly CauseId[] = [
  "client.rate_limited",
  "client.flood",
  "client.key_missing",
  "client.key_malformed",
  "client.key_reused",
  "client.key_in_flight",
  "gw.answer_not_kept",
  "origin.uncertain",
  "dns.wrong_tenant",
  "gw.fd_exhausted",
  "gw.ports_exhausted",
  "gw.loop_stall",
  "gw.shed",
  "gw.draining",
  "origin.poison",
  "dns.nxdomain",
  "dns.servfail",
  "dns.timeout",
  "dns.empty_or_prohibited",
  "dns.stale_ip",
  "client.tls_not_tls",
  "client.tls_no_shared",
  "client.tls_unknown_name",
  "client.tls_certificate",
  "client.tls_misdirected",
  "client.tls_alert",
  "client.tls_left",
  "client.tls_slow",
  // proxy-protocol.test.ts and src/net/proxy-gate.test.ts.
  "client.not_proxied",
  "gw.proxy_header",
  // src/net/tls-dial.test.ts and src/net/origin-contexts.test.ts, through the whole gateway.
  "tls.not_tls",
  "tls.alert",
  "tls.protocol",
  "tls.handshake_timeout",
  "tls.handshake_closed",
  "tls.cert_time",
  "tls.cert_trust",
  "tls.cert_name",
  "tls.cert_pin",
  "tls.client_cert",
  "tls.files",
  // src/gateway/opening.test.ts.
  "origin.socket_missing",
  "origin.socket_denied",
  "origin.socket_full",
  // src/gateway/judge-http2.test.ts and src/gateway/grpc.test.ts, through the whole gateway.
  "origin.h2_refused",
  "origin.h2_handshake",
  "origin.h2_reset",
  "origin.h2_protocol",
  "origin.grpc_error",
  // Of an attempt, never of an exchange: resume.test.ts.
  "origin.resume_mismatch",
];

/** Causes that no test can bring about from outside, and why. */
const NOT_INDUCED: Partial<Record<CauseId, string>> = {
  "gw.internal": "it is a bug in the gateway; a known one would be mended, not tested",
  "origin.all_unhealthy":
    "a pool whose origins have addresses always has one to pick (it fails open), and one without gets the cause of its name",
  "gw.key_unprotected":
    "the file of keys must fail while the gateway runs; keyed-exchange.test.ts does it with a ledger that can fail",
  "gw.mem_or_buffers": "the kernel refuses memory to sockets only when the whole machine has run out",
};

beforeAll(async () => {
  deaf = await deafListener();
  refusingPort = await freePort();
  for (const { name, origin } of CASES) {
    if (origin !== undefined) origins.set(name, await rawOrigin(origin));
  }
  gateway = await startGateway({
    records: { sample: "100%", sampled: 100_000 },
    accessLog: false,
    listener: { timeouts: { head: LIMIT, bodyGap: LIMIT, halfClosed: LIMIT } },
    services: Object.fromEntries(
      CASES.filter((one) => one.origin ?? one.origins).map((one) => [one.name, serviceOf(one)]),
    ),
  });
});

afterAll(async () => {
  await gateway?.stop();
  await deaf?.stop();
  for (const origin of origins.values()) await origin.close();
});

function serviceOf({ name, origins: given, service }: Case): Record<string, unknown> {
  return {
    hosts: [`${name}.test`],
    pools: [{ name: "only", origins: given?.() ?? [origins.get(name)?.url] }],
    health: false,
    retry: false,
    routes: [{ match: { path: "/*" }, timeouts: { connect: LIMIT, firstByte: LIMIT, gap: LIMIT } }],
    ...service,
  };
}

// The cases do not know of each other, and most of them wait for a time limit: together they take as long as the longest.
describe.concurrent("a cause is named for what really happened", () => {
  for (const one of CASES) {
    it(`${one.cause}: ${one.title}`, async () => {
      const client = await rawClient(gateway.port);
      const host = `${one.name}.test`;
      // The cases without a raw origin never look at it.
      const origin = origins.get(one.name) as RawOrigin;
      const seen = await one.act({
        client,
        origin,
        host,
        get: (fields = "") => `GET /${one.name} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`,
        post: (length) => `POST /${one.name} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${length}\r\n\r\n`,
      });
      const record = await gateway.record(
        `${one.name} from port ${client.localPort}`,
        ({ peerPort, target }) => peerPort === client.localPort && !target.endsWith("-before"),
      );
      client.close();

      const cause = CAUSES[one.cause];
      expect(record, `${record.cause}: ${record.evidence}`).toMatchObject({
        cause: one.cause,
        party: cause.party,
        ...one.record,
      });
      expect(record.evidence).not.toBe("");
      expect(record.attempts.length).toBeLessThanOrEqual(1);
      if (typeof seen === "number") expect(seen).toBe(expectedStatus(one));
    });
  }
});

describe("the table of causes", () => {
  it("has no row that is neither brought about by a test nor excused with a reason", () => {
    const covered = new Set<string>([...CASES.map((one) => one.cause), ...ELSEWHERE, ...Object.keys(NOT_INDUCED)]);
    expect(Object.keys(CAUSES).filter((id) => !covered.has(id))).toEqual([]);
  });
});

function expectedStatus(one: Case): number {
  return one.record?.status ?? CAUSES[one.cause].status;
}
