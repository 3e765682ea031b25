/**
 * What can be said of a certificate and its key before anybody is shown them: whether they can be read, belong together,
 * stand in the right order and hold today. `goodgate check`, the start, a reload and the guide all ask here, so that none
 * finds a fault which another let pass.
 *
 * Whether clients trust whoever issued it is not known here: every client has its own list.
 */
import { X509Certificate, createPrivateKey } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** The texts of two PEM files. */
export interface CertificateTexts {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateFacts {
  /** Lower case, of its subjectAltName; where it has none, its common name, which browsers do not heed. */
  readonly names: readonly string[];
  /** Epoch ms. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** `ec`, `rsa`, `ed25519`. */
  readonly keyType: string;
  /** `CN=Example CA, O=Example`. */
  readonly issuer: string;
  readonly serialNumber: string;
  /** SHA-256 of it, in hex. */
  readonly fingerprint: string;
  /** When the first of those behind it ends, that are shown with it; epoch ms, 0: there are none. */
  readonly chainUntil: number;
  /** It says where its issuer's certificate is to be had, as those of public authorities do, and that is not shown with it. */
  readonly isChainCut: boolean;
}

export type CertificateVerdict =
  | { readonly ok: true; readonly facts: CertificateFacts }
  | {
      readonly ok: false;
      /** The file that is at fault. */
      readonly file: "cert" | "key";
      /** What is wrong with it: `has a key that …`, the rest of a sentence that begins with the file. */
      readonly reason: string;
      /** What to do; empty: the reason says it. */
      readonly hint: string;
    };

type Fault = Extract<CertificateVerdict, { ok: false }>;

/** All but its dates, which `validityText` is about. */
export function examineCertificate(texts: CertificateTexts): CertificateVerdict {
  const read = certificatesIn(texts.cert);
  if (!Array.isArray(read)) return read;
  const [leaf] = read;
  if (leaf === undefined) return atCert(noneIn(texts.cert), "It has to hold PEM, from -----BEGIN CERTIFICATE----- on.");
  const key = keyIn(texts.key);
  if ("ok" in key) return key;
  const fault = keyFault(read, key) ?? chainFault(read);
  if (fault !== null) return fault;
  return { ok: true, facts: factsOf(leaf, read.slice(1)) };
}

/** `expired on 2026-01-02`, as of `now`, epoch ms; empty: it holds. */
export function validityText({ notBefore, notAfter }: CertificateFacts, now: number): string {
  if (now >= notAfter) return `expired on ${dayOf(notAfter)}`;
  return now < notBefore ? `holds only from ${dayOf(notBefore)} on` : "";
}

/** Every certificate of a PEM text that others are checked against. A sentence's rest where it cannot be read. */
export function authorityFault(text: string): string | null {
  const read = certificatesIn(text);
  if (!Array.isArray(read)) return read.reason;
  return read.length === 0 ? noneIn(text) : null;
}

function atCert(reason: string, hint = ""): Fault {
  return { ok: false, file: "cert", reason, hint };
}

function atKey(reason: string, hint = ""): Fault {
  return { ok: false, file: "key", reason, hint };
}

const BLOCK = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*(?:-----END (?:TRUSTED |X509 )?CERTIFICATE-----)?/g;

function certificatesIn(text: string): X509Certificate[] | Fault {
  const found: X509Certificate[] = [];
  const seen = new Set<string>();
  for (const match of text.matchAll(BLOCK)) {
    const line = text.slice(0, match.index).split("\n").length;
    try {
      const one = new X509Certificate(match[0]);
      // The same one twice does no harm: clients look for what they need.
      if (!seen.has(one.fingerprint256)) found.push(one);
      seen.add(one.fingerprint256);
    } catch {
      const end = match[0].includes("-----END") ? "" : "; it has no END line";
      return atCert(`has a certificate in line ${line} that cannot be read${end}`);
    }
  }
  return found;
}

function noneIn(text: string): string {
  if (text.trim() === "") return "is empty";
  return text.includes("PRIVATE KEY-----") ? "holds a key and no certificate" : "holds no certificate";
}

function keyIn(text: string): KeyObject | Fault {
  if (!text.includes("PRIVATE KEY-----")) {
    const what =
      text.trim() === ""
        ? "is empty"
        : text.includes("CERTIFICATE")
          ? "holds no key but a certificate"
          : "holds no key";
    return atKey(what, "It has to hold PEM, from -----BEGIN PRIVATE KEY----- on.");
  }
  try {
    return createPrivateKey(text);
  } catch (error) {
    if (text.includes("ENCRYPTED")) {
      return atKey("is encrypted, and nobody is there to type its passphrase", "openssl pkey -in KEY -out KEY.plain");
    }
    const line = text.slice(0, text.indexOf("-----BEGIN")).split("\n").length;
    return atKey(`has a key in line ${line} that cannot be read (${codeOf(error)})`);
  }
}

function keyFault(chain: readonly X509Certificate[], key: KeyObject): Fault | null {
  const at = chain.findIndex((certificate) => certificate.checkPrivateKey(key));
  if (at === 0) return null;
  const [leaf] = chain;
  if (at === -1) {
    return atKey(
      `does not belong to the certificate (${leaf === undefined ? "" : subjectOf(leaf)})`,
      "A new certificate needs the key that it was asked for with.",
    );
  }
  return atCert(`has the certificate of the key in place ${at + 1}`, "The server's own comes first, then its issuer.");
}

/** Each has to have been issued by the next. */
function chainFault(chain: readonly X509Certificate[]): Fault | null {
  for (let i = 0; i + 1 < chain.length; i += 1) {
    const [one, next] = [chain[i], chain[i + 1]];
    if (one === undefined || next === undefined || isIssuedBy(one, next)) continue;
    const issuer = chain.findIndex((other) => other !== one && isIssuedBy(one, other));
    const reason = `is no chain: certificate ${i + 2} (${subjectOf(next)}) did not issue certificate ${i + 1} (${subjectOf(one)})`;
    return issuer === -1
      ? atCert(reason, `Certificate ${i + 1} was issued by ${flat(one.issuer)}; put that one behind it.`)
      : atCert(reason, `Certificate ${issuer + 1} did: put each behind the one that it issued.`);
  }
  return null;
}

function isIssuedBy(one: X509Certificate, other: X509Certificate): boolean {
  return one.checkIssued(other) && one.verify(other.publicKey);
}

function factsOf(leaf: X509Certificate, above: readonly X509Certificate[]): CertificateFacts {
  return {
    names: namesOf(leaf),
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
    keyType: leaf.publicKey.asymmetricKeyType ?? "",
    issuer: flat(leaf.issuer),
    serialNumber: leaf.serialNumber,
    fingerprint: leaf.fingerprint256.replaceAll(":", "").toLowerCase(),
    chainUntil: above.length === 0 ? 0 : Math.min(...above.map(({ validTo }) => Date.parse(validTo))),
    // RFC 5280 §4.2.2.1. Browsers fetch or remember it, most other clients do not.
    isChainCut: above.length === 0 && leaf.issuer !== leaf.subject && leaf.infoAccess?.includes("CA Issuers") === true,
  };
}

function namesOf(leaf: X509Certificate): string[] {
  const alternative = leaf.subjectAltName;
  if (alternative === undefined) {
    const common = /^CN=(.+)$/m.exec(leaf.subject)?.[1];
    return common === undefined ? [] : [common.toLowerCase()];
  }
  return [...alternative.matchAll(/(?:DNS|IP Address):([^,"\s]+)/g)].map(([, name = ""]) => name.toLowerCase());
}

function subjectOf(certificate: X509Certificate): string {
  return flat(certificate.subject ?? "") || namesOf(certificate).join(", ");
}

/** One line, the nearest first, as people write it. */
function flat(name: string): string {
  return name.split("\n").reverse().join(", ");
}

function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unreadable";
}
