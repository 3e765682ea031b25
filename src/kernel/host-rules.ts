/** Rules that hold for some host names: the first that names the host, else the first that is for all. */

/** The place in the list; -1: none. `hosts`: null for every name, else names and `*.example.com` for all names under one. */
export function ruleFor(rules: readonly { readonly hosts: readonly string[] | null }[], host: string): number {
  if (rules.length === 0) return -1;
  const named = rules.findIndex(({ hosts }) => hosts?.some((pattern) => covers(pattern, host)) === true);
  return named === -1 ? rules.findIndex(({ hosts }) => hosts === null) : named;
}

function covers(pattern: string, host: string): boolean {
  return pattern === "*" || pattern === host || (pattern.startsWith("*.") && host.endsWith(pattern.slice(1)));
}
