/** What several gateways have together, as an operator writes it and as the program uses it. */
import { z } from "zod";
import { HIDDEN_HINT, hiddenText, parseHiddenText } from "./alert-schema.ts";
import { parseDatabaseUrl } from "./database-url.ts";
import { field, text } from "./fields.ts";
import { parseFilePath } from "./listener-tls-schema.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import type { FleetSettings, HiddenText } from "./settings.ts";

const databaseText = field(
  {
    type: "URL, { file: PATH } or { env: NAME }",
    bounds: "",
    json: { anyOf: [{ type: "string", pattern: "^postgres(ql)?://" }, { type: "object" }] },
  },
  (input): Parsed<HiddenText> => (typeof input === "string" ? parseUrl(input) : parseHiddenText(input)),
);

export const fleetSchema = z.strictObject({
  database: databaseText.describe(
    "The PostgreSQL database that all of them reach: `postgres://USER:PASSWORD@HOST:PORT/NAME`, in a file or a variable of the environment because of the password. With TLS, and a certificate that is right for the host, unless that is this machine or `sslmode=disable` is written.",
  ),
  key: hiddenText.describe(
    "The same for all of them: 32 bytes in base64 (`openssl rand -base64 32`). Private keys are encrypted with it before they go into the database.",
  ),
  ca: text("file path", parseFilePath)
    .optional()
    .describe("A PEM file with who signed the database's certificate. Default: whom the system trusts."),
  schema: text("schema name", parseSchemaName, { pattern: "^[a-z_][a-z0-9_]{0,47}$" })
    .prefault("goodgate")
    .describe("The schema of its tables, which is made where it is missing. Another one for each fleet in a database."),
});

export function fleetOf(written: z.output<typeof fleetSchema> | undefined): FleetSettings | null {
  if (written === undefined) return null;
  const { database, key, ca = "", schema } = written;
  return { database, key, ca, schema };
}

/** Messages do not repeat what was written. */
function parseUrl(input: string): Parsed<HiddenText> {
  const parsed = parseDatabaseUrl(input);
  if (!parsed.ok) return parsed;
  return parsed.value.password === ""
    ? accepted({ from: "text", name: input })
    : refused("A password is not written into the configuration.", HIDDEN_HINT);
}

function parseSchemaName(input: unknown): Parsed<string> {
  return typeof input === "string" && /^[a-z_][a-z0-9_]{0,47}$/.test(input) && !input.startsWith("pg_")
    ? accepted(input)
    : refused(`${quoted(input)} is no name of a schema.`, "Write small letters, digits and _, such as goodgate.");
}
