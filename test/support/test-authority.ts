/** An authority for tests: certificates as good or as bad as a test needs them, in memory and as files. */
import crypto from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Issued {
  /** PEM: what was issued, and those between it and the root behind it. */
  readonly cert: string;
  readonly key: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface IssueOptions {
  /** Default `origin.test`, its subdomains, and 127.0.0.1. */
  readonly names?: readonly string[];
  /** Of its life, in days from now. Default from a day ago to a month ahead. */
  readonly days?: readonly [from: number, to: number];
  readonly usage?: "server" | "client";
  /** Signed by itself and not by the authority. */
  readonly selfSigned?: boolean;
}

export interface TestAuthority {
  /** PEM of the root. */
  readonly ca: string;
  readonly caFile: string;
  readonly folder: string;
  issue(options?: IssueOptions): Issued;
  /** An authority under this one. */
  below(name: string): TestAuthority;
  /** Removes the files. */
  close(): void;
}

const DAY_MS = 86_400_000;
const MONTH = [-1, 30] as const;
const NAMES = ["origin.test", "*.origin.test", "127.0.0.1"];

export function createTestAuthority(name = "Test Root"): TestAuthority {
  const folder = mkdtempSync(join(tmpdir(), "goodgate-authority-"));
  const keys = newKeys();
  const ca = certificate({ subject: name, issuer: name, keys, signer: keys, days: [-300, 300], extensions: [CA] });
  const caFile = join(folder, "root.pem");
  writeFileSync(caFile, ca);
  return authority({ folder, ca, caFile }, name, keys, "", () => rmSync(folder, { recursive: true, force: true }));
}

function authority(
  place: Pick<TestAuthority, "folder" | "ca" | "caFile">,
  issuer: string,
  signer: KeyPair,
  chain: string,
  close: () => void,
): TestAuthority {
  return {
    ...place,
    issue({ names = NAMES, days = MONTH, usage = "server", selfSigned = false } = {}) {
      const keys = newKeys();
      const subject = names[0] ?? "nobody";
      const signed = selfSigned ? { issuer: subject, signer: keys } : { issuer, signer };
      const extensions = [usageExtension(usage), ...(names.length === 0 ? [] : [namesExtension(names)])];
      const cert = certificate({ subject, keys, days, extensions, ...signed }) + (selfSigned ? "" : chain);
      const key = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
      const file = join(place.folder, crypto.randomUUID());
      writeFileSync(`${file}.pem`, cert);
      writeFileSync(`${file}.key`, key);
      return { cert, key, certFile: `${file}.pem`, keyFile: `${file}.key` };
    },
    below(name) {
      const keys = newKeys();
      const made = certificate({ subject: name, issuer, keys, signer, days: [-300, 300], extensions: [CA] });
      return authority(place, name, keys, made + chain, () => undefined);
    },
    close,
  };
}

type KeyPair = crypto.KeyPairKeyObjectResult;

function newKeys(): KeyPair {
  return crypto.generateKeyPairSync("ec", { namedCurve: "P-256" });
}

interface Content {
  readonly subject: string;
  readonly issuer: string;
  readonly keys: KeyPair;
  readonly signer: KeyPair;
  readonly days: readonly [number, number];
  readonly extensions: readonly Buffer[];
}

/** RFC 5280 §4.1, in PEM. */
function certificate({ subject, issuer, keys, signer, days: [from, to], extensions }: Content): string {
  const algorithm = sequence(oid("1.2.840.10045.4.3.2"));
  const serial = crypto.randomBytes(8);
  serial[0] = 0x11;
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    algorithm,
    commonName(issuer),
    sequence(time(from), time(to)),
    commonName(subject),
    keys.publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(...extensions)),
  );
  const signature = crypto.sign("sha256", toBeSigned, signer.privateKey);
  const whole = sequence(toBeSigned, algorithm, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const bytes = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...bytes]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(0x30, ...parts);
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const number of rest) {
    const groups = [number & 127];
    for (let left = number >> 7; left > 0; left >>= 7) groups.unshift((left & 127) | 128);
    bytes.push(...groups);
  }
  return der(0x06, Buffer.from(bytes));
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(oid("2.5.4.3"), der(0x0c, Buffer.from(name)))));
}

/** GeneralizedTime, which OpenSSL takes in any year. */
function time(daysFromNow: number): Buffer {
  const text = new Date(Date.now() + daysFromNow * DAY_MS).toISOString().replaceAll(/[-:T]|\.\d+/g, "");
  return der(0x18, Buffer.from(text));
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

/** basicConstraints with CA:TRUE. */
const CA = extension("2.5.29.19", true, sequence(der(0x01, Buffer.from([0xff]))));

function usageExtension(usage: "server" | "client"): Buffer {
  return extension("2.5.29.37", false, sequence(oid(`1.3.6.1.5.5.7.3.${usage === "server" ? 1 : 2}`)));
}

function namesExtension(names: readonly string[]): Buffer {
  const entries = names.map((name) =>
    /^[\d.]+$/.test(name) ? der(0x87, Buffer.from(name.split(".").map(Number))) : der(0x82, Buffer.from(name)),
  );
  return extension("2.5.29.17", false, sequence(...entries));
}
