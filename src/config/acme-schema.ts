/** Certificates that are obtained by themselves, as an operator writes it and as the program uses it. */
import { z } from "zod";
import { hiddenText } from "./alert-schema.ts";
import { choice, count, text, yesOrNo } from "./fields.ts";
import { parseFilePath } from "./listener-tls-schema.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import type { AcmeSettings } from "./settings.ts";

const DIRECTORIES: Readonly<Record<string, string>> = {
  letsencrypt: "https://acme-v02.api.letsencrypt.org/directory",
  "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
  zerossl: "https://acme.zerossl.com/v2/DV90",
};

const directoryText = text("authority", parseDirectory);

const externalAccountSchema = z.strictObject({
  kid: text("key identifier", parseWord).describe("What the authority calls the account."),
  key: hiddenText.describe("Its key, as the authority gives it (base64url)."),
});

const authoritySchema = z.union([
  directoryText,
  z.strictObject({
    directory: directoryText.describe(
      "`letsencrypt`, `letsencrypt-staging`, `zerossl`, or the URL of another ACME directory.",
    ),
    externalAccount: externalAccountSchema
      .optional()
      .describe("For authorities that know their customers from elsewhere, such as ZeroSSL."),
    ca: text("file path", parseFilePath)
      .optional()
      .describe("A PEM file with who signed the authority's own certificate. Default: whom the system trusts."),
  }),
]);

export const acmeSchema = z.strictObject({
  agree: yesOrNo().describe("True: you agree to the terms of service of the authorities that are named."),
  email: text("e-mail address", parseEmail)
    .optional()
    .describe("Told to the authorities, which may write there when something is wrong."),
  authorities: z
    .array(authoritySchema)
    .min(1)
    .max(8)
    .prefault(["letsencrypt"])
    .describe("Who is asked, in this order: the next one when the one before fails or says that it is too much."),
  challenges: z
    .array(choice(["http-01", "tls-alpn-01"]))
    .min(1)
    .max(2)
    .prefault(["http-01", "tls-alpn-01"])
    .describe(
      "How it is proven that a name is ours: by an answer on port 80 (`http-01`) or on port 443 (`tls-alpn-01`). After a failure the other one is tried.",
    ),
  certificatesPerWeek: count("certificates", 1, 50)
    .prefault(4)
    .describe("Certificates of one name in seven days. Let's Encrypt gives five."),
});

export function acmeOf(written: z.output<typeof acmeSchema> | undefined): AcmeSettings | null {
  if (written === undefined) return null;
  const { email, authorities, challenges, certificatesPerWeek } = written;
  return {
    email: email ?? "",
    authorities: authorities.map((one) => {
      const { directory, externalAccount, ca } = typeof one === "string" ? { directory: one } : one;
      return { directory, externalAccount: externalAccount ?? null, ca: ca ?? "" };
    }),
    challenges: [...new Set(challenges)],
    certificatesPerWeek,
  };
}

function parseDirectory(input: unknown): Parsed<string> {
  const known = typeof input === "string" ? DIRECTORIES[input] : undefined;
  if (known !== undefined) return accepted(known);
  const url = typeof input === "string" ? URL.parse(input) : null;
  return url !== null && url.protocol === "https:" && url.username === ""
    ? accepted(url.href)
    : refused(
        `${quoted(input)} is no authority.`,
        `Write ${Object.keys(DIRECTORIES).join(", ")}, or the https:// URL of an ACME directory.`,
      );
}

function parseEmail(input: unknown): Parsed<string> {
  return typeof input === "string" && /^[^\s@<>,;:"]+@[^\s@<>,;:"]+$/.test(input) && input.length <= 254
    ? accepted(input)
    : refused(`${quoted(input)} is not an e-mail address.`, "Write one such as ops@example.com.");
}

function parseWord(input: unknown): Parsed<string> {
  return typeof input === "string" && /^[!-~]{1,256}$/.test(input)
    ? accepted(input)
    : refused(`${quoted(input)} is no key identifier.`, "Write it as the authority shows it.");
}
