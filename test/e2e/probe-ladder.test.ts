/** The probe ladder in the running gateway: a person asks for it, an incident asks for it, and what was found is kept. */
import { afterEach, describe, expect, it } from "vitest";
import type { IncidentsResponse, ProbesResponse } from "../../src/contract/control-responses.ts";
import type { ProbeFact } from "../../src/contract/facts.ts";
import type { SeriesAnswer } from "../../src/contract/series.ts";
import { freePort } from "../support/free-port.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { startLoad } from "../support/load.ts";
import { rawOrigin, response, type RawOrigin } from "../support/raw-origin.ts";
import { until } from "../support/until.ts";

let gateway: GatewayProcess | undefined;
let origin: RawOrigin | undefined;

afterEach(async () => {
  await gateway?.stop();
  await origin?.close();
});

async function start(
  origins: readonly string[],
  service: Readonly<Record<string, unknown>> = {},
): Promise<GatewayProcess> {
  const started = await startGateway(inFrontOf(origins, service));
  gateway = started;
  await until("the control process to run", async () =>
    (await started.status()).control.state === "running" ? true : null,
  );
  return started;
}

function probe(adminUrl: string, url: string): Promise<Response> {
  return fetch(`${adminUrl}/api/v1/probes`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ service: "test-service", origin: url, by: "kim" }),
  });
}

describe("the probe ladder", () => {
  it("is climbed when a person asks, once in a while, and only where there is an origin", async () => {
    origin = await rawOrigin(async (connection) => {
      await connection.head();
      await connection.send(response(200, ""));
    });
    const { adminUrl } = await start([origin.url]);
    const answer = await probe(adminUrl, origin.url);
    expect(answer.status).toBe(200);
    const climbed = (await answer.json()) as ProbeFact;
    expect(climbed.rungs.map(({ rung, result }) => `${rung} ${result}`)).toEqual([
      "connect holds",
      "request holds",
      "control: gateway itself holds",
    ]);
    const listed = (await (await fetch(`${adminUrl}/api/v1/probes`)).json()) as ProbesResponse;
    expect(listed.probes).toEqual([climbed]);
    const again = await probe(adminUrl, origin.url);
    expect(again.ok).toBe(false);
    expect(await again.text()).toContain("was climbed there");
    const elsewhere = await probe(adminUrl, "http://192.0.2.1");
    expect(elsewhere.ok).toBe(false);
    expect(await elsewhere.text()).toContain("only what is configured is probed");
    expect(origin.heads.every((head) => head.includes("goodgate-probe"))).toBe(true);
  });

  it("is climbed at the origin that an incident points at, and its story says so", async () => {
    origin = await rawOrigin(async (connection) => {
      for (;;) {
        await connection.head();
        await connection.send(response(200, "ok"));
      }
    });
    const dead = `http://127.0.0.1:${await freePort()}`;
    const { adminUrl, port } = await start([origin.url, dead]);
    const load = startLoad({ port, path: "/", ratePerSecond: 50 });
    const told = await until("a probe on the timeline", async () => {
      const { incidents } = (await (await fetch(`${adminUrl}/api/v1/incidents`)).json()) as IncidentsResponse;
      return incidents.flatMap(({ timeline }) => timeline).find(({ kind }) => kind === "probe") ?? null;
    });
    await load.stop();
    expect(told.text).toContain(`${dead}: No connection to it can be made`);
    expect(told.text).toContain("The same host answers at another port.");
  });

  it("never sends once more what failed on a route that forbids it, and says so", async () => {
    origin = await rawOrigin(async (connection) => {
      for (;;) {
        const head = await connection.head();
        if (!head.includes("/jobs/")) await connection.send(response(200, ""));
        else {
          await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
          connection.halfClose();
        }
      }
    });
    const routes = [{ match: { path: "/jobs/*" }, probe: false }, { match: { path: "/*" } }];
    const { adminUrl, url } = await start([origin.url], { routes });
    await expect(fetch(`${url}/jobs/daily`).then((answer) => answer.text())).rejects.toThrow("terminated");
    await until("the control process to have heard of it", async () => {
      const { series } = (await (await fetch(`${adminUrl}/api/v1/series?resolution=1`)).json()) as SeriesAnswer;
      return series.some(({ points }) => points.some(({ failed }) => failed > 0)) ? true : null;
    });
    const climbed = (await (await probe(adminUrl, origin.url)).json()) as ProbeFact;
    expect(climbed.rungs.find(({ rung }) => rung === "same request")).toMatchObject({
      result: "unknown",
      text: expect.stringContaining("its route forbids it (probe: false)") as string,
    });
    expect(origin.heads.filter((head) => head.includes("/jobs/"))).toHaveLength(1);
  });
});
