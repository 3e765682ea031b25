/** TLS on a listener, as an operator writes it, and as the program uses it. */
import { z } from "zod";
import { choice, text, yesOrNo } from "./fields.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import type { ListenerTlsSettings } from "./settings.ts";

const CERTIFICATES_MAX = 1_000;

const certificateSchema = z.strictObject({
  cert: text("file path", parseFilePath).describe(
    "A PEM file: the certificate, then what it was issued by, as far as clients need that.",
  ),
  key: text("file path", parseFilePath).describe("A PEM file with its private key, without a passphrase."),
});

export const listenerTlsSchema = z.strictObject({
  certificates: z
    .array(certificateSchema)
    .min(1)
    .max(CERTIFICATES_MAX)
    .describe(
      "What clients are shown, chosen by the name that they ask for; the first one is for all other names. The files are read again when they change.",
    ),
  minVersion: choice(["1.2", "1.3"])
    .prefault("1.2")
    .describe("The oldest version of TLS that is spoken. Nothing below 1.2 is, whatever is written."),
  strictSni: yesOrNo()
    .prefault(false)
    .describe("True: a client that asks for a name without a certificate here is refused."),
});

export function listenerTlsOf(written: z.output<typeof listenerTlsSchema> | undefined): ListenerTlsSettings | null {
  return written === undefined ? null : { ...written };
}

export function parseFilePath(input: unknown): Parsed<string> {
  const isPath = typeof input === "string" && input !== "" && input.length <= 4096 && !input.includes("\0");
  return isPath ? accepted(input) : refused(`${quoted(input)} is not the path of a file.`);
}
