import { expect, test } from "vitest";
import { disturbanceNamed } from "../../sim/corpus/disturbances.ts";
import { playFacts } from "../../sim/corpus/score.ts";
import { cliWorld } from "../../test/support/cli-world.ts";

function crash(): string {
  return playFacts(disturbanceNamed("origin crashes", 4), 4)
    .facts.map((fact) => JSON.stringify(fact))
    .join("\n");
}

test("Recorded facts are told as the incident that they were, with what speaks for it and how it went", async () => {
  const world = cliWorld({ files: { "facts.jsonl": `${crash()}\nnot a fact\n{"kind":"second","at":1}` } });
  expect(await world.run("replay", "facts.jsonl")).toBe(0);
  const out = world.out();
  expect(out).toMatch(/2\s+lines\s+passed\s+over:\s+1\s+incident\./);
  expect(out).toContain("http://a1.shop-alpha.example:3000 is down");
  expect(out).toMatch(/\+ All failures are at http:\/\/a1/);
  expect(out).toMatch(/recovered: Over after/);
});

test("The same facts give the same bytes, and programs get them as JSON", async () => {
  const file = crash();
  const [first, second] = [cliWorld({ files: { f: file } }), cliWorld({ files: { f: file } })];
  await first.run("replay", "f", "--json");
  await second.run("replay", "f", "--json");
  expect(first.out()).toBe(second.out());
  expect(JSON.parse(first.out())).toMatchObject({
    unread: 0,
    incidents: [{ cause: "origin.down", party: "origin" }],
  });
});

test("A file that is not there, or has no facts in it, is said", async () => {
  const world = cliWorld({ files: { empty: "\n\nhello\n" } });
  expect(await world.run("replay", "nowhere")).toBe(1);
  expect(world.err()).toContain("nowhere cannot be read (ENOENT)");
  expect(await world.run("replay", "empty")).toBe(1);
  expect(world.err()).toContain("there are no facts in empty (1 lines that are none)");
});

test("Lines that look like facts and are none are passed over and cost nothing else", async () => {
  const second = { kind: "second", at: 1, lengthMs: 1000, failures: [], clients: [], samples: [], own: {} };
  const odd = [
    { ...second, at: 1e300, traffic: [], origins: [] },
    { ...second, traffic: [null], origins: [7] },
    { kind: "topology", at: 1, services: [null] },
    { kind: "person", at: 1e17, act: { do: "merge" } },
  ];
  const lines = odd.map((fact) => JSON.stringify(fact)).join("\n");
  const world = cliWorld({ files: { odd: lines, mixed: `${lines}\n${crash()}` } });
  expect(await world.run("replay", "odd")).toBe(1);
  expect(world.err()).toContain("(4 lines that are none)");
  expect(await world.run("replay", "mixed", "--json")).toBe(0);
  expect(JSON.parse(world.out())).toMatchObject({ unread: 4, incidents: [{ cause: "origin.down" }] });
});
