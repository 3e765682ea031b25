/** The name of a header field as an operator writes it. */
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";

/** For the JSON Schema: a token (RFC 9110 §5.6.2). */
export const FIELD_NAME_PATTERN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";

/** In lower case: names of fields are compared without regard to it (RFC 9110 §5.1). */
export function parseFieldName(input: unknown): Parsed<string> {
  return typeof input === "string" && /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/.test(input)
    ? accepted(input.toLowerCase())
    : refused(`${quoted(input)} is not the name of a field.`, "Write one such as X-Service.");
}
