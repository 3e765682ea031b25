import { describe, expect, test } from "vitest";
import { cliWorld } from "../../test/support/cli-world.ts";
import type { CliWorld } from "../../test/support/cli-world.ts";
import type { KeyView } from "../contract/keys.ts";
import { EXIT } from "./exit-codes.ts";
import type { Fetched } from "./ports.ts";

const ID = "a".repeat(64);
const KEY: KeyView = {
  id: ID,
  key: "order-7",
  service: "shop",
  route: "pay",
  method: "POST",
  target: "/pay",
  requestId: "4f1c",
  startedAt: 1_700_000_000_000,
  expiresAt: 1_700_086_400_000,
  state: "uncertain",
  status: 0,
  kept: false,
  because: "it was sent, and then: RST",
};

function answer(json: unknown, status = 200): Fetched {
  return { kind: "answer", status, json };
}

function world(keys: readonly KeyView[]): CliWorld {
  const settled = { ...KEY, state: "answered", because: "a person said that it was carried out" };
  return cliWorld({ admin: { "/api/v1/keys": answer({ keys }), [`/api/v1/keys/${ID}/settle`]: answer(settled) } });
}

describe("goodgate keys", () => {
  test("shows what is remembered of a key, and why it is uncertain", async () => {
    const it = world([KEY]);
    expect(await it.run("keys", "order-7")).toBe(EXIT.ok);
    expect(it.asked).toEqual(["http://127.0.0.1:9090/api/v1/keys?key=order-7"]);
    expect(it.out()).toContain("order-7");
    expect(it.out()).toContain("uncertain: it was sent, and then: RST");
    expect(it.out()).toContain("POST /pay (shop, pay)");
  });

  test("says so when nothing is uncertain", async () => {
    const it = world([]);
    expect(await it.run("keys", "--uncertain")).toBe(EXIT.ok);
    expect(it.asked[0]).toContain("?uncertain=true");
    expect(it.out()).toBe("Nothing is uncertain.\n");
  });

  test.each([
    ["--executed", "executed=true", "told that it was carried out"],
    ["--not-executed", "executed=false", "as if it were the first"],
  ])("resolve %s settles the one that is uncertain", async (option, query, says) => {
    const it = world([{ ...KEY, id: "b".repeat(64), state: "answered", status: 201, kept: true }, KEY]);
    expect(await it.run("keys", "resolve", "order-7", option)).toBe(EXIT.ok);
    expect(it.asked.at(-1)).toBe(`POST http://127.0.0.1:9090/api/v1/keys/${ID}/settle?${query}`);
    expect(it.out()).toContain(says);
  });

  test("resolve asks for an id where several are meant, and takes one", async () => {
    const it = world([KEY, { ...KEY, id: "c".repeat(64), target: "/refund" }]);
    expect(await it.run("keys", "resolve", "order-7", "--executed")).toBe(EXIT.no);
    expect(it.err()).toContain("/refund");
    expect(await it.run("keys", "resolve", ID, "--executed")).toBe(EXIT.ok);
  });

  test("resolve with nothing to resolve says so", async () => {
    const it = world([]);
    expect(await it.run("keys", "resolve", "order-7", "--executed")).toBe(EXIT.no);
    expect(it.err()).toContain("nothing uncertain about the key order-7");
  });

  test.each(["resolve order-7", "resolve order-7 --executed --not-executed", "order-7 --executed", "order-7 other"])(
    "%s is not understood, and nothing is asked",
    async (line) => {
      const args = line.split(" ");
      const it = world([KEY]);
      expect(await it.run("keys", ...args)).toBe(EXIT.usage);
      expect(it.asked).toEqual([]);
    },
  );

  test("passes on why the gateway will not", async () => {
    const problem = {
      code: "key-not-uncertain",
      status: 409,
      title: "Conflict",
      detail: "There is nothing to settle.",
    };
    const it = cliWorld({ admin: { [`/api/v1/keys/${ID}/settle`]: answer(problem, 409) } });
    expect(await it.run("keys", "resolve", ID, "--executed")).toBe(EXIT.no);
    expect(it.err()).toContain("nothing to settle");
  });
});
