import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CAUSES } from "../src/kernel/causes.ts";
import { referenceFiles, staleFiles, writeFiles } from "./docs.ts";
import { anchor, causesPage, refusalsPage } from "./reference-pages.ts";

let folder: string;

beforeEach(() => {
  folder = path.join(mkdtempSync(path.join(os.tmpdir(), "goodgate-docs-")), "reference");
});

afterEach(() => {
  rmSync(path.dirname(folder), { recursive: true });
});

describe("the generated reference", () => {
  test("is stale until it is written, and stale again when a page is changed, lost, or added by hand", () => {
    const wanted = new Map([
      ["a.md", "# A\n"],
      ["b.json", "{}\n"],
    ]);
    expect(staleFiles(folder, wanted)).toEqual(["a.md", "b.json"]);
    expect(writeFiles(folder, wanted)).toEqual(["a.md", "b.json"]);
    expect(staleFiles(folder, wanted)).toEqual([]);

    writeFileSync(path.join(folder, "a.md"), "# A, mended by hand\n");
    rmSync(path.join(folder, "b.json"));
    writeFileSync(path.join(folder, "c.md"), "# Mine\n");
    expect(staleFiles(folder, wanted)).toEqual(["a.md", "b.json", "c.md"]);
    expect(writeFiles(folder, wanted)).toEqual(["a.md", "b.json", "c.md"]);
    expect(readdirSync(folder).toSorted()).toEqual(["a.md", "b.json"]);
    expect(staleFiles(folder, wanted)).toEqual([]);
  });

  test("is the same each time it is made, and every page ends with one line end", () => {
    const files = referenceFiles();
    expect(referenceFiles()).toEqual(files);
    for (const [name, content] of files) expect(content, name).toMatch(/[^\n]\n$/);
  });

  test("links every cause from the index of parties to a section of its own", () => {
    const page = causesPage(Object.values(CAUSES), "a test");
    const headings = new Set([...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchor(heading)));
    const links = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, target = ""]) => target);
    expect(links).toHaveLength(Object.keys(CAUSES).length);
    expect(new Set(links).size).toBe(links.length);
    for (const link of links) expect(headings, link).toContain(link);
  });

  test("tells operators to change only keys that the configuration has", () => {
    const keys = new Set<string>();
    let section = "";
    for (const line of (referenceFiles().get("configuration.md") ?? "").split("\n")) {
      section = /^## `(?:.*\.)?([A-Za-z]+)/.exec(line)?.[1] ?? section;
      const key = /^\| `([A-Za-z]+)`/.exec(line)?.[1];
      if (key !== undefined) keys.add(`${section}.${key}`);
    }
    const advice = Object.values(CAUSES).map((cause) => `${cause.evidence} ${cause.lookFirst}`);
    const named = advice.flatMap((text) => [...text.matchAll(/`([a-z]+\.[A-Za-z]+)`/g)].map(([, key]) => key));
    expect(named.length).toBeGreaterThan(4);
    for (const key of named) expect(keys, key).toContain(key);
  });

  test("keeps a table whole when a cell contains its separators", () => {
    const row = { id: "x", status: 400, kind: "syntax", meaning: "one | two\nthree", source: "RFC" };
    expect(refusalsPage([row], "a test")).toContain("| `x` | 400 | syntax | one \\| two three | RFC |");
    expect(refusalsPage([], "a test")).toContain("None.");
  });
});
