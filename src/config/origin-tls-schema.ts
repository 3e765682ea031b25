/**
 * TLS to origins, as an operator writes it for a service or for one of its pools, and as the program uses it. What a
 * pool says goes before what its service says, key by key. An origin is reached by TLS when its URL says `https://`;
 * nothing of this makes it so.
 */
import { z } from "zod";
import type { OriginTls } from "../kernel/socket.ts";
import { choice, text, yesOrNo } from "./fields.ts";
import { parseHost } from "./host-names.ts";
import { parseFilePath } from "./listener-tls-schema.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";

const PINS_MAX = 32;
/** 32 bytes in base64. */
const PIN_PATTERN = "^sha256/[A-Za-z0-9+/]{43}=$";

export const originTlsSchema = z.strictObject({
  serverName: text("host name", parseServerName)
    .optional()
    .describe("The name that the certificate has to be for, and that is asked for by SNI. Default: the origin's host."),
  verify: yesOrNo()
    .optional()
    .describe(
      "False: certificates are not checked, so whoever answers is taken for the origin; only `pins` still hold. Default: true.",
    ),
  ca: text("file path", parseFilePath)
    .optional()
    .describe(
      "A PEM file with the certificates of the authorities that are trusted, and no others. Default: those of the system and those that come with Node.",
    ),
  clientCertificate: z
    .strictObject({
      cert: text("file path", parseFilePath).describe("A PEM file: the certificate, and behind it those between."),
      key: text("file path", parseFilePath).describe("A PEM file: its private key."),
    })
    .optional()
    .describe("What is shown to origins who ask for a certificate. Default: nothing."),
  pins: z
    .array(text("pin", parsePin, { pattern: PIN_PATTERN }))
    .min(1)
    .max(PINS_MAX)
    .optional()
    .describe(
      "`sha256/` and the SHA-256 of a public key (SPKI) in base64: the origin's certificate, or one that it was issued by, has to have one of them. Name a spare one too.",
    ),
  minVersion: choice(["1.2", "1.3"]).optional().describe("The oldest version of TLS that is spoken. Default: 1.2."),
});

export type CheckedOriginTls = z.output<typeof originTlsSchema>;

/** `host`: of the origin. */
export function originTlsOf(
  host: string,
  service: CheckedOriginTls | undefined,
  pool: CheckedOriginTls | undefined,
): OriginTls {
  const written = { ...service, ...pool };
  return {
    serverName: written.serverName ?? host,
    verify: written.verify ?? true,
    ca: written.ca ?? "",
    certificate: written.clientCertificate?.cert ?? "",
    key: written.clientCertificate?.key ?? "",
    pins: (written.pins ?? []).map((pin) => pin.slice("sha256/".length)),
    minVersion: written.minVersion ?? "1.2",
  };
}

function parseServerName(input: unknown): Parsed<string> {
  const host = typeof input === "string" ? parseHost(input) : refused("");
  return host.ok || host.message !== "" ? host : refused(`${quoted(input)} is not a host name.`, host.hint);
}

function parsePin(input: unknown): Parsed<string> {
  return typeof input === "string" && new RegExp(PIN_PATTERN).test(input)
    ? accepted(input)
    : refused(
        `${quoted(input)} is not a pin.`,
        "Write sha256/ and what this says: openssl x509 -in cert.pem -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64.",
      );
}
