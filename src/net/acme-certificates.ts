/** What ACME needs of X.509: a request for a certificate, a proof to be shown, and what names a certificate. */
import { X509Certificate, createHash, webcrypto } from "node:crypto";
import "./reflect-metadata.ts";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** id-pe-acmeIdentifier (RFC 8737 §6.1). */
const ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31";
const OCTET_STRING_OF_32 = [0x04, 32];
const PROOF_LIFE_MS = 3_600_000;

export interface Requested {
  /** DER in base64url, as an order takes it. */
  readonly csr: string;
  /** PEM. */
  readonly key: string;
}

export async function requestFor(name: string): Promise<Requested> {
  const keys = await makeKeys();
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }])],
  });
  return { csr: Buffer.from(request.rawData).toString("base64url"), key: await pemOf(keys.privateKey) };
}

/** Shown to an authority that asks by ALPN for `acme-tls/1` (RFC 8737 §3). */
export async function proofFor(
  name: string,
  keyAuthorization: string,
  wall: number,
): Promise<{ readonly cert: string; readonly key: string }> {
  const keys = await makeKeys();
  const digest = createHash("sha256").update(keyAuthorization).digest();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    keys,
    name: "CN=ACME challenge",
    notBefore: new Date(wall - PROOF_LIFE_MS),
    notAfter: new Date(wall + PROOF_LIFE_MS),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: "dns", value: name }]),
      new x509.Extension(ACME_IDENTIFIER, true, Uint8Array.from([...OCTET_STRING_OF_32, ...digest])),
    ],
  });
  return { cert: `${certificate.toString("pem")}\n`, key: await pemOf(keys.privateKey) };
}

export async function accountKey(): Promise<string> {
  return pemOf((await makeKeys()).privateKey);
}

export function lifeOf(cert: string): { readonly notBefore: number; readonly notAfter: number } {
  const { validFrom, validTo } = new X509Certificate(cert);
  return { notBefore: Date.parse(validFrom), notAfter: Date.parse(validTo) };
}

/** By issuer's key and serial number (RFC 9773 §4.1). Null: it has no such extension. */
export function renewalName(cert: string): string | null {
  const certificate = new x509.X509Certificate(cert);
  const keyId = certificate.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId;
  if (keyId === undefined) return null;
  const { serialNumber } = certificate;
  const even = serialNumber.length % 2 === 0 ? serialNumber : `0${serialNumber}`;
  // As DER has it: a number whose first bit is set would be negative without a zero before it.
  const signed = Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even;
  return `${base64url(keyId)}.${base64url(signed)}`;
}

function base64url(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64url");
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function pemOf(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}
