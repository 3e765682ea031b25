import "../net/reflect-metadata.ts";
import { KeyObject, X509Certificate, createPrivateKey, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { beforeAll, describe, expect, it } from "vitest";
import { testAuthority } from "../../test/support/certificates.ts";
import type { TestAuthority } from "../../test/support/certificates.ts";
import { authorityFault, examineCertificate, validityText } from "./certificate.ts";
import type { CertificateTexts } from "./certificate.ts";

let authority: TestAuthority;
let shop: CertificateTexts;
let other: CertificateTexts;
beforeAll(async () => {
  authority = await testAuthority();
  shop = await authority.server(["Shop.Test", "*.shop.test", "127.0.0.1"]);
  other = await authority.server(["other.test"]);
});

function leafOf({ cert }: CertificateTexts): string {
  return `${cert.split("-----END CERTIFICATE-----")[0] ?? ""}-----END CERTIFICATE-----\n`;
}

/** For shop.test, as a public authority makes it: it says where the certificate of the issuer is to be had. */
async function issuedBy(issuer: string): Promise<CertificateTexts> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
  const { publicKey, privateKey } = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const made = await x509.X509CertificateGenerator.create({
    subject: "CN=shop.test",
    issuer,
    publicKey,
    signingKey: privateKey,
    signingAlgorithm: algorithm,
    extensions: [new x509.AuthorityInfoAccessExtension({ caIssuers: "http://ca.test/issuing.crt" })],
  });
  const key = KeyObject.from(privateKey).export({ type: "pkcs8", format: "pem" }).toString();
  return { cert: made.toString("pem"), key };
}

function encrypted(key: string): string {
  const sealed = { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" } as const;
  return createPrivateKey(key).export(sealed).toString();
}

describe("a certificate and its key", () => {
  it("that are right tell their names, dates and kind", () => {
    const verdict = examineCertificate(shop);
    expect(verdict).toMatchObject({
      ok: true,
      facts: {
        names: ["shop.test", "*.shop.test", "127.0.0.1"],
        keyType: "ec",
        issuer: "CN=Goodgate test intermediate",
      },
    });
  });

  it("tell when what is shown above them ends, and whether it is missing where an authority says where to find it", async () => {
    const whole = examineCertificate(shop);
    const ends = Date.parse(new X509Certificate(authority.intermediate.cert).validTo);
    expect(whole).toMatchObject({ facts: { chainUntil: ends, isChainCut: false } });
    // Nobody says where that issuer is to be had: whoever trusts it has it.
    const alone = examineCertificate({ cert: leafOf(shop), key: shop.key });
    expect(alone).toMatchObject({ facts: { chainUntil: 0, isChainCut: false } });
    expect(examineCertificate(await issuedBy("CN=Issuing CA"))).toMatchObject({ facts: { isChainCut: true } });
    expect(examineCertificate(await issuedBy("CN=shop.test"))).toMatchObject({ facts: { isChainCut: false } });
  });

  it("may come with the root behind the chain, with an intermediate twice, and without any", () => {
    for (const chain of [
      shop.cert + authority.root.cert,
      shop.cert + authority.intermediate.cert,
      leafOf(shop),
      `Bag Attributes\n  friendlyName: shop\n${shop.cert}`,
    ])
      expect(examineCertificate({ cert: chain, key: shop.key }).ok).toBe(true);
  });

  it.each([
    [
      "of another certificate",
      () => ({ cert: shop.cert, key: other.key }),
      "key",
      /^does not belong to the certificate/,
    ],
    [
      "in the wrong order",
      () => ({ cert: authority.intermediate.cert + leafOf(shop), key: shop.key }),
      "cert",
      /^has the certificate of the key in place 2$/,
    ],
    [
      "with a chain of others",
      () => ({ cert: leafOf(shop) + authority.root.cert, key: shop.key }),
      "cert",
      /^is no chain: certificate 2 \(CN=Goodgate test root\) did not issue certificate 1 \(CN=Shop.Test\)$/,
    ],
    ["that were exchanged", () => ({ cert: shop.key, key: shop.cert }), "cert", /^holds a key and no certificate$/],
    [
      "with a certificate for a key",
      () => ({ cert: shop.cert, key: shop.cert }),
      "key",
      /^holds no key but a certificate$/,
    ],
    ["of which one is empty", () => ({ cert: "", key: shop.key }), "cert", /^is empty$/],
    [
      "of which one is cut",
      () => ({ cert: `# shop\n\n${shop.cert.slice(0, 300)}`, key: shop.key }),
      "cert",
      /^has a certificate in line 3 that cannot be read; it has no END line$/,
    ],
    [
      "of which one is spoilt",
      () => ({ cert: shop.cert.replace(/^MII.{20}/m, "MIIxxxxxxxxxxxxxxxxxxxx"), key: shop.key }),
      "cert",
      /^has a certificate in line 1 that cannot be read$/,
    ],
    ["with a passphrase", () => ({ cert: shop.cert, key: encrypted(shop.key) }), "key", /^is encrypted/],
    ["that say nothing", () => ({ cert: "hello", key: shop.key }), "cert", /^holds no certificate$/],
  ] as const)("%s are refused with the file and the reason", (_what, texts, file, reason) => {
    const verdict = examineCertificate(texts());
    expect(verdict).toMatchObject({ ok: false, file });
    expect(verdict.ok ? "" : verdict.reason).toMatch(reason);
  });

  it("hold between two days and not otherwise", () => {
    const verdict = examineCertificate(shop);
    if (!verdict.ok) throw new Error(verdict.reason);
    const { notBefore, notAfter } = verdict.facts;
    expect(validityText(verdict.facts, notBefore)).toBe("");
    expect(validityText(verdict.facts, notBefore - 1)).toMatch(/^holds only from \d{4}-\d\d-\d\d on$/);
    expect(validityText(verdict.facts, notAfter - 1)).toBe("");
    expect(validityText(verdict.facts, notAfter)).toMatch(/^expired on \d{4}-\d\d-\d\d$/);
  });
});

describe("a file of authorities", () => {
  it("holds at least one, and only what can be read", () => {
    expect(authorityFault(authority.root.cert + authority.intermediate.cert)).toBeNull();
    expect(authorityFault("")).toBe("is empty");
    expect(authorityFault(authority.root.key)).toBe("holds a key and no certificate");
    expect(authorityFault(authority.root.cert.replace(/^MII.{20}/m, "MIIxxxxxxxxxxxxxxxxxxxx"))).toMatch(/in line 1/);
  });
});
