import { describe, expect, it } from "vitest";
import { DISTURBANCES } from "../../../sim/corpus/disturbances.ts";
import { playFacts } from "../../../sim/corpus/score.ts";
import { SeededChance } from "../../../sim/chance.ts";
import { sampleCertificate, sampleSecond, sampleTopology } from "../../../test/support/sample-facts.ts";
import type { Fact, OriginCertificateRow, OriginRow, OwnRow, SecondFact } from "../../contract/facts.ts";
import type { Forecast } from "../../contract/incident.ts";
import type { ServiceHealth } from "../../contract/series.ts";
import type { CertificateView } from "../../contract/view.ts";
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
    const nowWith = (origins: string[]): Fact => {
      const [shop] = sampleTopology().services;
      if (shop === undefined) throw new Error("the sample has a service");
      const pools = [{ name: "aws", provider: "aws", origins }];
      return sampleTopology({ at: START + 8 * MINUTE, services: [{ ...shop, pools }] });
    };
    const afterwards = (origins: string[]): readonly Forecast[] =>
      over(25 * MINUTE, (ms) => [...(ms === 8 * MINUTE ? [nowWith(origins)] : []), ...unresolved(kept)(ms)]).list;
    expect(afterwards(["http://a", "http://b"])).toHaveLength(1);
    // Who was taken out of the configuration would otherwise never be told as resolved.
    expect(afterwards(["http://b"])).toEqual([]);
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
          sampleCertificate(START, {
            notBefore: START + (days - life) * DAY,
            notAfter: START + days * DAY,
            chainUntil: 0,
          }),
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

  it("certificates of listeners are foreseen by the chain above them, also where it is missing", () => {
    const listed = (rest: Partial<CertificateView>): readonly Forecast[] =>
      over(MINUTE, (ms) => [
        { ...sampleSecond(START + ms), ...(ms === 0 ? { certificates: [sampleCertificate(START, rest)] } : {}) },
      ]).list;
    expect(listed({})).toEqual([]);
    expect(listed({ chainUntil: START + 5 * DAY })).toMatchObject([
      { kind: "certificate", severity: "warning", when: START + 5 * DAY },
    ]);
    expect(listed({ isChainCut: true })).toMatchObject([
      { kind: "certificate", title: "The certificate of shop.test is shown without its chain", when: null },
    ]);
  });

  it("what no listener shows any more is not foreseen", () => {
    const { list } = over(30 * MINUTE, (ms) => [
      {
        ...sampleSecond(START + ms),
        ...(ms === 0 ? { certificates: [sampleCertificate(START, { isChainCut: true })] } : {}),
      },
    ]);
    expect(list).toEqual([]);
  });

  it("names of services that no certificate is for are foreseen before their first client comes", () => {
    const listed = (hosts: readonly string[]): readonly Forecast[] => {
      const [shop] = sampleTopology().services;
      if (shop === undefined) throw new Error("no service");
      const services = [{ ...shop, hosts }];
      return over(2 * MINUTE, (ms) => [
        ...(ms === 0 ? [sampleTopology({ at: START, services })] : []),
        {
          ...sampleSecond(START + ms),
          ...(ms % MINUTE === 0
            ? { certificates: [sampleCertificate(START, { names: ["shop.test", "*.shop.test"] })] }
            : {}),
        },
      ]).list;
    };
    expect(listed(["*"])).toEqual([]);
    expect(listed(["shop.test", "a.shop.test", "*.shop.test", "192.0.2.1", "[2001:db8::1]"])).toEqual([]);
    expect(listed(["shop.test", "new.test", "a.b.shop.test"])).toMatchObject([
      {
        kind: "certificate",
        where: { service: "shop" },
        title: "No certificate is for new.test and 1 more names of shop",
        evidence: [{ text: expect.stringContaining("new.test, a.b.shop.test are on none of the 1") as string }],
      },
    ]);
  });

  describe("capacity", () => {
    /** An hour's peak of some minutes at two addresses, met at `limit` each, then quiet for two hours. */
    const peak = (ms: number, held: number, limit: number, quietLimit = limit): Fact[] => [
      sampleSecond(START + ms, {
        origins: ["10.0.0.1:80", "10.0.0.2:80"].map((address) =>
          origin(address, ms < 5 * MINUTE ? { held, limit } : { held: 1, limit: quietLimit }),
        ),
      }),
    ];

    it("that was used up for a while at last week's peak is used up again in that hour", () => {
      const { list } = over(20 * MINUTE, (ms) => peak(ms, 19, 20));
      expect(list).toMatchObject([
        {
          kind: "capacity",
          severity: "notice",
          where: { pool: "aws" },
          when: Math.floor(START / HOUR) * HOUR + 7 * DAY,
          evidence: [{ text: expect.stringContaining("held 38 requests at once; now they can hold 40") as string }],
        },
      ]);
    });

    it("that has not shown is not foreseen: without a limit, and with one that still grows or begins anew", () => {
      expect(over(20 * MINUTE, (ms) => peak(ms, 99, 0)).list).toEqual([]);
      // Always half of what it may, whatever that is.
      expect(over(20 * MINUTE, (ms) => peak(ms, 40, 80)).list).toEqual([]);
      // Restarted at 32 after a peak of 100 that fitted.
      expect(over(20 * MINUTE, (ms) => peak(ms, 50, 80, 32)).list).toEqual([]);
    });

    it("is that of now: an origin that was taken away since is missing at the next peak, one that was added ends it", () => {
      const rows = (count: number, rest: Partial<OriginRow>): OriginRow[] =>
        Array.from({ length: count }, (_, index) =>
          origin(`10.0.0.${index}:80`, { limitSet: true, limit: 20, ...rest }),
        );
      const change = (before: number, after: number, held: number): readonly Forecast[] =>
        over(60 * MINUTE, (ms) => [
          sampleSecond(START + ms, {
            origins: ms < 10 * MINUTE ? rows(before, { held }) : rows(after, { held: 1 }),
          }),
        ]).list;
      expect(change(4, 4, 12)).toEqual([]);
      expect(change(4, 2, 12)).toMatchObject([{ kind: "capacity", severity: "warning" }]);
      expect(change(2, 4, 19)).toEqual([]);
    });

    it("counts all workers together, and is the surer the more days had the same peak", () => {
      const workers = (ms: number): Fact[] =>
        [1, 2].map((worker) => ({ ...(peak(ms % DAY, 19, 20)[0] as SecondFact), at: START + ms, worker }));
      const days = over(3 * DAY, (ms) => (ms % DAY < 6 * MINUTE || ms % MINUTE === 0 ? workers(ms) : []));
      expect(days.list).toMatchObject([
        { kind: "capacity", evidence: [{ text: expect.stringContaining("held 76") as string }] },
      ]);
      expect(days.list[0]?.confidence).toBeGreaterThan(
        over(20 * MINUTE, (ms) => peak(ms, 19, 20)).list[0]?.confidence ?? 1,
      );
    });

    it("of a standby that was never used is compared by addresses, and told with less certainty", () => {
      const pools = (held: number, limit: number): Fact[] => [
        sampleSecond(START, {
          origins: [
            ...["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"].map((address) => origin(address, { held, limit: 80 })),
            origin("10.1.0.1:80", { pool: "gcp", limit, ...(limit === 32 ? {} : { limitSet: true }) }),
          ],
        }),
      ];
      const told = (held: number, limit: number): readonly Forecast[] =>
        over(2 * MINUTE, (ms) =>
          ms === 0 ? [topology] : pools(held, limit).map((fact) => ({ ...fact, at: START + ms })),
        ).list;
      expect(told(30, 32)).toMatchObject([
        {
          id: "standby unequal/shop/gcp/capacity",
          severity: "notice",
          evidence: [
            { text: expect.stringContaining("30 at each address; an address of gcp would have to hold 90") as string },
          ],
        },
      ]);
      expect(told(8, 32)).toEqual([]);
      expect(told(30, 60)).toMatchObject([{ severity: "warning" }]);
    });
  });

  it("what takes weeks to see outlives a restart, and what cannot be read back costs nothing else", () => {
    const shown = (ms: number): Fact[] => [
      ...(ms === 0 ? [topology] : []),
      sampleSecond(START + ms, {
        origins: [origin("10.0.0.1:80", ms < 5 * MINUTE ? { held: 19, limit: 20 } : { held: 1, limit: 20 })],
      }),
    ];
    const before = over(10 * MINUTE, shown).book;
    const saved = new Map(
      [...before.save()].map(([name, data]) => [name, JSON.parse(JSON.stringify(data)) as unknown] as const),
    );
    expect([...saved.keys()].toSorted()).toEqual(["capacity", "pool rooms", "standby", "standby peaks"]);
    const faults: unknown[] = [];
    const lived = (memory: ReadonlyMap<string, unknown>): readonly string[] => {
      const book = new ForecastBook();
      book.restore(memory, (error) => faults.push(error));
      book.hear({ ...topology, at: START + 8 * DAY });
      const from = START + 6 * DAY + 23 * HOUR;
      for (let at = from; at <= from + 2 * MINUTE; at += SECOND) {
        book.hear(sampleSecond(at, { origins: [origin("10.0.0.1:80", { held: 1, limit: 32 })] }));
        book.tick(at + SECOND, () => []);
      }
      return book.list().map(({ kind }) => kind);
    };
    expect(lived(saved)).toEqual(["capacity"]);
    expect(lived(new Map())).toEqual([]);
    expect(faults).toEqual([]);
    expect(lived(new Map([...saved, ["standby", 7]]))).toEqual(["capacity"]);
    expect(faults).toHaveLength(1);
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
