import { describe, expect, it } from "vitest";
import { memoryGateway } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import type { TlsView } from "../kernel/socket.ts";

const CERTIFICATES = [{ cert: "shop.pem", key: "shop.key" }];
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function agreed(serverName: string, more: Partial<TlsView> = {}): TlsView {
  return { version: "TLSv1.3", cipher: "AES", serverName, alpn: "http/1.1", resumed: false, ...more };
}

function get(host: string, path = "/", fields = ""): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`;
}

describe("a client's certificate", () => {
  const rules = [
    { ca: "sensors.pem", hosts: ["sensors.test"], chain: true },
    { ca: "staff.pem", hosts: ["*.staff.test"], mode: "optional" },
  ];
  const SENSORS = { ca: "sensors.pem", isRequired: true };
  const STAFF = { ca: "staff.pem", isRequired: false };
  const world = (): Promise<MemoryGateway> =>
    memoryGateway({ listener: { tls: { certificates: CERTIFICATES, clientCertificates: rules } } });
  const sensor = { subject: "CN=sensor-7", chain: ["MIIone", "MIItwo"] };

  it("is told to the origin as RFC 9440 has it, and stands in the record", async () => {
    const { client, origin, records } = await world();
    const peer = client();
    peer.secure(agreed("sensors.test", { client: sensor, rule: SENSORS }));
    peer.send(get("sensors.test"));
    expect(origin(1).received).toContain("Client-Cert: :MIIone:\r\nClient-Cert-Chain: :MIItwo:\r\n");
    origin(1).send(OK);
    expect(records).toMatchObject([{ tls: { clientSubject: "CN=sensor-7" } }]);
  });

  it("is told without its issuers unless that is wanted, and not at all when there is none", async () => {
    const { client, origin } = await world();
    const peer = client();
    peer.secure(agreed("a.staff.test", { client: sensor, rule: STAFF }));
    peer.send(get("a.staff.test"));
    expect(origin(1).received).toContain("Client-Cert: :MIIone:\r\n");
    expect(origin(1).received).not.toContain("Client-Cert-Chain");
    const other = client();
    other.secure(agreed("a.staff.test", { client: null, rule: STAFF }));
    other.send(get("a.staff.test"));
    expect(origin(2).received).not.toContain("Client-Cert");
  });

  it.each(["Client-Cert", "client-cert", "Client_Cert", "Client-Cert-Chain", "CLIENT-CERT_CHAIN"])(
    "that a client only claims in %s never gets to an origin, with TLS or without",
    async (name) => {
      for (const listener of [{}, { tls: { certificates: CERTIFICATES, clientCertificates: rules } }]) {
        const { client, origin } = await memoryGateway({ listener, rest: { trustedProxies: ["192.0.2.0/24"] } });
        const peer = client();
        if ("tls" in listener) peer.secure(agreed("other.test"));
        peer.send(get("other.test", "/", `${name}: :bGll:\r\nCookie: a=b\r\n`));
        expect(origin(1).received).not.toContain("bGll");
        expect(origin(1).received).toContain("Cookie: a=b\r\n");
      }
    },
  );

  it("of one rule says nothing about a host of another: the client has to connect for it (RFC 9110 §15.5.20)", async () => {
    const { client, network, records } = await world();
    const peer = client();
    peer.secure(agreed("a.staff.test", { client: sensor, rule: STAFF }));
    peer.send(get("sensors.test"));
    expect(peer.received).toMatch(/^HTTP\/1\.1 421 Misdirected Request\r\n/);
    const stranger = client();
    stranger.secure(agreed("other.test"));
    stranger.send(get("SENSORS.test:443"));
    expect(stranger.received).toMatch(/^HTTP\/1\.1 421 /);
    expect(network.dialled).toEqual([]);
    expect(records.map(({ cause }) => cause)).toEqual(["client.tls_misdirected", "client.tls_misdirected"]);
  });

  // A connection had known its rule by a place in the list, where another rule stands after a change.
  it("of one rule does not become that of another when the configuration changes", async () => {
    const { client, origin, network, apply } = await world();
    const peer = client();
    peer.secure(agreed("a.staff.test", { client: sensor, rule: STAFF }));
    const changed = { tls: { certificates: CERTIFICATES, clientCertificates: rules.toReversed() } };
    expect(await apply({ listener: changed })).toEqual({ kind: "applied" });
    peer.send(get("sensors.test"));
    expect(peer.take()).toMatch(/^HTTP\/1\.1 421 /);
    expect(network.dialled).toEqual([]);
    peer.send(get("a.staff.test"));
    expect(origin(1).received).toContain("Client-Cert: :MIIone:\r\n");
    origin(1).send(OK);
    const stricter = [{ ca: "staff.pem", hosts: ["*.staff.test"] }];
    await apply({ listener: { tls: { certificates: CERTIFICATES, clientCertificates: stricter } } });
    peer.take();
    peer.send(get("a.staff.test"));
    expect(peer.take()).toMatch(/^HTTP\/1\.1 421 /);
  });

  // Routes had taken the name for the same, and rules for another: nobody was asked for a certificate.
  it("is asked for by a name that ends with the dot of the root as well", async () => {
    const { client, network, records } = await world();
    const peer = client();
    peer.secure(agreed("other.test"));
    peer.send(get("sensors.test."));
    peer.send(get("Sensors.test.:443"));
    expect(peer.received.match(/HTTP\/1\.1 421 /g)).toHaveLength(2);
    expect(network.dialled).toEqual([]);
    expect(records.map(({ cause }) => cause)).toEqual(["client.tls_misdirected", "client.tls_misdirected"]);
  });

  it("is not told to hosts that have no rule, which any connection may ask for", async () => {
    const { client, origin } = await world();
    const peer = client();
    peer.secure(agreed("sensors.test", { client: sensor, rule: SENSORS }));
    peer.send(get("other.test"));
    expect(origin(1).received).toContain("Host: other.test");
    expect(origin(1).received).not.toContain("Client-Cert");
  });
});

describe("Strict-Transport-Security", () => {
  const LINE = "Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\n";
  const listener = {
    tls: { certificates: CERTIFICATES },
    hsts: { maxAge: "365d", includeSubDomains: true, preload: true },
  };

  it("is said with every answer, the gateway's own ones too", async () => {
    const { client, origin } = await memoryGateway({ listener });
    const peer = client();
    peer.secure(agreed("shop.test"));
    peer.send(get("shop.test"));
    origin(1).send(OK);
    expect(peer.take()).toContain(LINE);
    peer.send("BROKEN\r\n\r\n");
    expect(peer.take()).toContain(LINE);
  });

  it("is the origin's own word where it has one", async () => {
    const { client, origin } = await memoryGateway({ listener });
    const peer = client();
    peer.secure(agreed("shop.test"));
    peer.send(get("shop.test"));
    origin(1).send("HTTP/1.1 200 OK\r\nstrict-transport-security: max-age=0\r\nContent-Length: 0\r\n\r\n");
    expect(peer.received).toContain("strict-transport-security: max-age=0\r\n");
    expect(peer.received).not.toContain("Strict-Transport-Security");
  });

  it("is never said without TLS (RFC 6797 §7.2)", async () => {
    const { client } = await memoryGateway({ listener });
    const peer = client();
    peer.unsecure("PLAIN_HTTP", "GET /");
    expect(peer.received).toContain("400 Bad Request");
    expect(peer.received).not.toContain("Strict-Transport-Security");
  });
});

describe("redirectToHttps", () => {
  it("sends whoever comes without TLS to the same place with it, whatever the method", async () => {
    const { client, network, records } = await memoryGateway({ listener: { redirectToHttps: true } });
    const peer = client();
    peer.send(get("Shop.Test:8080", "/cart?id=7"));
    expect(peer.take()).toMatch(
      /^HTTP\/1\.1 308 Permanent Redirect\r\n(.*\r\n)*Location: https:\/\/Shop\.Test\/cart\?id=7\r\n/,
    );
    peer.send("POST /pay HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 0\r\n\r\n");
    expect(peer.take()).toContain("Location: https://shop.test/pay\r\n");
    peer.send("GET http://shop.test:81/a HTTP/1.1\r\nHost: other.test\r\n\r\n");
    expect(peer.take()).toContain("Location: https://shop.test/a\r\n");
    expect(network.dialled).toEqual([]);
    expect(records[0]).toMatchObject({
      outcome: "served",
      status: 308,
      decisions: [{ step: "admit", code: "admit.to-https" }],
    });
  });

  it("names the port where it is another, and keeps an address in brackets", async () => {
    const { client } = await memoryGateway({ listener: { redirectToHttps: 8443 } });
    const peer = client();
    peer.send(get("[2001:db8::1]:8080", "/"));
    expect(peer.take()).toContain("Location: https://[2001:db8::1]:8443/\r\n");
  });

  it("leaves alone what a certificate's issuer asks for, and what a trusted proxy took TLS off", async () => {
    const { client, origin, network } = await memoryGateway({
      listener: { redirectToHttps: true },
      rest: { trustedProxies: ["192.0.2.9"] },
    });
    client().send(get("shop.test", "/.well-known/acme-challenge/abc"));
    expect(origin(1).received).toContain("GET /.well-known/acme-challenge/abc");
    const proxied = client("192.0.2.9");
    proxied.send(get("shop.test", "/a", "X-Forwarded-Proto: https\r\n"));
    expect(origin(2).received).toContain("GET /a ");
    client("192.0.2.10").send(get("shop.test", "/b", "X-Forwarded-Proto: https\r\n"));
    expect(network.dialled).toHaveLength(2);
  });

  // They had been served in the clear, past what the listener is for.
  it.each(["GET /a HTTP/1.0\r\n\r\n", "GET /a HTTP/1.1\r\nHost:\r\n\r\n"])(
    "refuses who names no host to be sent to: %j",
    async (request) => {
      const { client, network, records } = await memoryGateway({ listener: { redirectToHttps: true } });
      const peer = client();
      peer.send(request);
      expect(peer.received).toMatch(/^HTTP\/1\.[01] 400 Bad Request\r\n/);
      expect(network.dialled).toEqual([]);
      expect(records).toMatchObject([{ cause: "client.bad_request" }]);
    },
  );

  it.each(["../../cart", "%2e%2e/%2e%2e/cart", "a/b", "a;b"])(
    "takes /.well-known/acme-challenge/%s for no question of an issuer",
    async (rest) => {
      const { client, network } = await memoryGateway({ listener: { redirectToHttps: true } });
      const peer = client();
      peer.send(get("shop.test", `/.well-known/acme-challenge/${rest}`));
      expect(peer.received).toMatch(/^HTTP\/1\.1 308 /);
      expect(network.dialled).toEqual([]);
    },
  );

  it("goes with a target that fills a head, whole", async () => {
    const { client } = await memoryGateway({ listener: { redirectToHttps: true } });
    const peer = client();
    const path = `/${"a".repeat(4000)}`;
    peer.send(get("shop.test", path));
    expect(peer.take()).toContain(`Location: https://shop.test${path}\r\n`);
  });
});
