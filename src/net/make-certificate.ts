/**
 * Certificates for this machine and for tests: an authority of one's own, and what it issues. EC keys on P-256, which
 * every client understands and which are cheap to shake hands with.
 */
import { webcrypto } from "node:crypto";
import "./reflect-metadata.ts";
import * as x509 from "@peculiar/x509";

export interface Issued {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Issued {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
} as const;

/** `issuer`: null for one that stands for itself. */
export async function makeAuthority(name: string, validity: Validity, issuer: Authority | null): Promise<Authority> {
  const keys = await makeKeys(ALGORITHM);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: `CN=${name}`,
    issuer: issuer?.certificate.subject ?? `CN=${name}`,
    ...validity,
    signingKey: (issuer?.keys ?? keys).privateKey,
    publicKey: keys.publicKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, issuer === null ? undefined : 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys, cert: `${certificate.toString("pem")}\n`, key: await keyText(keys) };
}

/** `names`: host names and addresses; a client's may have none. The text of an intermediate authority comes behind it. */
export async function issueCertificate(
  authority: Authority,
  { names, subject, isClient, isRsa = false }: IssueOptions,
  validity: Validity,
): Promise<Issued> {
  const keys = await makeKeys(isRsa ? RSA : ALGORITHM);
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: authority.certificate.subject,
    ...validity,
    signingKey: authority.keys.privateKey,
    publicKey: keys.publicKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        isClient ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth,
      ]),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names.map(nameOf))]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.certificate),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await keyText(keys) };
}

export interface IssueOptions {
  readonly names: readonly string[];
  /** `CN=localhost`. */
  readonly subject: string;
  readonly isClient: boolean;
  readonly isRsa?: boolean;
}

/** An authority that was made before, from its files. Throws when they are none. */
export async function readAuthority({ cert, key }: Issued): Promise<Authority> {
  const certificate = new x509.X509Certificate(cert);
  const bytes = x509.PemConverter.decodeFirst(key);
  const privateKey = await webcrypto.subtle.importKey("pkcs8", bytes, ALGORITHM, true, ["sign"]);
  return { cert, key, certificate, keys: { privateKey, publicKey: await certificate.publicKey.export() } };
}

function nameOf(name: string): { type: "ip" | "dns"; value: string } {
  return { type: /^[\d.]+$|:/.test(name) ? "ip" : "dns", value: name };
}

function makeKeys(algorithm: typeof ALGORITHM | typeof RSA): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function keyText({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const bytes = await webcrypto.subtle.exportKey("pkcs8", privateKey);
  return `${x509.PemConverter.encode(bytes, "PRIVATE KEY")}\n`;
}
