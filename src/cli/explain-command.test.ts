import { describe, expect, test } from "vitest";
import { cliWorld } from "../../test/support/cli-world.ts";
import { STORY_RECORDS, storyRecord } from "../../test/support/story-records.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import { EXIT } from "./exit-codes.ts";
import type { Fetched } from "./ports.ts";

const ID = "4f1c0a9be27d4c55a1f0c3d2e4b59687";

function answering(id: string, record: ExchangeRecord): Record<string, Fetched> {
  return { [`/api/v1/exchanges/${id}`]: { kind: "answer", status: 200, json: record } };
}

describe("the story of an exchange", () => {
  test.each(Object.entries(STORY_RECORDS))("%s", async (name, record) => {
    const world = cliWorld({ admin: answering(ID, record) });
    expect(await world.run("explain", ID)).toBe(EXIT.ok);
    await expect(world.out()).toMatchFileSnapshot(`../../test/golden/explain/${name.replace(/[^A-Za-z]+/g, "-")}.txt`);
  });

  test("no control character of a client reaches the terminal", async () => {
    const agent = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).join("");
    const world = cliWorld({ admin: answering(ID, storyRecord({ userAgent: agent, target: "/\u009b2J" })) });
    await world.run("explain", ID);
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
    expect(world.out()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  test("--last asks for the latest that failed or was rescued", async () => {
    const world = cliWorld({ admin: answering("last", storyRecord()) });
    expect(await world.run("explain", "--last")).toBe(EXIT.ok);
    expect(world.asked).toEqual(["http://127.0.0.1:9090/api/v1/exchanges/last"]);
  });

  test("--json gives the story and the record it was told from", async () => {
    const record = storyRecord();
    const world = cliWorld({ admin: answering(ID, record) });
    await world.run("explain", ID, "--json");
    expect(world.json()).toMatchObject({ story: { lookFirst: expect.any(String) as unknown }, record });
  });

  test("lines are no longer than the window, but for words that cannot be broken", async () => {
    const world = cliWorld({ admin: answering(ID, storyRecord()), terminal: { columns: 60 } });
    await world.run("explain", ID);
    for (const line of world.out().split("\n")) if (line.includes(" ", 20)) expect(line.length).toBeLessThanOrEqual(75);
  });
});

describe("where the gateway is", () => {
  test("--admin outranks GOODGATE_ADMIN, and an address without a scheme is taken too", async () => {
    const world = cliWorld({ env: { GOODGATE_ADMIN: "http://10.0.0.1:1" }, admin: answering(ID, storyRecord()) });
    await world.run("explain", ID, "--admin", "10.0.0.2:9090");
    await world.run("explain", ID);
    expect(world.asked).toEqual([
      `http://10.0.0.2:9090/api/v1/exchanges/${ID}`,
      `http://10.0.0.1:1/api/v1/exchanges/${ID}`,
    ]);
  });

  test("the token of GOODGATE_TOKEN goes along", async () => {
    const world = cliWorld({ env: { GOODGATE_TOKEN: "secret" }, admin: answering(ID, storyRecord()) });
    await world.run("explain", ID);
    expect(world.asked[0]).toMatch(/ with secret$/);
  });

  test("an address that is none is a mistake of the command line", async () => {
    const world = cliWorld();
    expect(await world.run("status", "--admin", "ftp://x")).toBe(EXIT.usage);
    expect(world.err()).toBe("goodgate: --admin is not an address: ftp://x\n  Write it like http://127.0.0.1:9090\n");
  });

  test("a gateway that does not answer is exit code 3 and says what to do", async () => {
    const world = cliWorld();
    expect(await world.run("explain", "--last")).toBe(EXIT.unreachable);
    expect(world.err()).toBe(
      [
        "goodgate: no gateway answers at http://127.0.0.1:9090 (ECONNREFUSED).",
        "  Start one with  goodgate run",
        "  If it runs elsewhere, say where:  --admin URL, or GOODGATE_ADMIN=URL (the address under admin.bind",
        "  of its configuration).",
        "",
      ].join("\n"),
    );
  });

  test("with the gateway down, one exchange can still be looked up in the access log", async () => {
    const world = cliWorld();
    expect(await world.run("explain", ID)).toBe(EXIT.unreachable);
    expect(world.err()).toContain("Without it, the access log has the exchange by the same id");
  });

  test("https towards an admin API without TLS is told apart from no gateway", async () => {
    const world = cliWorld({ fetched: { kind: "unreachable", code: "EPROTO" } });
    expect(await world.run("status", "--admin", "https://127.0.0.1:9090")).toBe(EXIT.unreachable);
    expect(world.err()).toBe(
      [
        "goodgate: what answers at https://127.0.0.1:9090 does not speak TLS (EPROTO). The admin API of",
        "Goodgate speaks http.",
        "  Ask it at  http://127.0.0.1:9090",
        "",
      ].join("\n"),
    );
  });

  test("something else on that port is not taken for a gateway", async () => {
    const path = `/api/v1/exchanges/${ID}`;
    for (const fetched of [
      { kind: "not json", status: 200 },
      { kind: "answer", status: 200, json: ["nothing"] },
      { kind: "answer", status: 200, json: { attempts: "none" } },
      { kind: "answer", status: 500, json: { error: "x" } },
    ] as const) {
      const world = cliWorld({ admin: { [path]: fetched } });
      expect(await world.run("explain", ID)).toBe(EXIT.unreachable);
      expect(world.err()).toContain("it is not the admin API");
    }
  });

  test("a refused token says where the right one stands", async () => {
    const refused: Fetched = { kind: "answer", status: 401, json: { code: "unauthorised", detail: "no" } };
    const without = cliWorld({ admin: { "/api/v1/exchanges/last": refused } });
    expect(await without.run("explain", "--last")).toBe(EXIT.unreachable);
    expect(without.err()).toContain("asks for a token");
    const wrong = cliWorld({ admin: { "/api/v1/exchanges/last": refused }, env: { GOODGATE_TOKEN: "old" } });
    await wrong.run("explain", "--last");
    expect(wrong.err()).toContain("does not accept the token in GOODGATE_TOKEN");
  });
});

test("A handshake that came to nothing has no response that had begun", async () => {
  const world = cliWorld();
  expect(await world.run("explain", "client.tls_no_shared")).toBe(EXIT.ok);
  expect(world.out()).toMatch(/Client gets +none: it is over before there is a request/);
});

describe("an exchange that is not kept", () => {
  const gone: Fetched = {
    kind: "answer",
    status: 404,
    json: { code: "unknown-exchange", detail: "No exchange abc is kept. All that failed are kept." },
  };

  test("is exit code 1 and says which ones are kept, once", async () => {
    const world = cliWorld({ admin: { "/api/v1/exchanges/abc": gone } });
    expect(await world.run("explain", "abc")).toBe(EXIT.no);
    expect(world.err()).toMatch(/^goodgate: No exchange abc is kept\. All that failed are kept\.\n {2}An older /);
    expect(world.err().match(/failed/g)).toHaveLength(1);
  });

  test("with --json the same is an object on stdout and nothing on stderr", async () => {
    const world = cliWorld({ admin: { "/api/v1/exchanges/abc": gone } });
    expect(await world.run("explain", "abc", "--json")).toBe(EXIT.no);
    expect(world.json()).toMatchObject({
      error: { code: "unknown-exchange", message: expect.stringMatching(/^No exchange abc/) as string },
    });
    expect(world.err()).toBe("");
  });
});

describe("a cause", () => {
  test("is explained without a gateway, by --cause or as a bare word", async () => {
    const byOption = cliWorld();
    const bare = cliWorld();
    expect(await byOption.run("explain", "--cause", "origin.refused")).toBe(EXIT.ok);
    expect(await bare.run("explain", "origin.refused")).toBe(EXIT.ok);
    expect(bare.out()).toBe(byOption.out());
    expect(bare.asked).toEqual([]);
    await expect(bare.out()).toMatchFileSnapshot("../../test/golden/explain/cause-origin-refused.txt");
  });

  test("that is misspelt offers the nearest one", async () => {
    const world = cliWorld();
    expect(await world.run("explain", "origin.refusd")).toBe(EXIT.no);
    expect(world.err()).toBe(
      "goodgate: there is no cause origin.refusd.\n  Did you mean  goodgate explain origin.refused\n",
    );
  });
});

test("a conclusion is explained as a cause is", async () => {
  const world = cliWorld();
  expect(await world.run("explain", "provider.outage")).toBe(EXIT.ok);
  expect(world.out()).toContain("the provider of several origins");
  expect(await world.run("explain", "--cause", "sys.herd", "--json")).toBe(EXIT.ok);
  const near = cliWorld();
  expect(await near.run("explain", "provider.outtage")).toBe(EXIT.no);
  expect(near.err()).toContain("Did you mean  goodgate explain provider.outage");
});

describe("a code of another gateway", () => {
  const path = "/api/v1/codes/UC";
  const latest = [
    {
      id: "abc",
      startedAt: Date.UTC(2026, 10, 21, 14, 5, 9),
      cause: "origin.keepalive_race",
      headline: "GET x\u009b2J.",
    },
  ];
  const answer: Fetched = { kind: "answer", status: 200, json: { code: "UC", meanings: [], latest } };

  test("is told with what it means there and can be here, and the latest exchanges of the running gateway", async () => {
    const world = cliWorld({ admin: { [path]: answer } });
    expect(await world.run("explain", "--code", "UC")).toBe(EXIT.ok);
    expect(world.asked).toEqual([`http://127.0.0.1:9090${path}`]);
    await expect(world.out()).toMatchFileSnapshot("../../test/golden/explain/code-UC.txt");
  });

  test("needs no gateway, and says that it asked one in vain", async () => {
    const world = cliWorld();
    expect(await world.run("explain", "--code", "sH--")).toBe(EXIT.ok);
    expect(world.out()).toContain("origin.ttfb_timeout");
    expect(world.out()).toContain("No exchanges are shown: no gateway answers at http://127.0.0.1:9090");
    expect(world.err()).toBe("");
  });

  test("of a failure that does not exist here says so", async () => {
    const world = cliWorld();
    expect(await world.run("explain", "--code", "RFCF")).toBe(EXIT.ok);
    expect(world.out()).toContain("Nothing: this gateway has no such failure");
  });

  test("that is a number alone says what else it may be", async () => {
    const world = cliWorld();
    expect(await world.run("explain", "--code", "14")).toBe(EXIT.ok);
    expect(world.out()).toContain("gRPC  UNAVAILABLE: the service cannot be reached");
    expect(world.out().replaceAll(/\s+/g, " ")).toContain("grpc-14 is this one without doubt");
    // Nearly every failure is UNAVAILABLE to a call: their names, and not some hundred lines.
    expect(world.out()).toContain("origin.refused: Connection refused");
    expect(world.out()).not.toContain("Told by");
    expect(world.out().split("\n").length).toBeLessThan(100);
    const plain = cliWorld();
    await plain.run("explain", "--code", "grpc-14");
    expect(plain.out()).not.toContain("without doubt");
  });

  test("that nobody knows offers the nearest, quoted where a shell needs it", async () => {
    const world = cliWorld();
    expect(await world.run("explain", "--code", "52O")).toBe(EXIT.no);
    expect(world.err()).toMatch(/Did you mean {2}goodgate explain --code 52\d/);
    const message = cliWorld();
    expect(await message.run("explain", "--code", "no live upstreems")).toBe(EXIT.no);
    expect(message.err()).toContain("goodgate explain --code 'no live upstreams'");
  });

  test("with --json is the meanings and the exchanges, or null where no gateway was asked", async () => {
    const world = cliWorld({ admin: { [path]: answer } });
    await world.run("explain", "--code", "UC", "--json");
    expect(world.json()).toMatchObject({ code: "UC", meanings: [{ system: "envoy", code: "UC" }], latest });
    const alone = cliWorld();
    await alone.run("explain", "--code", "UC", "--json");
    expect(alone.json()).toMatchObject({ latest: null });
  });
});

test("explain without a subject, or with two, says what it takes", async () => {
  for (const args of [[], [""], ["--last", "abc"], ["abc", "--cause", "origin.refused"]]) {
    const world = cliWorld();
    expect(await world.run("explain", ...args)).toBe(EXIT.usage);
    expect(world.err()).toContain("Give one of: the id of an exchange, --last, --cause CAUSE");
  }
});
