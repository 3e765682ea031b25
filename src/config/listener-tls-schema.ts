/** TLS on a listener, and what plain listeners beside it do for it, as an operator writes it and as the program uses it. */
import { z } from "zod";
import { acmeNamesField, acmeNamesOf } from "./acme-names.ts";
import { choice, count, duration, field, text, yesOrNo } from "./fields.ts";
import { parseHostPattern } from "./host-names.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import type { ClientCertificateSettings, ListenerTlsSettings } from "./settings.ts";

const CERTIFICATES_MAX = 1_000;
const RULES_MAX = 64;
const HOSTS_MAX = 256;
const HTTPS_PORT = 443;

const certificateSchema = z.strictObject({
  cert: text("file path", parseFilePath).describe(
    "A PEM file: the certificate, then what it was issued by, as far as clients need that.",
  ),
  key: text("file path", parseFilePath).describe("A PEM file with its private key, without a passphrase."),
});

const clientCertificateSchema = z.strictObject({
  ca: text("file path", parseFilePath).describe("A PEM file with the authorities whose certificates are believed."),
  mode: choice(["required", "optional"])
    .prefault("required")
    .describe("Whether a client without a certificate is refused. One that is not believed is refused in both."),
  hosts: z
    .array(text("host name", parseHostPattern))
    .min(1)
    .max(HOSTS_MAX)
    .optional()
    .describe("The names for which clients are asked. Default: all, and those that ask for no name."),
  chain: yesOrNo()
    .prefault(false)
    .describe("True: origins are told the issuers that the client sent too, in `Client-Cert-Chain`."),
});

const clientCertificatesSchema = z.union([z.array(clientCertificateSchema).max(RULES_MAX), clientCertificateSchema]);

export const listenerTlsSchema = z.strictObject({
  certificates: z
    .array(certificateSchema)
    .max(CERTIFICATES_MAX)
    .prefault([])
    .describe(
      "What clients are shown, chosen by the name that they ask for; the first one is for all other names. The files are read again when they change.",
    ),
  acme: acmeNamesField,
  minVersion: choice(["1.2", "1.3"])
    .prefault("1.2")
    .describe("The oldest version of TLS that is spoken. Nothing below 1.2 is, whatever is written."),
  strictSni: yesOrNo()
    .prefault(false)
    .describe("True: a client that asks for a name without a certificate here is refused."),
  clientCertificates: clientCertificatesSchema
    .prefault([])
    .describe(
      "Clients are asked for a certificate, and origins are told of it in `Client-Cert` (RFC 9440). One rule, or several for different names: the first that names the host holds.",
    ),
});

export const hstsSchema = z.strictObject({
  maxAge: duration("0s", "10000d").prefault("730d").describe("How long browsers do not come without TLS any more."),
  includeSubDomains: yesOrNo().prefault(false).describe("True: to no name under this one either."),
  preload: yesOrNo().prefault(false).describe("True: the names may be built into browsers."),
});

/** True: to port 443. Settings: 0 for none. */
export const redirectField = field(
  {
    type: "true, false or port",
    bounds: "1 to 65535",
    json: { anyOf: [{ type: "boolean" }, { type: "integer", minimum: 1, maximum: 65_535 }] },
  },
  (input): Parsed<number> => {
    if (typeof input === "boolean") return accepted(input ? HTTPS_PORT : 0);
    const port = count("a port", 1, 65_535).safeParse(input);
    return port.success ? accepted(port.data) : refused(`${quoted(input)} is neither a port nor true or false.`);
  },
);

/** `hosts`: of all services. */
export function listenerTlsOf(
  written: z.output<typeof listenerTlsSchema> | undefined,
  hosts: readonly string[],
): ListenerTlsSettings | null {
  if (written === undefined) return null;
  const { certificates, acme, minVersion, strictSni, clientCertificates } = written;
  const rules = Array.isArray(clientCertificates) ? clientCertificates : [clientCertificates];
  return {
    certificates,
    minVersion,
    strictSni,
    clientCertificates: rules.map(ruleOf),
    acmeNames: acmeNamesOf(acme, hosts),
  };
}

/** RFC 6797 §6.1. */
export function hstsOf(written: z.output<typeof hstsSchema> | boolean): string {
  if (written === false) return "";
  const { maxAge, includeSubDomains, preload } = written === true ? hstsSchema.parse({}) : written;
  const directives = [`max-age=${Math.floor(maxAge / 1000)}`];
  if (includeSubDomains) directives.push("includeSubDomains");
  if (preload) directives.push("preload");
  return directives.join("; ");
}

function ruleOf({ ca, mode, hosts, chain }: z.output<typeof clientCertificateSchema>): ClientCertificateSettings {
  return { ca, isRequired: mode === "required", hosts: hosts ?? null, chain };
}

export function parseFilePath(input: unknown): Parsed<string> {
  const isPath = typeof input === "string" && input !== "" && input.length <= 4096 && !input.includes("\0");
  return isPath ? accepted(input) : refused(`${quoted(input)} is not the path of a file.`);
}
