import { beforeAll, describe, expect, it } from "vitest";
import { testAuthority } from "../../test/support/certificates.ts";
import { examineCertificate } from "../contract/certificate.ts";
import { ListenerContexts, refusalOf } from "./secure-contexts.ts";
import type { ContextTerms, ShownCertificate } from "./secure-contexts.ts";
import { TicketKeys } from "./ticket-keys.ts";

const TERMS: ContextTerms = { minVersion: "1.2", isStrict: false, alpn: ["h2", "http/1.1"], clientRules: [] };
const KEYS = new TicketKeys("secret", () => 0);

function shown(texts: { cert: string; key: string }): ShownCertificate {
  const verdict = examineCertificate(texts);
  if (!verdict.ok) throw new Error(verdict.reason);
  return { ...texts, names: verdict.facts.names, keyType: verdict.facts.keyType };
}

let shop: ShownCertificate;
let shopRsa: ShownCertificate;
let wild: ShownCertificate;
let ca = "";
beforeAll(async () => {
  const authority = await testAuthority();
  shop = shown(await authority.server(["shop.test", "deep.wild.test"]));
  shopRsa = shown(await authority.server(["shop.test"], { isRsa: true }));
  wild = shown(await authority.server(["*.wild.test"]));
  ca = authority.root.cert;
});

/** The first name of the certificate behind a choice. */
function nameBehind(contexts: ListenerContexts, serverName: string): string {
  const choice = contexts.choose(serverName);
  if (choice === null) return "nobody";
  const context = choice.context as { context: { getCertificate(): Buffer } };
  return (
    [shop, shopRsa, wild].find(({ cert }) => derOf(cert).equals(context.context.getCertificate()))?.names[0] ?? "?"
  );
}

function derOf(pem: string): Buffer {
  return Buffer.from((/-----\n([^-]+)-----END/.exec(pem)?.[1] ?? "").replaceAll("\n", ""), "base64");
}

describe("the certificate for a name", () => {
  it("is the exact one before the wildcard, which stands for one label, and the first for all others", () => {
    const contexts = new ListenerContexts(KEYS);
    contexts.use([shop, wild], TERMS);
    expect(nameBehind(contexts, "shop.test")).toBe("shop.test");
    expect(nameBehind(contexts, "a.wild.test")).toBe("*.wild.test");
    expect(nameBehind(contexts, "deep.wild.test")).toBe("shop.test");
    expect(nameBehind(contexts, "a.b.wild.test")).toBe("shop.test");
    expect(nameBehind(contexts, "wild.test")).toBe("shop.test");
    expect(nameBehind(contexts, "")).toBe("shop.test");
  });

  it("is shown by the same context when nothing of it has changed, and by another when something has", () => {
    const contexts = new ListenerContexts(KEYS);
    contexts.use([shop, wild], TERMS);
    const before = contexts.choose("shop.test")?.context;
    contexts.use([{ ...shop }, wild], { ...TERMS });
    expect(contexts.choose("shop.test")?.context).toBe(before);
    for (const [certificates, terms] of [
      [[shop], TERMS],
      [[shopRsa, wild], TERMS],
      [[shop, wild], { ...TERMS, minVersion: "1.3" }],
    ] as const) {
      contexts.use([shop, wild], TERMS);
      const known = contexts.choose("shop.test")?.context;
      contexts.use(certificates, terms);
      expect(contexts.choose("shop.test")?.context).not.toBe(known);
    }
  });

  it("is nobody's of a strict listener, also for who names none", () => {
    const contexts = new ListenerContexts(KEYS);
    contexts.use([shop, wild], { ...TERMS, isStrict: true });
    expect(contexts.choose("shop.test")).not.toBeNull();
    expect(contexts.choose("other.test")).toBeNull();
    expect(contexts.choose("")).toBeNull();
  });

  it("of two kinds of keys is one context, which shows what the client understands", () => {
    const contexts = new ListenerContexts(KEYS);
    contexts.use([shop, shopRsa], TERMS);
    expect(contexts.choose("shop.test")).toBe(contexts.choose("shop.test"));
    // Who names nobody gets both too.
    expect(contexts.choose("")?.context).toBe(contexts.choose("shop.test")?.context);
  });
});

describe("a rule for clients' certificates", () => {
  it("holds for the names that it lists, before one that is for all", () => {
    const contexts = new ListenerContexts(KEYS);
    contexts.use([shop, wild], {
      ...TERMS,
      clientRules: [
        { hosts: null, ca, file: "all.pem", isRequired: false },
        { hosts: ["*.wild.test"], ca, file: "staff.pem", isRequired: true },
      ],
    });
    expect(contexts.choose("shop.test")).toMatchObject({
      rule: { ca: "all.pem", isRequired: false },
      clientCertificate: "optional",
    });
    expect(contexts.choose("")).toMatchObject({
      rule: { ca: "all.pem", isRequired: false },
      clientCertificate: "optional",
    });
    expect(contexts.choose("a.wild.test")).toMatchObject({
      rule: { ca: "staff.pem", isRequired: true },
      clientCertificate: "required",
    });
  });

  it("asks nobody where there is none", () => {
    const contexts = new ListenerContexts(KEYS);
    contexts.use([shop, wild], {
      ...TERMS,
      clientRules: [{ hosts: ["a.wild.test"], ca, file: "staff.pem", isRequired: true }],
    });
    expect(contexts.choose("b.wild.test")).toMatchObject({ rule: null, clientCertificate: "none" });
  });
});

it("what OpenSSL does not take is refused with its words", () => {
  expect(refusalOf(shop, TERMS)).toBe("");
  expect(refusalOf({ ...shop, key: wild.key }, TERMS)).toMatch(/key values mismatch/);
});
