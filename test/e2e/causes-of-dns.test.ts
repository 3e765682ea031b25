/** Causes that name resolution brings about, with a real name server on loopback that answers as each case needs. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExchangeRecord } from "../../src/contract/record.ts";
import { CAUSES, type CauseId } from "../../src/kernel/causes.ts";
import { startDnsServer, type Behaviour, type DnsServer } from "../support/dns-server.ts";
import { startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { rawClient } from "../support/raw-client.ts";
import { answerAll, rawOrigin, response, type RawOrigin } from "../support/raw-origin.ts";
import { until } from "../support/until.ts";

const CASES: readonly { name: string; cause: CauseId; title: string; behaviour: Behaviour }[] = [
  { name: "nowhere", cause: "dns.nxdomain", title: "a name that does not exist", behaviour: { kind: "nxdomain" } },
  { name: "failing", cause: "dns.servfail", title: "a server that fails", behaviour: { kind: "servfail" } },
  { name: "refusing", cause: "dns.servfail", title: "a server that refuses to answer", behaviour: { kind: "refused" } },
  { name: "silent", cause: "dns.timeout", title: "a server that says nothing", behaviour: { kind: "silent" } },
  {
    name: "empty",
    cause: "dns.empty_or_prohibited",
    title: "a name without an address",
    behaviour: { kind: "nodata" },
  },
];

let dns: DnsServer;
let origin: RawOrigin;
let gateway: GatewayProcess;

beforeAll(async () => {
  dns = await startDnsServer();
  origin = await rawOrigin(answerAll(response(200, "ok", { Connection: "close" })));
  for (const { name, behaviour } of CASES) dns.set(`${name}.origin.test`, behaviour);
  dns.set("moving.origin.test", { kind: "addresses", ips: ["127.0.0.1"], ttl: 1 }, 4);
  dns.set("moving.origin.test", { kind: "nodata" }, 6);
  const names = [...CASES.map(({ name }) => name), "moving"];
  gateway = await startGateway({
    records: { sample: "100%", sampled: 100_000 },
    accessLog: false,
    dns: { resolvers: [dns.address], timeout: "300ms", ttlMin: "0s" },
    services: Object.fromEntries(
      names.map((name) => [
        name,
        {
          hosts: [`${name}.test`],
          pools: [{ name: "only", origins: [`http://${name}.origin.test:${origin.port}`] }],
          health: false,
          retry: false,
        },
      ]),
    ),
  });
});
afterAll(async () => {
  await gateway?.stop();
  await origin?.close();
  await dns?.close();
});

async function ask(name: string, target: string): Promise<{ status: number; record: ExchangeRecord }> {
  const client = await rawClient(gateway.port);
  await client.send(`GET ${target} HTTP/1.1\r\nHost: ${name}.test\r\n\r\n`);
  const { status } = await client.response();
  client.close();
  return { status, record: await gateway.record(target, (one) => one.target === target) };
}

describe("a cause is named for what the name server said", () => {
  it.each(CASES)("$cause: $title", async ({ name, cause }) => {
    const { status, record } = await ask(name, `/${name}`);
    expect(record, record.evidence).toMatchObject({ cause, party: CAUSES[cause].party, originStatus: 0 });
    expect(record.evidence).not.toBe("");
    expect(status).toBe(CAUSES[cause].status);
  });
});

describe("a name that was known", () => {
  it("keeps serving from its last good answer while its servers fail", async () => {
    expect((await ask("moving", "/before")).status).toBe(200);
    dns.set("moving.origin.test", { kind: "servfail" });
    await until("the failure to be noticed", async () => {
      const found = (await gateway.origins()).find(({ service }) => service === "moving");
      return found?.resolution === "" ? null : true;
    });
    expect((await ask("moving", "/during")).status).toBe(200);
  });

  it("dns.stale_ip: is named when the address of an answer that could not be refreshed stops answering", async () => {
    await origin.close();
    const { status, record } = await ask("moving", "/after");
    expect(record, record.evidence).toMatchObject({ cause: "dns.stale_ip", party: "dns", originStatus: 0 });
    expect(status).toBe(502);
  });
});
