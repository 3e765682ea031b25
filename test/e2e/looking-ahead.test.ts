/**
 * What is coming, by the real control process: it is told a quarter of an hour of facts in a moment, looks at two real
 * origins, and remembers over a restart what takes a week to see.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Fact, OriginRow } from "../../src/contract/facts.ts";
import type { Forecast } from "../../src/contract/incident.ts";
import { startControlLife } from "../support/control-life.ts";
import type { ControlLife } from "../support/control-life.ts";
import { rawOrigin, response, type RawOrigin } from "../support/raw-origin.ts";
import { sampleCertificate, sampleSecond, sampleTopology } from "../support/sample-facts.ts";
import { until } from "../support/until.ts";

const SECOND = 1_000;
const MINUTE = 60_000;
const DAY = 86_400_000;
/** Facts of a while ago, an hour's beginning: so all of it is of one hour. */
const START = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 3_600_000;

const origins: RawOrigin[] = [];
const lives: ControlLife[] = [];
const folder = mkdtempSync(join(tmpdir(), "goodgate-ahead-"));

afterEach(async () => {
  for (const life of lives.splice(0)) await life.end();
  for (const origin of origins.splice(0)) await origin.close();
  rmSync(folder, { recursive: true, force: true });
});

async function answering(status: number): Promise<RawOrigin> {
  const origin = await rawOrigin(async (connection) => {
    await connection.head();
    await connection.send(response(status, "", { Connection: "close" }));
    connection.halfClose();
  });
  origins.push(origin);
  return origin;
}

function row({ url }: RawOrigin, pool: string, rest: Partial<OriginRow> = {}): OriginRow {
  return {
    service: "shop",
    pool,
    provider: pool,
    origin: url,
    address: new URL(url).host,
    family: "IPv4",
    attempts: 1,
    byCause: {},
    firstByte: [],
    connectionsMade: 0,
    inFlight: 0,
    held: 0,
    limit: 20,
    limitSet: true,
    state: "up",
    share: 1,
    checkOk: null,
    keepAliveMs: 5000,
    ...rest,
  };
}

describe("what is coming", () => {
  it("is told of several things at once, with when, how sure and what to do, and is not forgotten with the process", async () => {
    const aws = await answering(200);
    const gcp = await answering(404);
    const file = {
      services: {
        shop: {
          pools: [
            { name: "aws", origins: [aws.url] },
            { name: "gcp", origins: [gcp.url] },
          ],
          health: { path: "/healthz" },
        },
      },
    };
    const [shop] = sampleTopology().services;
    if (shop === undefined) throw new Error("no service");
    const pools = [aws, gcp].map(({ url }, index) => {
      const name = index === 0 ? "aws" : "gcp";
      return { name, provider: name, origins: [url] };
    });
    const topology = sampleTopology({
      at: START,
      services: [{ ...shop, hosts: ["shop.test", "new.test"], pools }],
    });
    const { own } = sampleSecond(START);
    const second = (at: number): Fact =>
      sampleSecond(at, {
        origins: [
          row(aws, "aws", {
            held: at < START + MINUTE ? 19 : 1,
            byCause: at % (2 * MINUTE) === 0 ? { "origin.keepalive_race": 1 } : {},
          }),
          row(gcp, "gcp"),
        ],
        own: { ...own, memoryBytes: 95, memoryMax: 100 },
        certificates: [
          sampleCertificate(START, {
            notBefore: START - 85 * DAY,
            notAfter: START + 5 * DAY,
            chainUntil: 0,
            isChainCut: true,
          }),
        ],
      });
    const unresolved: Fact = {
      kind: "event",
      node: "edge-1",
      worker: 0,
      revision: "0123456789ab",
      at: START,
      event: {
        kind: "resolution",
        at: START,
        service: "shop",
        origin: "https://b.example.net",
        because: "dns.timeout (ETIMEOUT); the last good answer stays in use",
      },
    };
    const life = await startControlLife(folder, "one", file);
    lives.push(life);
    const facts: Fact[] = [topology, unresolved];
    let at = START;
    for (; at < START + MINUTE; at += SECOND) facts.push(second(at));
    for (; at < START + 10 * MINUTE; at += 30 * SECOND) facts.push(second(at));
    life.tell(facts);
    const wanted = ["capacity", "certificate", "dns drift", "keep-alive margin", "memory", "standby unequal"];
    // The look at the standby is real, and takes as long as it takes.
    await until("the standby to be looked at", () => (gcp.heads.length > 0 ? true : null));
    const told = await until("all that is coming", async () => {
      at += 5 * SECOND;
      life.tell([second(at)]);
      const known = await life.ask({ ask: "forecasts" });
      const kinds = new Set(known.map(({ kind }) => kind));
      return wanted.every((kind) => kinds.has(kind as Forecast["kind"])) ? known : null;
    });
    expect(new Set(told.map(({ kind }) => kind))).toEqual(new Set(wanted));
    for (const { title, advice, confidence, evidence } of told) {
      expect(title).not.toBe("");
      expect(advice).not.toBe("");
      expect(confidence).toBeGreaterThan(0);
      expect(evidence[0].cites.length).toBeGreaterThan(0);
    }
    const titles = told.map(({ title }) => title);
    expect(titles).toContain("No certificate is for new.test of shop");
    expect(titles).toContain("The certificate of shop.test is shown without its chain");
    expect(told.find(({ kind }) => kind === "standby unequal")?.evidence[0].text).toBe(
      `Asked for the same, ${gcp.url} is different: it answers 404 where ${aws.url} answers 200.`,
    );
    expect([...aws.heads, ...gcp.heads].every((head) => head.startsWith("GET /healthz "))).toBe(true);

    // Days later, by another process: of all that only the peak of the week is to come.
    await life.end();
    const other = await startControlLife(folder, "two", file);
    lives.push(other);
    const later = START + 6 * DAY;
    const quiet = (ms: number): Fact => sampleSecond(later + ms, { origins: [row(aws, "aws"), row(gcp, "gcp")] });
    other.tell([{ ...topology, at: later }, ...[0, 1, 2, 3, 4].map((step) => quiet(step * 30 * SECOND))]);
    const capacity = (await other.ask({ ask: "forecasts" })).filter(({ kind }) => kind === "capacity");
    expect(capacity).toMatchObject([{ where: { service: "shop", pool: "aws" }, when: START + 7 * DAY }]);
  });
});
