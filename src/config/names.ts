/**
 * Names of services, pools and routes. They become labels of metrics and parts of URLs, so they keep to
 * what needs no escaping anywhere. A name of digits alone is refused: YAML reads `404` as a number.
 */
import { text } from "./fields.ts";
import type { Field } from "./fields.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";

const NAME_PATTERN = "^(?=.*[a-z])[a-z0-9][a-z0-9_-]{0,62}$";
const NAME = new RegExp(NAME_PATTERN);

export function parseName(input: unknown): Parsed<string> {
  if (typeof input === "string" && NAME.test(input)) return accepted(input);
  const better =
    typeof input === "string"
      ? input
          .toLowerCase()
          .replaceAll(/[^a-z0-9_-]+/g, "-")
          .replaceAll(/^[-_]+|-+$/g, "")
          .slice(0, 63)
      : "";
  const example = NAME.test(better) ? ` For example ${better}.` : "";
  return refused(
    `${quoted(input)} is not a name.`,
    `Names have lower-case letters, digits, - and _, at least one letter, at most 63 in all.${example}`,
  );
}

export const nameText: Field<string> = text("name", parseName, { pattern: NAME_PATTERN });

/** What a pool without a name is called. */
export function poolName(index: number): string {
  return `pool-${index + 1}`;
}
