/** What a client showed of itself in the handshake. Whether it is believed is for others to say. */
import type { X509Certificate } from "node:crypto";
import type { ClientCertificate } from "../kernel/socket.ts";

/** Longer chains are made by nobody. */
const CHAIN_MAX = 8;
const SUBJECT_KEPT = 256;

/** Null: nothing. */
export function clientChain(leaf: X509Certificate | undefined): ClientCertificate | null {
  if (leaf === undefined) return null;
  const chain: string[] = [];
  let certificate: X509Certificate | undefined = leaf;
  while (certificate !== undefined && chain.length < CHAIN_MAX) {
    chain.push(certificate.raw.toString("base64"));
    const issuer: X509Certificate | undefined = certificate.issuerCertificate;
    certificate = issuer?.fingerprint256 === certificate.fingerprint256 ? undefined : issuer;
  }
  return { subject: leaf.subject.split("\n").reverse().join(", ").slice(0, SUBJECT_KEPT), chain };
}
