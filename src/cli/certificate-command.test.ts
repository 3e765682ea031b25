import { describe, expect, it } from "vitest";
import { cliWorld } from "../../test/support/cli-world.ts";
import { testAuthority } from "../../test/support/certificates.ts";
import { EXIT } from "./exit-codes.ts";

describe("goodgate certificate dev", () => {
  it("says where things are, and how to trust them", async () => {
    const world = cliWorld({ env: { HOME: "/home/ada" } });
    expect(await world.run("certificate", "dev", "shop.localhost")).toBe(EXIT.ok);
    expect(world.out()).toContain("/home/ada/.local/share/goodgate/dev/authority.pem  (new)");
    expect(world.out()).toContain("shop.localhost, localhost");
    expect(world.out()).toContain("update-ca-certificates");
    expect(world.out()).toContain("certutil -d sql:$HOME/.pki/nssdb");
    const elsewhere = cliWorld({ env: { XDG_DATA_HOME: "/data" } });
    await elsewhere.run("certificate", "dev", "--json");
    expect(elsewhere.json()).toMatchObject({ ok: true, cert: "/data/goodgate/dev/localhost.pem" });
  });

  it("refuses what is no host, and what it does not make", async () => {
    const world = cliWorld();
    expect(await world.run("certificate", "dev", "https://shop.test/")).toBe(EXIT.usage);
    expect(world.err()).toContain("https://shop.test/ is not the name or the address of a host.");
    const other = cliWorld();
    expect(await other.run("certificate", "live")).toBe(EXIT.usage);
    expect(other.err()).toContain("goodgate certificate dev");
  });

  it("is what goodgate proxy --tls shows", async () => {
    const world = cliWorld({ env: { HOME: "/home/ada" } });
    expect(await world.run("proxy", "--to", "http://127.0.0.1:3000", "--tls")).toBe(EXIT.ok);
    const folder = "/home/ada/.local/share/goodgate/dev";
    expect(world.started[0]?.listeners[0]).toMatchObject({
      name: "0.0.0.0:8080",
      tls: { certificates: [{ cert: `${folder}/localhost.pem`, key: `${folder}/localhost.key` }] },
    });
    // Tried as it was said before, curl did not believe the certificate that had just been made.
    expect(world.out()).toContain(`curl -i --cacert ${folder}/authority.pem https://127.0.0.1:8080/`);
  });
});

describe("goodgate check", () => {
  const FILE = `listeners:
  - { bind: "0.0.0.0:8080" }
  - bind: "0.0.0.0:8443"
    tls:
      certificates: [{ cert: shop.pem, key: shop.key }, { cert: old.pem, key: old.key }]
      clientCertificates: { ca: staff.pem }
services: { shop: { pools: [{ origins: ["http://a1.example.net"] }] } }
`;

  it("tells of certificates what a start would find, with the place in the configuration", async () => {
    const authority = await testAuthority();
    const shop = await authority.server(["shop.test"]);
    const other = await authority.server(["old.test"], { from: -4000, to: -3000 });
    const world = cliWorld({
      files: {
        "goodgate.yaml": FILE,
        "shop.pem": shop.cert,
        "shop.key": other.key,
        "old.pem": other.cert,
        "old.key": other.key,
        "staff.pem": "nothing",
      },
    });
    expect(await world.run("check")).toBe(EXIT.no);
    expect(world.err()).toContain(
      "listeners[1].tls.certificates[0].key  shop.key does not belong to the certificate (CN=shop.test).",
    );
    expect(world.err()).toMatch(/listeners\[1\]\.tls\.certificates\[1\]\.cert {2}old\.pem expired on/);
    expect(world.err()).toContain("listeners[1].tls.clientCertificates[0].ca  staff.pem holds no certificate.");
    const json = cliWorld({ files: { "goodgate.yaml": FILE } });
    expect(await json.run("check", "--json")).toBe(EXIT.no);
    expect(json.json()).toMatchObject({
      ok: false,
      problems: [
        { path: "listeners[1].tls.certificates[0].cert", file: "shop.pem", message: "cannot be read (ENOENT)" },
        { path: "listeners[1].tls.certificates[0].key" },
        { path: "listeners[1].tls.certificates[1].cert" },
        { path: "listeners[1].tls.certificates[1].key" },
        { path: "listeners[1].tls.clientCertificates[0].ca" },
      ],
    });
  });
});
