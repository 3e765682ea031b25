/** The public status page, as an operator writes it, and as the program uses it. */
import { z } from "zod";
import { parseBind } from "./addresses.ts";
import { text } from "./fields.ts";
import { nameText } from "./names.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import type { StatusPageSettings } from "./settings.ts";

const words = text("text", parseWords, { bounds: "1 to 100 characters" });

export const statusPageSchema = z
  .strictObject({
    bind: text("address and port", parseBind)
      .optional()
      .describe("Where the page is served over HTTP, for everybody who can reach it."),
    export: text("directory", parseDirectory, { pattern: "^/" })
      .optional()
      .describe(
        "Where `index.html` and `feed.xml` are written, for a server elsewhere. Either this or `bind`, or both.",
      ),
    title: words.prefault("Status").describe("What stands above it."),
    url: text("URL", parseUrl, { pattern: "^https?://" })
      .optional()
      .describe("Where people find the page, for the links of its feed. Default: none."),
    services: z
      .record(nameText, words)
      .optional()
      .describe("Services that are shown, each with what people call it. Default: all, by their names."),
  })
  .check((context) => {
    const { bind, export: directory } = context.value;
    if (bind !== undefined || directory !== undefined) return;
    context.issues.push({
      code: "custom",
      path: [],
      message: "A status page needs a place to be.",
      params: { hint: "Write bind to serve it, export to write it to a directory, or false for none." },
      input: context.value,
    });
  });

export function statusPageOf(
  written: z.output<typeof statusPageSchema> | false,
  services: readonly string[],
): StatusPageSettings | null {
  if (written === false) return null;
  const { bind, export: directory, title, url, services: named } = written;
  const shown = named === undefined ? services.map((name) => [name, name] as const) : Object.entries(named);
  return {
    bind: bind ?? null,
    directory: directory ?? "",
    title,
    url: url ?? "",
    services: shown.map(([name, called]) => ({ name, title: called })),
  };
}

function parseWords(input: unknown): Parsed<string> {
  const isWords = typeof input === "string" && /^[^\p{Cc}]{1,100}$/u.test(input) && input.trim() !== "";
  return isWords ? accepted(input) : refused(`${quoted(input)} is not a text of 1 to 100 characters.`);
}

function parseDirectory(input: unknown): Parsed<string> {
  return typeof input === "string" && input.startsWith("/") && input.length <= 4096 && !input.includes("\0")
    ? accepted(input)
    : refused(`${quoted(input)} is not a directory by its path from the root.`, "Write it like /srv/status.");
}

function parseUrl(input: unknown): Parsed<string> {
  const url = typeof input === "string" ? URL.parse(input) : null;
  return url !== null && (url.protocol === "https:" || url.protocol === "http:")
    ? accepted(url.href)
    : refused(`${quoted(input)} is not an http or https URL.`, "Write it like https://status.example.com/.");
}
