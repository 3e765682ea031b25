/** Which names a listener obtains certificates for by itself. */
import { z } from "zod";
import { text, yesOrNo } from "./fields.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";

/** The names are those of a listener, or true for all hosts of services that are written out. */
export const acmeNamesField = z
  .union([yesOrNo(), z.array(text("host name", parseAcmeName)).min(1).max(1_000)])
  .prefault(false)
  .describe(
    "True: certificates for all `hosts` of services that have no wildcard are obtained by themselves (see `acme`); or a list of names.",
  );

/** Of one listener. */
export function acmeNamesOf(written: z.output<typeof acmeNamesField>, hosts: readonly string[]): string[] {
  if (written === false) return [];
  return [...new Set(written === true ? hosts.filter((host) => parseAcmeName(host).ok) : written)];
}

/** A wildcard takes a challenge by DNS (RFC 8555 §8.4), which is not built; addresses and single labels get none. */
function parseAcmeName(input: unknown): Parsed<string> {
  const name = typeof input === "string" ? input.toLowerCase() : "";
  const isName = /^(?!-)[a-z0-9-]{1,63}(\.(?!-)[a-z0-9-]{1,63})+$/.test(name) && !/^[\d.]+$/.test(name);
  if (isName && name.length <= 253) return accepted(name);
  const hint = name.startsWith("*.")
    ? "Write each name: wildcards take a proof by DNS."
    : "Write a name such as shop.example.com.";
  return refused(`${quoted(input)} is no name that a certificate is obtained for.`, hint);
}
