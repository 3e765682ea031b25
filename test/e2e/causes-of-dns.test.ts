/** Causes that name resolution brings about, with a real name server on loopback that answers as each case needs. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExchangeRecord } from "../../src/contract/record.ts";
import type { OriginAddressView } from "../../src/contract/view.ts";
import { CAUSES, type CauseId } from "../../src/kernel/causes.ts";
import { deafListener, type DeafListener } from "../support/deaf-listener.ts";
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
let deaf: DeafListener;
let origin: RawOrigin;
let gateway: GatewayProcess;

beforeAll(async () => {
  dns = await startDnsServer();
  origin = await rawOrigin(answerAll(response(200, "ok", { Connection: "close" })));
  for (const { name, behaviour } of CASES) dns.set(`${name}.origin.test`, behaviour);
  dns.set("moving.origin.test", { kind: "addresses", ips: ["127.0.0.1"], ttl: 1 }, 4);
  dns.set("moving.origin.test", { kind: "nodata" }, 6);
  deaf = await deafListener();
  dns.set("moved.origin.test", { kind: "addresses", ips: ["127.0.0.1"], ttl: 1 }, 4);
  dns.set("moved.origin.test", { kind: "nodata" }, 6);
  const ports = new Map([...CASES.map(({ name }) => name), "moving"].map((name) => [name, origin.port]));
  ports.set("moved", Number(new URL(deaf.url).port));
  gateway = await startGateway({
    records: { sample: "100%", sampled: 100_000 },
    accessLog: false,
    dns: { resolvers: [dns.address], timeout: "800ms" },
    services: Object.fromEntries(
      [...ports].map(([name, port]) => [
        name,
        {
          hosts: [`${name}.test`],
          pools: [{ name: "only", origins: [`http://${name}.origin.test:${port}`] }],
          // An attempt lasts until a new answer is known, whatever else the machine does.
          routes: [{ match: { path: "/*" }, timeouts: { connect: "7s" } }],
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
  await deaf?.stop();
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

  it("dns.stale_ip: is named when an address fails that the name has lost meanwhile", async () => {
    const client = await rawClient(gateway.port);
    await client.send("GET /moved HTTP/1.1\r\nHost: moved.test\r\n\r\n");
    await until("the attempt to connect", async () => ((await addressesOf("moved"))[0]?.inFlight === 1 ? true : null));
    dns.set("moved.origin.test", { kind: "addresses", ips: ["127.0.0.2"], ttl: 1 }, 4);
    await until("the new answer to be known", async () =>
      (await addressesOf("moved")).some(({ address }) => address.startsWith("127.0.0.2:")) ? true : null,
    );
    const { status } = await client.response();
    const record = await gateway.record("it", ({ target }) => target === "/moved");
    expect(record, record.evidence).toMatchObject({ cause: "dns.stale_ip", party: "dns", originStatus: 0 });
    expect(status).toBe(502);
    client.close();
  });
});

async function addressesOf(service: string): Promise<OriginAddressView[]> {
  return (await gateway.origins()).filter((origin) => origin.service === service).flatMap(({ addresses }) => addresses);
}
