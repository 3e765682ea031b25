/**
 * The examples in the documentation are executed, so that they cannot rot. A fenced block marked
 * `yaml goodgate` is a configuration and must load without a note; so must every unmarked `yaml` block that
 * has services, because a reader will try it. `yaml goodgate-wrong` is followed by a `text` block with
 * all its problems. In a `text goodgate` block the first line is a command and the rest is what it says. The tables of the routing guide are requests and the routes that they take.
 */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadSettings } from "../src/config/load.ts";
import { compileRoutes } from "../src/config/route-table.ts";
import type { RouteTable } from "../src/config/route-table.ts";

import { cliWorld } from "./support/cli-world.ts";

const root = new URL("../", import.meta.url);
const pages = ["README.md", ...globSync("docs/**/*.md", { cwd: root.pathname }).toSorted()];

interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

const blocks = pages.flatMap((page): Block[] => {
  const markdown = readFileSync(new URL(page, root), "utf8");
  return [...markdown.matchAll(/^```([^\n]*)\n([^]*?)^```$/gm)].map((match) => ({
    page,
    line: markdown.slice(0, match.index).split("\n").length,
    language: match[1] ?? "",
    text: match[2] ?? "",
  }));
});

function isConfiguration({ language, text }: Block): boolean {
  return language === "yaml goodgate" || (language === "yaml" && /^services:/m.test(text));
}

describe("configurations in the documentation", () => {
  const configurations = blocks.filter(isConfiguration);

  test("there are some", () => {
    expect(new Set(configurations.map((block) => block.page))).toContain("docs/guide/configuration.md");
    expect(configurations.length).toBeGreaterThan(5);
  });

  test.each(configurations.map((block) => [`${block.page}:${block.line}`, block] as const))(
    "%s loads",
    (_, { text, page }) => {
      const loaded = loadSettings(text, page);
      expect(loaded.ok ? loaded.notes : loaded.problems).toEqual([]);
    },
  );

  test.each(
    blocks.flatMap((block, index) =>
      block.language === "yaml goodgate-wrong"
        ? [[`${block.page}:${block.line}`, block, blocks[index + 1]] as const]
        : [],
    ),
  )("%s is wrong as the page says", (_, block, answer) => {
    const loaded = loadSettings(block.text, block.page);
    const lines = loaded.ok
      ? []
      : loaded.problems.map(({ line, column, message, hint }) =>
          `${`${line}:${column}`.padEnd(6)}${message} ${hint}`.trim(),
        );
    expect(lines.join("\n")).toBe(answer?.text.trimEnd());
  });

  test("every mark that a block bears is one that is looked at", () => {
    const marks = new Set(blocks.map((block) => block.language).filter((language) => language.startsWith("yaml")));
    expect([...marks].filter((mark) => !["yaml", "yaml goodgate", "yaml goodgate-wrong"].includes(mark))).toEqual([]);
  });
});

describe("commands in the documentation", () => {
  const commands = blocks.filter((block) => block.language === "text goodgate");

  test("there are some", () => {
    expect(commands.length).toBeGreaterThan(0);
  });

  test.each(commands.map((block) => [`${block.page}:${block.line}`, block] as const))(
    "%s answers as the page says, where nobody listens",
    async (_, { text }) => {
      const [command = "", ...lines] = text.split("\n");
      const [prompt, program, ...args] = command.split(" ");
      expect([prompt, program]).toEqual(["$", "goodgate"]);
      const world = cliWorld();
      await world.run(...args);
      expect(
        world
          .out()
          .split("\n")
          .map((line) => line.trimEnd()),
      ).toEqual(lines);
    },
  );
});

describe("the tables of the routing guide", () => {
  const guide = readFileSync(new URL("docs/guide/routing.md", root), "utf8");

  function tableOf(text: string): RouteTable {
    const loaded = loadSettings(text, "routing.md");
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    return compileRoutes(loaded.settings.services);
  }

  const routed = tableOf(blocks.find((block) => block.page === "docs/guide/routing.md")?.text ?? "");
  const requests = [
    ...guide.matchAll(/^\| `([A-Z]+) ([^/`]+)(\/[^`]*)`(?: with `([^:`]+): ([^`]*)`)? +\| (.*?) +\|$/gm),
  ];

  test.each(requests.map((match) => match.slice(1)))(
    "%s %s%s",
    (method = "", host = "", path = "", name = "", value = "", route = "") => {
      const hit = routed.match(host, method, path, (lowerName) => (lowerName === name ? value : null));
      expect(hit === null ? "nothing" : `${hit.service.name} ${hit.route.name}`).toBe(route);
    },
  );

  const doubtful = tableOf(
    'services: { app: { pools: [{ origins: [http://a] }], routes: [{ match: { path: "/admin/*" } }, { match: { path: "/files/*" } }] } }',
  );
  const spellings = [...guide.matchAll(/^\| `(\/[^`]*)` +\| (.*?) +\|$/gm)];

  test.each(spellings.map((match) => match.slice(1)))("%s", (path = "", route = "") => {
    const hit = doubtful.match("h", "GET", path, () => null);
    expect(hit === null ? "not routed" : hit.route.name).toBe(route.replaceAll("`", ""));
  });

  test("were found", () => {
    expect([requests.length, spellings.length]).toEqual([10, 7]);
  });
});
