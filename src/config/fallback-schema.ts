/** What a route answers when no origin can, as an operator writes it, and as the program uses it. */
import { z } from "zod";
import { choice, count, text } from "./fields.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";
import type { FallbackSettings } from "./settings.ts";

/** It is held in memory, and a page that has to be loaded whole should be small. */
export const FALLBACK_BYTES_MAX = 1024 * 1024;
const WHEN_MAX = 2;

export const fallbackSchema = z
  .strictObject({
    status: count("status", 200, 599).prefault(503).describe("The status of the answer."),
    contentType: text("media type", parseMediaType, { pattern: "^[^/]+/.+$" })
      .prefault("text/html; charset=utf-8")
      .describe("Its Content-Type."),
    body: text("text", parseBody, { bounds: "at most 1MiB" })
      .optional()
      .describe("Its content. Either this or `file`."),
    file: text("file path", parseFile).optional().describe("A file that holds its content, read once at the start."),
    when: z
      .array(choice(["failure", "overload"]))
      .min(1)
      .max(WHEN_MAX)
      .prefault(["failure", "overload"])
      .describe("Whether it answers when origins fail, when there is no room, or both."),
  })
  .check((context) => {
    const { body, file } = context.value;
    if ((body === undefined) !== (file === undefined)) return;
    context.issues.push({
      code: "custom",
      path: body === undefined ? [] : ["file"],
      message: body === undefined ? "A fallback needs a content." : "A fallback has either body or file, not both.",
      params: { hint: body === undefined ? "Write body or file." : "Leave one of them out." },
      input: context.value,
    });
  });

export function fallbackOf(written: z.output<typeof fallbackSchema> | false): FallbackSettings | null {
  if (written === false) return null;
  const { status, contentType, body, file, when } = written;
  return {
    status,
    contentType,
    body: body ?? null,
    file: file ?? null,
    onFailure: when.includes("failure"),
    onOverload: when.includes("overload"),
  };
}

/** RFC 9110 §8.3.1, with parameters; nothing that a field could not carry. */
function parseMediaType(input: unknown): Parsed<string> {
  const isType =
    typeof input === "string" &&
    input.length <= 255 &&
    /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+( *;[ -~]*)?$/.test(input);
  return isType
    ? accepted(input)
    : refused(`${quoted(input)} is not a media type.`, "Write one such as text/html; charset=utf-8.");
}

function parseBody(input: unknown): Parsed<string> {
  if (typeof input !== "string")
    return refused(`${quoted(input)} is not text.`, "Put it in quotes, or below `body: |`.");
  return Buffer.byteLength(input) <= FALLBACK_BYTES_MAX
    ? accepted(input)
    : refused("The content is larger than 1MiB.", "A page for bad times has to be small.");
}

function parseFile(input: unknown): Parsed<string> {
  const isPath = typeof input === "string" && input !== "" && input.length <= 4096 && !input.includes("\0");
  return isPath ? accepted(input) : refused(`${quoted(input)} is not the path of a file.`);
}
