import { describe, expect, it } from "vitest";
import { cliWorld, WALL } from "../../test/support/cli-world.ts";
import { sampleIncident } from "../../test/support/sample-incident.ts";
import type { Incident } from "../contract/incident.ts";
import type { Fetched } from "./ports.ts";

const OPEN = sampleIncident({ firstFailureAt: WALL - 65_000, detectedAt: WALL - 60_000, severity: "warning" });
const OVER = sampleIncident({
  id: "inc-0",
  state: "closed",
  title: "The resolver did not answer",
  firstFailureAt: WALL - 3_600_000,
  recoveredAt: WALL - 3_540_000,
  verdict: "undecided",
  cause: null,
});

function answering(json: unknown): Fetched {
  return { kind: "answer", status: 200, json };
}

function world(incidents: readonly Incident[] = [OPEN, OVER], env: Record<string, string> = { USER: "ada" }) {
  return cliWorld({
    env,
    admin: {
      "/api/v1/incidents": answering({ now: WALL, incidents }),
      [`/api/v1/incidents/${OPEN.id}`]: answering(incidents[0]),
      ...Object.fromEntries(
        ["acknowledge", "take-over", "annotate", "merge", "close"].map((act) => [
          `/api/v1/incidents/${OPEN.id}/${act}`,
          answering(OPEN),
        ]),
      ),
    },
  });
}

describe("goodgate incidents", () => {
  it("lists them with state, cause, party and impact, and how to see more", async () => {
    const { run, out } = world();
    expect(await run("incidents")).toBe(0);
    expect(out()).toContain("Pool aws of shop refuses connections");
    expect(out()).toContain("warning, open for 1 min 5 s");
    expect(out()).toContain("origin.refused, at fault: origin · 3 failed, 117 rescued of 1500 exchanges");
    expect(out()).toContain("closed, lasted 1 min");
    expect(out()).toContain("cause: undecided");
    expect(out()).toContain(`goodgate incidents ${OPEN.id}`);
  });

  it("asks only for those that go on, and says when there are none", async () => {
    const { run, out, asked } = world([]);
    expect(await run("incidents", "--open")).toBe(0);
    expect(asked).toEqual(["http://127.0.0.1:9090/api/v1/incidents?state=open"]);
    expect(out()).toBe("No incident is open.\n");
  });

  it("tells one as a story, every claim with what it stands on", async () => {
    const { run, out } = world();
    expect(await run("incidents", OPEN.id)).toBe(0);
    for (const words of [
      "The processes behind pool aws are not running (origin.refused, at fault: origin, 90 %)",
      "+ 120 of 120 connections were refused [failures 120 exchanges, usually 0]",
      "See whether the processes run.",
      "What happened",
      "The first exchange failed",
    ])
      expect(out()).toContain(words);
  });

  it("ends with 1 while something critical goes on, for scripts", async () => {
    expect(await world([{ ...OPEN, severity: "critical" }]).run("incidents")).toBe(1);
    expect(await world([{ ...OVER, severity: "critical" }]).run("incidents")).toBe(0);
    expect(await world([{ ...OPEN, severity: "critical" }]).run("incidents", OPEN.id)).toBe(1);
  });

  it.each([
    [["--acknowledge"], "acknowledge", {}],
    [["--take-over"], "take-over", {}],
    [["--note", "restarted a1"], "annotate", { text: "restarted a1" }],
    [["--merge", "inc-9"], "merge", { into: "inc-9" }],
    [["--close", "it was a drill"], "close", { text: "it was a drill" }],
  ])("%j is done by whoever asks", async (args, path, body) => {
    const { run, asked, bodies, out } = world();
    expect(await run("incidents", OPEN.id, ...args)).toBe(0);
    expect(asked).toEqual([`POST http://127.0.0.1:9090/api/v1/incidents/${OPEN.id}/${path}`]);
    expect(bodies).toEqual([{ by: "ada", ...body }]);
    expect(out()).toContain(OPEN.title);
  });

  it("needs to know who acts, on which one, and one thing at a time", async () => {
    for (const [args, env, words] of [
      [["incidents", OPEN.id, "--acknowledge"], {}, "--by NAME"],
      [["incidents", "--acknowledge"], { USER: "ada" }, "say which incident"],
      [["incidents", OPEN.id, "--acknowledge", "--take-over"], { USER: "ada" }, "one thing at a time"],
    ] as const) {
      const { run, err, asked } = world([OPEN], env);
      expect(await run(...args)).toBe(2);
      expect(err()).toContain(words);
      expect(asked).toEqual([]);
    }
    const named = world([OPEN], {});
    expect(await named.run("incidents", OPEN.id, "--acknowledge", "--by", "grace")).toBe(0);
    expect(named.bodies).toEqual([{ by: "grace" }]);
  });

  it("gives programs the answer as it is", async () => {
    const list = world();
    await list.run("incidents", "--json");
    expect(list.json()).toEqual({ now: WALL, incidents: [OPEN, OVER] });
    const one = world();
    await one.run("incidents", OPEN.id, "--json");
    expect(one.json()).toEqual(OPEN);
  });

  it("shows what came over the wire as text", async () => {
    const { run, out } = world([{ ...OPEN, title: "\u001b[2Jgone" }]);
    await run("incidents");
    expect(out()).toContain("\\x1b[2Jgone");
  });

  it("asks again and again until it is told to stop", async () => {
    const { run, asked } = cliWorld({
      pauses: 3,
      admin: { "/api/v1/incidents": answering({ now: WALL, incidents: [] }) },
    });
    expect(await run("incidents", "--watch")).toBe(0);
    expect(asked.length).toBe(3);
  });

  it("says that the control plane does not answer, and why", async () => {
    const json = {
      title: "",
      status: 503,
      code: "control-unavailable",
      detail: "The control plane does not answer: it ended.",
    };
    const { run, err } = cliWorld({ admin: { "/api/v1/incidents": { kind: "answer", status: 503, json } } });
    expect(await run("incidents")).not.toBe(0);
    expect(err()).toContain("it ended");
  });
});
