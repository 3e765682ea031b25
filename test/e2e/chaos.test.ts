/**
 * Origins that fail in every way, clients of every kind, many at once: nothing runs twice that must not, every
 * request leaves exactly one record and one line in the access log, and nothing stays open behind it.
 */
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExchangesResponse } from "../../src/contract/api-responses.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { rawClient } from "../support/raw-client.ts";
import { rawOrigin, response, type OriginConnection, type RawOrigin } from "../support/raw-origin.ts";
import { until } from "../support/until.ts";

const REQUESTS = 400;
const AT_ONCE = 16;
const LOG = join(tmpdir(), `goodgate-chaos-${process.pid}.log`);

/** What a connection does with its requests, by its number: every kind of failure has its turn, and so has success. */
const ENDS: readonly ((connection: OriginConnection) => Promise<void> | void)[] = [
  (connection) => connection.send(response(200, "done")),
  (connection) => {
    connection.close();
  },
  (connection) => connection.send(response(500, "no")),
  (connection) => {
    connection.reset();
  },
  (connection) => connection.send(response(201, "made", { Connection: "close" })),
  async (connection) => {
    await connection.send("HTTP/1.1 200 OK\r\nContent-Le");
    connection.close();
  },
  async (connection) => {
    await connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nparts");
    connection.reset();
  },
  (connection) => connection.send("HTTP/9.9 nonsense\r\n\r\n"),
];

/** The request that client number `n` makes; some are malformed, some are given up. */
function requestOf(n: number): string {
  switch (n % 5) {
    case 0:
      return `GET /${n} HTTP/1.1\r\nHost: test\r\n\r\n`;
    case 1:
      return `POST /${n} HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\npay`;
    case 2:
      return `POST /${n} HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\npay\r\n0\r\n\r\n`;
    case 3:
      return `PUT /${n} HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nput`;
    default:
      return `GET /${n} HTTP/1.1\r\nHost: test\r\nBad Name: x\r\n\r\n`;
  }
}

let origins: RawOrigin[];
let gateway: GatewayProcess;

beforeAll(async () => {
  let opened = 0;
  const failing = (): Promise<RawOrigin> =>
    rawOrigin(async (connection) => {
      opened += 1;
      const end = ENDS[opened % ENDS.length];
      for (;;) {
        await connection.head();
        await end?.(connection);
      }
    });
  origins = [await failing(), await failing(), await failing()];
  gateway = await startGateway(
    inFrontOf(
      origins.map(({ url }) => url),
      { ejection: false },
      { accessLog: LOG },
    ),
  );
  await Promise.all(
    Array.from({ length: AT_ONCE }, async (_, worker) => {
      for (let n = worker; n < REQUESTS; n += AT_ONCE) await play(n);
    }),
  );
  await until("every exchange to end", async () => ((await gateway.status()).exchangesActive === 0 ? true : null));
});
afterAll(async () => {
  await gateway?.stop();
  for (const origin of origins ?? []) await origin.close();
  await rm(LOG, { force: true });
});

async function play(n: number): Promise<void> {
  const client = await rawClient(gateway.port);
  await client.send(requestOf(n));
  if (n % 7 === 0) {
    client.reset();
    return;
  }
  // Some of these end with a cut response, which is right for them.
  await client.response(requestOf(n).split(" ")[0]).catch(() => {});
  client.close();
}

describe("after 400 requests to origins that fail in every way", () => {
  it("no POST has reached more than one origin, nor one origin twice", () => {
    const posts = origins.flatMap(({ heads }) => heads).flatMap((head) => /^POST \/(\d+) /.exec(head)?.[1] ?? []);
    expect(posts.length).toBeGreaterThan(50);
    expect(posts.filter((n, index) => posts.indexOf(n) !== index)).toEqual([]);
  });

  it("no malformed request has reached an origin", () => {
    expect(origins.flatMap(({ heads }) => heads).filter((head) => head.includes("Bad Name"))).toEqual([]);
  });

  it("every request that a client sent whole and waited for has exactly one record, and no record is made up", async () => {
    const { exchanges } = await gateway.api<ExchangesResponse>("/exchanges?limit=1000");
    const targets = exchanges.map(({ target }) => target).filter((target) => target !== "");
    expect(targets.filter((target, index) => targets.indexOf(target) !== index)).toEqual([]);
    const waited = Array.from({ length: REQUESTS }, (_, n) => n).filter((n) => n % 7 !== 0 && n % 5 !== 4);
    expect(waited.filter((n) => !targets.includes(`/${n}`))).toEqual([]);
    expect(new Set(exchanges.map(({ id }) => id)).size).toBe(exchanges.length);
    for (const record of exchanges) {
      if (record.outcome === "served") expect(record.cause === null || record.originStatus >= 400).toBe(true);
      else if (record.outcome !== "rescued")
        expect(record).toMatchObject({ cause: expect.any(String), party: expect.any(String) });
      if (record.outcome === "failed" && record.originStatus !== 0)
        // Of whichever attempt's answer was passed on: one that was held back while another was asked counts too.
        expect(record.attempts.map(({ status }) => status)).toContain(record.originStatus);
    }
  });

  it("the totals, the records and the access log agree", async () => {
    const { exchangesTotal } = await gateway.status();
    const { exchanges } = await gateway.api<ExchangesResponse>("/exchanges?limit=1000");
    expect(exchanges).toHaveLength(exchangesTotal);
    const ids = await until("the log to be written", async () => {
      const lines = (await readFile(LOG, "utf8")).trimEnd().split("\n");
      return lines.length >= exchangesTotal ? lines.map((line) => (JSON.parse(line) as { id: string }).id) : null;
    });
    expect(ids.toSorted()).toEqual(exchanges.map(({ id }) => id).toSorted());
  });

  it("nothing is under way or waiting any more", async () => {
    await until("the clients' connections to be gone", async () =>
      (await gateway.status()).connections === 0 ? true : null,
    );
    const addresses = (await gateway.origins()).flatMap((origin) => origin.addresses);
    expect(addresses.map(({ inFlight }) => inFlight)).toEqual(addresses.map(() => 0));
    expect(addresses.every(({ connectionsOpen, connectionsIdle }) => connectionsOpen === connectionsIdle)).toBe(true);
  });
});
