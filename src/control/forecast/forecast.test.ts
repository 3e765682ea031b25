import { describe, expect, it } from "vitest";
import { DISTURBANCES } from "../../../sim/corpus/disturbances.ts";
import { playFacts } from "../../../sim/corpus/score.ts";
import { SeededChance } from "../../../sim/chance.ts";
import { sampleSecond, sampleTopology } from "../../../test/support/sample-facts.ts";
import type { Fact, OriginCertificateRow, OriginRow, OwnRow } from "../../contract/facts.ts";
import type { Forecast } from "../../contract/incident.ts";
import type { ServiceHealth } from "../../contract/series.ts";
import { ForecastBook } from "./forecast-book.ts";
import type { ForecastNews } from "./forecast-book.ts";
import { DAY, HOUR, MINUTE, SECOND } from "./forecaster.ts";

const START = Date.parse("2026-01-15T12:00:00Z");
const OWN = sampleSecond(START).own;

function origin(address: string, rest: Partial<OriginRow> = {}): OriginRow {
  return {
    service: "shop",
    pool: "aws",
    provider: "aws",
    origin: `http://${address}`,
    address,
    family: "IPv4",
    attempts: 0,
    byCause: {},
    firstByte: [],
    connectionsMade: 0,
    inFlight: 0,
    held: 0,
    limit: 0,
    state: "up",
    share: 1,
    checkOk: null,
    keepAliveMs: 5000,
    ...rest,
  };
}

function health(objective: ServiceHealth["objective"]): ServiceHealth {
  return {
    service: "shop",
    state: "well",
    because: "",
    perSecond: 1,
    failedRatio: 0,
    rescuedRatio: 0,
    p50Ms: null,
    p95Ms: null,
    p99Ms: null,
    objective,
    incidents: [],
  };
}

/** A stretch of seconds, each made of how many ms it is from the start; what was told, and what is listed at the end. */
function over(
  lengthMs: number,
  factsAt: (ms: number) => readonly Fact[],
  options: { everyMs?: number; services?: (ms: number) => readonly ServiceHealth[] } = {},
): { news: ForecastNews[]; list: readonly Forecast[]; book: ForecastBook } {
  const book = new ForecastBook();
  const news: ForecastNews[] = [];
  for (let ms = 0; ms <= lengthMs; ms += options.everyMs ?? SECOND) {
    for (const fact of factsAt(ms)) book.hear(fact);
    news.push(...book.tick(START + ms + SECOND, () => options.services?.(ms) ?? []));
  }
  return { news, list: book.list(), book };
}

const own = (ms: number, rest: Partial<OwnRow>): Fact[] => [sampleSecond(START + ms, { own: { ...OWN, ...rest } })];

describe("resources that run out", () => {
  it("are foreseen with the time at which they do", () => {
    // 4,000 of 10,000 now and 1 more every two seconds: full 12,000 s after the start.
    const { list, news } = over(
      2 * HOUR,
      (ms) => own(ms, { descriptorsOpen: 4000 + ms / 2000, descriptorsMax: 10_000 }),
      { everyMs: 10_000 },
    );
    expect(list.map(({ kind, severity }) => [kind, severity])).toEqual([["descriptors", "warning"]]);
    const [forecast] = list;
    expect(Math.abs((forecast?.when ?? 0) - (START + 12_000_000))).toBeLessThan(2 * MINUTE);
    expect(forecast?.evidence[0].cites[0]).toMatchObject({ kind: "figure", value: expect.any(Number) as number });
    // It is told when it is seen, and when it becomes worse.
    expect(news.map(({ forecast: { severity }, over: isOver }) => [severity, isOver])).toEqual([
      ["notice", false],
      ["warning", false],
    ]);
  });

  it("are foreseen from the first minutes on when the wall is near", () => {
    const { list } = over(8 * MINUTE, (ms) =>
      own(ms, { descriptorsOpen: 7000 + (ms / 1000) * 4, descriptorsMax: 10_000 }),
    );
    expect(list).toMatchObject([{ kind: "descriptors", severity: "critical" }]);
  });

  it("are no forecast while use goes up and down with the traffic", () => {
    const wave = (ms: number): number => 6000 + 2000 * Math.sin(ms / (3 * MINUTE));
    const day = (ms: number): number => 5000 - 3000 * Math.cos((ms / DAY) * 2 * Math.PI);
    const week = over(3 * DAY, (ms) => own(ms, { descriptorsOpen: day(ms), descriptorsMax: 10_000 }), {
      everyMs: 30_000,
    });
    const waves = over(4 * HOUR, (ms) => own(ms, { descriptorsOpen: wave(ms), descriptorsMax: 10_000 }), {
      everyMs: 10_000,
    });
    // The first way up cannot be told from a leak, every other one can.
    expect(week.news.filter(({ forecast }) => forecast.since > START + DAY)).toEqual([]);
    expect(waves.news.filter(({ forecast }) => forecast.since > START + HOUR)).toEqual([]);
  });

  it("are told as they are when nearly nothing is left, also without a trend", () => {
    const { list } = over(3 * MINUTE, (ms) => own(ms, { memoryBytes: 95, memoryMax: 100 }));
    expect(list).toMatchObject([{ kind: "memory", severity: "critical", when: null, confidence: 1 }]);
  });

  it("are over ten minutes after they were seen last", () => {
    const { news, list } = over(30 * MINUTE, (ms) => own(ms, { portsUsed: ms < 5 * MINUTE ? 90 : 10, portsMax: 100 }), {
      everyMs: 10_000,
    });
    expect(news.map(({ forecast, over: isOver }) => [forecast.kind, isOver])).toEqual([
      ["ports", false],
      ["ports", true],
    ]);
    expect(list).toEqual([]);
  });

  it("of a process that is not heard any more are not foreseen", () => {
    const { list } = over(20 * MINUTE, (ms) => (ms < MINUTE ? own(ms, { memoryBytes: 95, memoryMax: 100 }) : []));
    expect(list).toEqual([]);
  });
});

describe("origins beside their peers", () => {
  /** Bucket 40 and up are some ms; each is a fifth more than the one before. */
  const rows = (ms: number, late: (address: string, ms: number) => number): Fact[] => [
    sampleSecond(START + ms, {
      origins: ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"].map((address) =>
        origin(address, { attempts: 20, firstByte: [[52 + late(address, ms), 20]] }),
      ),
    }),
  ];

  it("that answer later and later are foreseen, and which", () => {
    const { list } = over(20 * MINUTE, (ms) =>
      rows(ms, (address, at) => (address.startsWith("10.0.0.2") ? Math.floor(at / (2 * MINUTE)) : 0)),
    );
    expect(list.map(({ kind, where }) => [kind, where["address"]])).toEqual([["latency trend", "10.0.0.2:80"]]);
  });

  it("that all become slower together are no forecast", () => {
    expect(over(20 * MINUTE, (ms) => rows(ms, (_address, at) => Math.floor(at / (2 * MINUTE)))).news).toEqual([]);
  });

  it("that fail more and more are foreseen before anything takes them out", () => {
    const { list } = over(20 * MINUTE, (ms) => [
      sampleSecond(START + ms, {
        origins: ["10.0.0.1:80", "10.0.0.2:80"].map((address) => {
          const failures = address.startsWith("10.0.0.1") && (ms / 1000) % 60 < ms / (2 * MINUTE) ? 1 : 0;
          return origin(address, { attempts: 20, byCause: { "origin.truncated": failures } });
        }),
      }),
    ]);
    expect(list.map(({ kind, where }) => [kind, where["address"]])).toEqual([["error trend", "10.0.0.1:80"]]);
  });

  it("that close idle connections in use again and again have too thin a margin", () => {
    const races = (ms: number): OriginRow =>
      origin("10.0.0.1:80", { attempts: 1, byCause: ms % (4 * MINUTE) === 0 ? { "origin.keepalive_race": 1 } : {} });
    const { list } = over(15 * MINUTE, (ms) => [sampleSecond(START + ms, { origins: [races(ms)] })]);
    expect(list).toMatchObject([{ kind: "keep-alive margin", where: { origin: "http://10.0.0.1:80" } }]);
    const once = over(15 * MINUTE, (ms) => [
      sampleSecond(START + ms, { origins: [races(ms + MINUTE + (ms > 0 ? 1 : 0))] }),
    ]);
    expect(once.list).toEqual([]);
  });
});

describe("objectives, standby pools, names and capacity", () => {
  const objective = (budgetLeft: number, burn: number): ServiceHealth[] => [
    health({ availability: 0.999, latencyMs: null, budgetLeft, burn5m: burn, burn1h: burn, from: START }),
  ];

  it("an objective is foreseen to be missed at the pace of the last hour", () => {
    const { list } = over(5 * MINUTE, (ms) => own(ms, {}), { services: () => objective(0.2, 12) });
    expect(list).toMatchObject([{ kind: "objective", severity: "warning" }]);
    // 20 % of 30 days at 12 times the pace: half a day.
    expect(Math.abs((list[0]?.when ?? 0) - (START + 0.5 * DAY))).toBeLessThan(10 * MINUTE);
    expect(over(5 * MINUTE, (ms) => own(ms, {}), { services: () => objective(0.9, 1) }).list).toEqual([]);
    expect(over(5 * MINUTE, (ms) => own(ms, {}), { services: () => objective(-0.1, 0) }).list).toMatchObject([
      { kind: "objective", when: null, title: "The objective of shop is missed" },
    ]);
  });

  const topology = sampleTopology({
    at: START,
    services: [
      {
        name: "shop",
        objective: null,
        routes: [{ name: "default", class: "normal" }],
        pools: ["aws", "gcp"].map((name) => ({ name, provider: name, origins: [`http://${name}`] })),
      },
    ],
  });

  it("a standby pool that has not served for a week is unproven, and proven by one good answer", () => {
    const idle = over(8 * DAY, (ms) => (ms === 0 ? [topology] : own(ms, {})), { everyMs: MINUTE });
    expect(idle.list).toMatchObject([{ kind: "standby unproven", severity: "notice", where: { pool: "gcp" } }]);
    const asked = (ms: number): Fact[] =>
      ms === 0
        ? [topology]
        : [sampleSecond(START + ms, { origins: [origin("b", { pool: "gcp", attempts: ms === 6 * DAY ? 1 : 0 })] })];
    expect(over(8 * DAY, asked, { everyMs: MINUTE }).list).toEqual([]);
  });

  it("a name that is not resolved, or whose answers change again and again, drifts", () => {
    const unresolved =
      (because: string) =>
      (ms: number): Fact[] => [
        ...own(ms, {}),
        ...(ms === 0
          ? [
              {
                kind: "event" as const,
                node: "a",
                worker: 0,
                revision: "r",
                at: START,
                event: {
                  kind: "resolution" as const,
                  at: START,
                  service: "shop",
                  origin: "http://a",
                  because,
                },
              },
            ]
          : []),
      ];
    const title = (because: string): string | undefined => over(10 * MINUTE, unresolved(because)).list[0]?.title;
    const kept = "dns.timeout (ETIMEOUT); the last good answer stays in use";
    expect(over(10 * MINUTE, unresolved(kept)).list).toMatchObject([{ kind: "dns drift", severity: "warning" }]);
    expect(title(kept)).toBe("http://a lives on its last good address");
    expect(title("dns.nxdomain (ENOTFOUND); no answer is known")).toBe("http://a has no address");
    const restless = over(HOUR, (ms) => [
      ...own(ms, {}),
      ...(ms % (8 * MINUTE) === 0
        ? [
            {
              kind: "change" as const,
              at: START + ms,
              id: `c${ms}`,
              what: "dns answer changed" as const,
              where: { service: "shop", origin: "http://a" },
              text: "10.0.0.1 became 10.0.0.2",
              by: "",
            },
          ]
        : []),
    ]);
    expect(restless.list).toMatchObject([{ kind: "dns drift", severity: "notice" }]);
  });

  it("a certificate that expires is told in time, by how long it lives at all, and until it is renewed", () => {
    const shown = (days: number, life = 90): Fact[] => [
      {
        ...sampleSecond(START),
        certificates: [
          {
            listener: "0.0.0.0:443",
            file: "/etc/shop.pem",
            names: ["shop.test"],
            issuer: "CN=CA",
            notBefore: START + (days - life) * DAY,
            notAfter: START + days * DAY,
          },
        ],
      },
    ];
    const listed = (days: number, life?: number): readonly Forecast[] =>
      over(MINUTE, (ms) => (ms === 0 ? shown(days, life) : [sampleSecond(START + ms)])).list;
    expect(listed(30)).toEqual([]);
    expect(listed(20)).toMatchObject([
      {
        kind: "certificate",
        severity: "warning",
        title: "The certificate of shop.test expires",
        when: START + 20 * DAY,
      },
    ]);
    expect(listed(6)).toMatchObject([{ severity: "critical" }]);
    expect(listed(-2)).toMatchObject([
      { severity: "critical", title: "The certificate of shop.test has expired", when: null },
    ]);
    // Of six days, four are plenty.
    expect(listed(4, 6)).toEqual([]);
    expect(listed(1, 6)).toMatchObject([{ severity: "warning" }]);
    const renewed = over(MINUTE, (ms) => (ms === 0 ? shown(5) : ms === 30 * SECOND ? shown(85) : []));
    expect(renewed.list).toEqual([]);
  });

  it("an origin's certificate is told by the address whose chain ends first", () => {
    const row = (address: string, days: number, chainDays = 0): OriginCertificateRow => ({
      service: "shop",
      pool: "aws",
      origin: "https://a.test",
      address,
      names: ["a.test"],
      issuer: "Test CA",
      notBefore: START - 60 * DAY,
      notAfter: START + days * DAY,
      chainUntil: chainDays === 0 ? 0 : START + chainDays * DAY,
    });
    const listed = (...rows: readonly OriginCertificateRow[]): readonly Forecast[] =>
      over(MINUTE, (ms) => [{ ...sampleSecond(START + ms), ...(ms === 0 ? { originCertificates: rows } : {}) }]).list;
    expect(listed(row("10.0.0.1:443", 60), row("10.0.0.2:443", 40))).toEqual([]);
    const left = listed(row("10.0.0.1:443", 60), row("10.0.0.2:443", 12));
    expect(left).toMatchObject([
      { id: "certificate/shop/https://a.test", severity: "warning", when: START + 12 * DAY, where: { pool: "aws" } },
    ]);
    expect(left[0]?.evidence[0].text).toContain("What 10.0.0.2:443 shows expires in 1");
    const chain = listed(row("10.0.0.1:443", 60, 9));
    expect(chain).toMatchObject([{ when: START + 9 * DAY }]);
    expect(chain[0]?.evidence[0].text).toContain("A certificate above it ends before it.");
  });

  it("a pool that was full for a while at last week's peak meets that hour again", () => {
    const at = (ms: number): Fact[] => [
      sampleSecond(START + ms, { origins: [origin("a", { held: ms < 2 * MINUTE ? 19 : 3, limit: 20 })] }),
    ];
    const { list } = over(20 * MINUTE, at);
    expect(list).toMatchObject([
      { kind: "capacity", where: { pool: "aws" }, when: Math.floor(START / HOUR) * HOUR + 7 * DAY },
    ]);
    expect(
      over(20 * MINUTE, (ms) => [sampleSecond(START + ms, { origins: [origin("a", { held: 99, limit: 0 })] })]).list,
    ).toEqual([]);
  });
});

it("whatever breaks, the forecasts stay few, and each cites something", () => {
  for (const [index, maker] of DISTURBANCES.entries()) {
    if (index % 12 !== 0) continue;
    const { facts } = playFacts(maker.make(new SeededChance(index, "magnitude")), index);
    const book = new ForecastBook();
    const news: ForecastNews[] = [];
    for (const fact of facts) {
      book.hear(fact);
      if (fact.kind === "second") news.push(...book.tick(fact.at + 1000, () => []));
    }
    expect(news.length, String(index)).toBeLessThanOrEqual(4);
    for (const { forecast } of news) expect(forecast.evidence[0].cites.length).toBeGreaterThan(0);
  }
});
