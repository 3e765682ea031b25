/** What the `tls` of a service and of its pools says that nothing would come of, and what should be known before the start. */
import { parseOriginUrl } from "./origin-url.ts";
import { valueAt } from "./problems.ts";
import type { Finding, Path } from "./problems.ts";
import { isMapping } from "./yaml-tree.ts";

export function originTlsFindings(file: unknown): { readonly problems: Finding[]; readonly notes: Finding[] } {
  const problems: Finding[] = [];
  const notes: Finding[] = [];
  const services = valueAt(file, ["services"]);
  for (const name of isMapping(services) ? Object.keys(services) : []) {
    const service = ["services", name];
    const pools = valueAt(file, [...service, "pools"]);
    const poolPaths = Array.isArray(pools) ? pools.map((_, index): Path => [...service, "pools", index]) : [];
    for (const path of [service, ...poolPaths]) {
      const tls = [...path, "tls"];
      if (!isMapping(valueAt(file, tls))) continue;
      const reached = path === service ? poolPaths : [path];
      if (!reached.some((pool) => hasSecureOrigin(valueAt(file, [...pool, "origins"])))) {
        const message = `The key "tls" has no effect: no origin ${path === service ? "of the service" : "of the pool"} has a URL that begins with https://.`;
        problems.push({ path: tls, message, hint: "Write https:// in the URLs, or leave this out.", at: "key" });
      }
      if (valueAt(file, [...tls, "verify"]) === false) {
        const pinned = valueAt(file, [...tls, "pins"]) !== undefined;
        notes.push({
          path: [...tls, "verify"],
          message: pinned
            ? "Certificates of these origins are not checked, but for their pins."
            : "Certificates of these origins are not checked: whoever answers at their addresses is taken for them.",
          hint: pinned ? "" : "Name the authority under ca, or the key under pins.",
          at: "value",
        });
      }
    }
  }
  return { problems, notes };
}

function hasSecureOrigin(origins: unknown): boolean {
  if (!Array.isArray(origins)) return false;
  return origins.some((origin: unknown) => {
    const parsed = parseOriginUrl(isMapping(origin) ? origin["url"] : origin);
    // One that cannot be read is told already.
    return !parsed.ok || parsed.value.secure;
  });
}
