import { describe, expect, it } from "vitest";
import { cliWorld, WALL } from "../../test/support/cli-world.ts";
import type { ProbeFact } from "../contract/facts.ts";
import type { Fetched } from "./ports.ts";

const URL = "http://10.0.0.7:3000";
const BROKEN: ProbeFact = {
  kind: "probe",
  at: WALL,
  id: "probe-1-0",
  service: "shop",
  pool: "aws",
  origin: URL,
  rungs: [
    { rung: "connect", at: "10.0.0.7:3000", result: "breaks", ms: 1, text: "connection refused" },
    { rung: "control: gateway itself", at: "127.0.0.1:9090", result: "holds", ms: 2, text: "status 401" },
  ],
  located: `${URL}: No connection to it can be made (10.0.0.7:3000: connection refused).`,
};

function answering(json: unknown, status = 200): Fetched {
  return { kind: "answer", status, json };
}

function world(probe: Fetched) {
  return cliWorld({
    env: { USER: "ada" },
    admin: {
      "/api/v1/origins": answering({ origins: [{ origin: URL, service: "shop" }] }),
      "/api/v1/probes": probe,
    },
  });
}

describe("goodgate probe", () => {
  it("shows each rung and what they say together, and ends with 1 where one breaks", async () => {
    const { run, out, bodies } = world(answering(BROKEN));
    expect(await run("probe", URL)).toBe(1);
    expect(bodies).toEqual([{ service: "shop", origin: URL, by: "ada" }]);
    expect(out().split("\n")).toEqual([
      "breaks   connect  10.0.0.7:3000",
      "         connection refused, after 1 ms",
      "holds    control: gateway itself  127.0.0.1:9090",
      "         status 401, after 2 ms",
      "",
      BROKEN.located,
      "",
    ]);
  });

  it("ends with 0 where the ladder holds, whatever the controls say", async () => {
    const rungs = BROKEN.rungs.map((rung, index) => ({ ...rung, result: index === 0 ? "holds" : "breaks" }));
    const { run, json } = world(answering({ ...BROKEN, rungs }));
    expect(await run("probe", URL, "--json")).toBe(0);
    expect(json()).toMatchObject({ rungs });
  });

  it("ends with 1 where every answer is an error, though somebody speaks HTTP there", async () => {
    const request = {
      rung: "request",
      at: "HEAD / at 10.0.0.7:3000",
      result: "holds",
      ms: 2,
      text: "status 503",
    } as const;
    const code = (...rungs: ProbeFact["rungs"]): Promise<number> =>
      world(answering({ ...BROKEN, rungs })).run("probe", URL);
    expect(await code(request)).toBe(1);
    expect(await code(request, { ...request, text: "status 200" })).toBe(0);
    expect(await code({ ...request, text: "status 404" })).toBe(0);
    expect(await code(request, { ...request, rung: "health path", text: "status 200" })).toBe(0);
  });

  it.each(["http://10.0.0.7:3000/", "HTTP://10.0.0.7:3000"])("takes %s as the file does", async (written) => {
    const { run, bodies } = world(answering(BROKEN));
    expect(await run("probe", written)).toBe(1);
    expect(await run("probe", written, "--service", "shop")).toBe(1);
    expect(bodies).toEqual([1, 2].map(() => ({ service: "shop", origin: URL, by: "ada" })));
  });

  it("says why it is not climbed", async () => {
    const detail = `the ladder was climbed there 3 s ago; wait 7 s`;
    const { run, err } = world(answering({ code: "refused", detail, status: 409 }, 409));
    expect(await run("probe", URL)).not.toBe(0);
    expect(err()).toContain(detail);
  });

  it("knows no origin that no service has", async () => {
    const { run, err } = world(answering(BROKEN));
    expect(await run("probe", "http://10.0.0.8")).not.toBe(0);
    expect(err()).toContain("no service has an origin http://10.0.0.8");
  });
});
