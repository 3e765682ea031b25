/** A request that breaks whatever it meets: it meets two origins, and what is like it meets none. */
import { afterEach, expect, it } from "vitest";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { rawClient } from "../support/raw-client.ts";
import { rawOrigin, response, type RawOrigin, type Script } from "../support/raw-origin.ts";

let gateway: GatewayProcess;
let origins: RawOrigin[] = [];

afterEach(async () => {
  await gateway?.stop();
  for (const origin of origins) await origin.close();
  origins = [];
});

const BREAKS_AT_KILL: Script = async (connection) => {
  for (;;) {
    const head = await connection.head();
    if (head.startsWith("GET /kill ")) {
      connection.reset();
      return;
    }
    await connection.send(response(200, "good"));
  }
};

it("origin.poison is named when the same request comes again, and others are served", async () => {
  for (let number = 0; number < 4; number += 1) origins.push(await rawOrigin(BREAKS_AT_KILL));
  gateway = await startGateway(inFrontOf(origins.map(({ url }) => url)));
  const ask = async (target: string): Promise<number> => {
    const client = await rawClient(gateway.port);
    await client.send(`GET ${target} HTTP/1.1\r\nHost: test\r\n\r\n`);
    const { status } = await client.response();
    client.close();
    return status;
  };
  expect(await ask("/before")).toBe(200);
  expect(await ask("/kill")).toBe(502);
  for (let times = 0; times < 5; times += 1) {
    expect(await ask("/kill")).toBe(503);
    expect(await ask("/other")).toBe(200);
  }
  const record = await gateway.record("the refusal", ({ cause }) => cause === "origin.poison");
  expect(record).toMatchObject({ party: "origin", originStatus: 0, attempts: [] });
  expect(origins.filter(({ heads }) => heads.some((head) => head.startsWith("GET /kill ")))).toHaveLength(2);
});
