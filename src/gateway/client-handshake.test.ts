import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway, MemoryGatewayOptions } from "../../test/support/memory-gateway.ts";
import type { TlsView } from "../kernel/socket.ts";
import { handshakeFailure } from "./client-handshake.ts";

const CERTIFICATES = [{ cert: "shop.pem", key: "shop.key" }];
const AGREED: TlsView = {
  version: "TLSv1.3",
  cipher: "TLS_AES_128_GCM_SHA256",
  serverName: "shop.test",
  alpn: "http/1.1",
  resumed: false,
};

function secureGateway(options: MemoryGatewayOptions = {}): Promise<MemoryGateway> {
  return memoryGateway({ ...options, listener: { tls: { certificates: CERTIFICATES }, ...options.listener } });
}

describe("a client with TLS", () => {
  it("is served, and its record says what was agreed on", async () => {
    const world = await secureGateway();
    const client = world.client();
    client.secure(AGREED);
    client.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    expect(world.origin(1).received).toContain("X-Forwarded-Proto: https\r\n");
    expect(world.origin(1).received).toContain("Forwarded: for=192.0.2.7;host=shop.test;proto=https\r\n");
    world.origin(1).send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    expect(client.received).toContain("200 OK");
    expect(world.records).toMatchObject([
      {
        outcome: "served",
        tls: {
          version: "TLSv1.3",
          cipher: "TLS_AES_128_GCM_SHA256",
          serverName: "shop.test",
          alpn: "http/1.1",
          resumed: false,
          clientSubject: "",
        },
      },
    ]);
  });

  it("through a trusted proxy has asked by what that proxy says, and over TLS when it says nothing", async () => {
    const world = await secureGateway({ rest: { trustedProxies: ["192.0.2.0/24"] } });
    const client = world.client();
    client.secure(AGREED);
    client.send("GET / HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-Proto: http\r\n\r\n");
    expect(world.origin(1).take()).toContain("X-Forwarded-Proto: http\r\n");
    world.origin(1).send("HTTP/1.1 204 No Content\r\n\r\n");
    client.send("GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    expect(world.origin(1).take()).toContain("X-Forwarded-Proto: https\r\n");
  });

  it("has as long for its handshake as timeouts.handshake says, and then for its request as ever", async () => {
    const world = await secureGateway({ listener: { timeouts: { handshake: "3s", idle: "60s" } } });
    const slow = world.client();
    const quick = world.client();
    world.advance(2_900);
    quick.secure(AGREED);
    expect(slow.ended).toBe("");
    world.advance(200);
    expect(slow.ended).toBe("closed");
    expect(quick.ended).toBe("");
    expect(world.records).toMatchObject([
      { outcome: "refused", cause: "client.tls_slow", status: 0, method: "", tls: null, step: "receive" },
    ]);
    world.advance(60_000);
    expect(quick.ended).toBe("closed");
    expect(world.faults).toEqual([]);
  });
});

describe("a handshake that comes to nothing", () => {
  it("leaves a record with its cause and what was seen", async () => {
    const world = await secureGateway();
    const client = world.client();
    client.unsecure("ERR_SSL_UNSUPPORTED_PROTOCOL", "it offered TLS 1.0 at most, for no name");
    expect(world.records).toMatchObject([
      {
        outcome: "refused",
        cause: "client.tls_no_shared",
        party: "client",
        status: 0,
        evidence: "unsupported protocol (ERR_SSL_UNSUPPORTED_PROTOCOL): it offered TLS 1.0 at most, for no name",
      },
    ]);
    expect(client.received).toBe("");
    world.advance(2_100);
    expect(world.gateway.view.status().connections).toBe(0);
  });

  it("because HTTP was spoken is answered in words", async () => {
    const world = await secureGateway();
    const client = world.client();
    client.unsecure("PLAIN_HTTP", "GET / HTTP/1.1");
    expect(client.received).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(client.received).toContain("Connection: close\r\n");
    expect(client.received).toContain("write https:// in place of http://");
    expect(client.ended).toBe("fin");
    expect(world.records).toMatchObject([{ cause: "client.tls_not_tls", status: 400, outcome: "refused" }]);
  });

  it("because of the client's certificate is answered in words, and nothing that it sends is read", async () => {
    const world = await secureGateway();
    const client = world.client();
    client.unsecure("CERTIFICATE_REFUSED", "CERT_HAS_EXPIRED");
    client.send("GET /secret HTTP/1.1\r\nHost: shop.test\r\n\r\n");
    expect(client.received).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(client.received.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(world.network.dialled).toEqual([]);
    expect(world.records).toMatchObject([
      {
        cause: "client.tls_certificate",
        status: 403,
        evidence: "the client's certificate is not believed: CERT_HAS_EXPIRED",
      },
    ]);
  });

  it("is counted and not recorded when there are too many, so that nobody can flush the records away", async () => {
    const world = await secureGateway({ rest: { limits: { connectionsPerClient: 1000 } } });
    for (let i = 0; i < 50; i += 1) world.client().unsecure("NOT_TLS");
    expect(world.records).toHaveLength(20);
    const unrouted = world.gateway.view.metrics().routes.find(({ service }) => service === "");
    expect(unrouted?.byCause["client.tls_not_tls"]).toBe(50);
    world.advance(1_000);
    world.client().unsecure("NOT_TLS");
    expect(world.records).toHaveLength(21);
  });

  it("gives its place to others when places are short", async () => {
    const world = await secureGateway({ rest: { limits: { connections: 2 } } });
    const [first, second] = [world.client("192.0.2.1"), world.client("192.0.2.2")];
    world.advance(1_500);
    const third = world.client("192.0.2.3");
    expect([first.ended, second.ended, third.ended]).toEqual(["closed", "", ""]);
  });

  it("is one of as many at once as limits.handshakes says: the slowest gives way, or the newcomer", async () => {
    const world = await secureGateway({ rest: { limits: { handshakes: 2 } } });
    const [first, second] = [world.client(), world.client()];
    expect(() => world.client()).toThrow("turned away");
    expect(world.gateway.view.metrics()).toMatchObject({ handshaking: 2, connectionsTurnedAway: 1 });
    world.advance(1_500);
    const third = world.client();
    expect([first.ended, second.ended, third.ended]).toEqual(["closed", "", ""]);
    second.secure(AGREED);
    third.secure({ ...AGREED, resumed: true });
    expect(world.gateway.view.metrics()).toMatchObject({
      handshaking: 0,
      handshakes: { full: 1, resumed: 1, failed: 0 },
    });
  });

  it("in a drain has the second that all have who have just come, and no more", async () => {
    const world = await secureGateway();
    const client = world.client();
    const drained = world.gateway.drain();
    world.advance(2_000);
    await drained;
    expect(client.ended).toBe("closed");
    expect(world.records).toEqual([]);
  });
});

describe("the cause of a failed handshake", () => {
  it.each([
    ["LEFT", "client.tls_left"],
    ["NOT_TLS", "client.tls_not_tls"],
    ["ERR_SSL_HTTP_REQUEST", "client.tls_not_tls"],
    ["ERR_SSL_BAD_EXTENSION", "client.tls_not_tls"],
    ["UNRECOGNIZED_NAME", "client.tls_unknown_name"],
    ["CERTIFICATE_MISSING", "client.tls_certificate"],
    ["ERR_SSL_NO_SHARED_CIPHER", "client.tls_no_shared"],
    ["ERR_SSL_NO_SUITABLE_KEY_SHARE", "client.tls_no_shared"],
    ["ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM", "client.tls_no_shared"],
    ["ERR_SSL_NO_APPLICATION_PROTOCOL", "client.tls_no_shared"],
    ["ERR_SSL_VERSION_TOO_LOW", "client.tls_no_shared"],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "client.tls_alert"],
    ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN", "client.tls_alert"],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "client.tls_alert"],
    ["ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE", "client.tls_alert"],
  ])("%s is %s", (code, cause) => {
    expect(handshakeFailure({ code, syscall: "tls" }).cause).toBe(cause);
  });
});
