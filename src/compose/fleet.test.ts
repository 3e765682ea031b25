/** What a gateway without a fleet does not load: by what files say, because what is loaded once stays for all tests. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const SOURCES = new URL("../", import.meta.url);

/** Of a file and all that it needs to begin. */
function loadedWith(root: string): Set<string> {
  const found = new Set<string>();
  const next = [new URL(root, SOURCES).href];
  for (let at = next.pop(); at !== undefined; at = next.pop()) {
    if (found.has(at)) continue;
    found.add(at);
    if (!at.startsWith("file:")) continue;
    const text = readFileSync(new URL(at), "utf8");
    for (const [, clause = "", name = ""] of text.matchAll(/^(?:import|export)\b([^;"'()]*?)\bfrom\s*"([^"]+)"/gm)) {
      if (!/^\s*type\b/.test(clause)) next.push(name.startsWith(".") ? new URL(name, at).href : name);
    }
  }
  return found;
}

test.each(["main.ts", "worker.ts", "controller.ts", "compose/one-process.ts", "compose/supervised.ts"])(
  "%s begins without the driver of the database",
  (root) => {
    const loaded = [...loadedWith(root)];
    expect(loaded.length).toBeGreaterThan(20);
    expect(loaded.filter((one) => one === "pg" || one.includes("/fleet/fleet-session"))).toEqual([]);
  },
);

test("what is looked for would be found", () => {
  expect([...loadedWith("store/fleet/fleet-session.ts")].some((one) => one.endsWith("/connection.ts"))).toBe(true);
});
