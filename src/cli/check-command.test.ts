import { describe, expect, test } from "vitest";
import { cliWorld } from "../../test/support/cli-world.ts";
import { EXIT } from "./exit-codes.ts";

const FILE = `listeners: [{ bind: "0.0.0.0:8080" }]
services:
  shop:
    hosts: ["shop.example.com", "*.shop.example.com"]
    pools:
      - { name: aws, origins: ["http://a1.example.net", "http://a2.example.net"] }
      - { name: gcp, origins: ["http://g1.example.org"] }
    routes:
      - { name: payments, match: { path: /api/payments/*, method: POST } }
      - { name: beta, match: { path: /api/*, headers: { x-beta: "1" } } }
      - { name: media, match: { path: /media/* } }
  rest:
    pools:
      - { name: only, origins: ["http://r1.example.net"] }
`;

const BROKEN = `listeners: [{ bind: "0.0.0.0:8080" }]
services:
  shop:
    pols:
      - { name: aws, origins: ["http://a1.example.net"] }
    retry: { attempts: 0 }
    routes:
      - match: { path: /api/* }
        timeouts: { connect: 2 }
\t
`;

function world(text: string = FILE): ReturnType<typeof cliWorld> {
  return cliWorld({ files: { "goodgate.yaml": text, "other.yaml": text } });
}

describe("check", () => {
  test("says that a file is right and what is in it", async () => {
    const one = world();
    expect(await one.run("check")).toBe(EXIT.ok);
    expect(one.out()).toBe("goodgate.yaml is right: 1 listener, 2 services, 4 origins in 3 pools, 5 routes.\n");
    const named = world();
    await named.run("check", "other.yaml", "--json");
    expect(named.json()).toEqual({
      ok: true,
      file: "other.yaml",
      notes: [],
      summary: { listeners: 1, services: 2, pools: 3, origins: 4, routes: 5 },
    });
  });

  test("shows each problem with its place, its line and a caret, and the nearest known key", async () => {
    const broken = world(BROKEN.replace("\t\n", ""));
    expect(await broken.run("check")).toBe(EXIT.no);
    expect(broken.out()).toBe("");
    await expect(broken.err()).toMatchFileSnapshot("../../test/golden/check-problems.txt");
  });

  test("--json gives the problems as data on stdout", async () => {
    const broken = world(BROKEN.replace("\t\n", ""));
    expect(await broken.run("check", "--json")).toBe(EXIT.no);
    expect(broken.json()).toMatchObject({ ok: false, file: "goodgate.yaml" });
    expect((broken.json() as { problems: { line: number }[] }).problems[0]).toMatchObject({
      file: "goodgate.yaml",
      line: 3,
      column: 3,
    });
  });

  test("a problem in a line of many thousand characters shows the part around it, with the caret still under it", async () => {
    const pools = Array.from({ length: 20 }, (_, index) => `{"name": "p${index}", "origins": ["http://a${index}"]}`);
    const long = world(
      `{"services": {"shop": {"pools": [${pools.join(", ")}, {"nmae": "b", "origins": ["http://b"]}]}}}`,
    );
    await long.run("check");
    const lines = long.err().split("\n");
    const caret = lines.findIndex((line, index) => /^ +\| +\^$/.test(line) && lines[index - 1]?.includes("nmae"));
    expect(caret).toBeGreaterThan(0);
    const column = lines[caret]?.indexOf("^") ?? -1;
    expect(lines[caret - 1]?.slice(column, column + 6)).toBe('"nmae"');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(200);
  });

  test("a file of quite another kind is refused in few words, without its control characters", async () => {
    const binary = world("\u0000\u001b[2J\u009b\ufffd{[:".repeat(500));
    expect(await binary.run("check")).toBe(EXIT.no);
    expect(binary.err().length).toBeLessThan(2000);
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
    expect(binary.err()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  test("a missing file is told", async () => {
    expect(await cliWorld().run("check")).toBe(EXIT.no);
  });
});

describe("check --explain", () => {
  test("says which route, why, and why not the others", async () => {
    const one = world();
    expect(await one.run("check", "--explain", "POST", "https://shop.example.com/api/payments/7")).toBe(EXIT.ok);
    await expect(one.out()).toMatchFileSnapshot("../../test/golden/check-explain.txt");
  });

  test("takes fields with -H", async () => {
    const one = world();
    await one.run("check", "--explain", "GET", "https://shop.example.com/api/cart", "-H", "X-Beta: 1");
    expect(one.out()).toMatch(/^GET https:\/\/shop\.example\.com\/api\/cart → service shop, route beta\n/);
  });

  test("several URLs are explained one after the other; one that no route takes makes exit code 1", async () => {
    const file = FILE.slice(0, FILE.indexOf("  rest:"));
    const one = cliWorld({ files: { "goodgate.yaml": file } });
    expect(await one.run("check", "--explain", "https://shop.example.com/media/x", "https://other.example.com/")).toBe(
      EXIT.no,
    );
    expect(one.out()).toContain("route media");
    expect(one.out()).toContain("GET https://other.example.com/ takes no route.");
  });

  test("--json gives the explanation as data", async () => {
    const one = world();
    await one.run("check", "--json", "--explain", "GET", "https://shop.example.com/media/x");
    expect(one.json()).toMatchObject({
      ok: true,
      explanations: [{ url: "https://shop.example.com/media/x", chosen: { service: "shop", route: "media" } }],
    });
  });

  test("-H without --explain, or a word that is no URL, is a mistake of the command line", async () => {
    const field = world();
    expect(await field.run("check", "-H", "a: b")).toBe(EXIT.usage);
    expect(field.err()).toContain("-H describes the request of --explain");
    const word = world();
    expect(await word.run("check", "--explain", "GET", "shop.example.com")).toBe(EXIT.usage);
    expect(word.err()).toContain('"shop.example.com" is not a URL with a host.');
  });
});
