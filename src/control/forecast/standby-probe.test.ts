import { expect, it } from "vitest";
import { sampleSecond, sampleTopology } from "../../../test/support/sample-facts.ts";
import { until } from "../../../test/support/until.ts";
import { loadSettings } from "../../config/load.ts";
import type { Settings } from "../../config/settings.ts";
import type { OriginRow } from "../../contract/facts.ts";
import type { News } from "../../contract/control-port.ts";
import type { Forecast } from "../../contract/incident.ts";
import type { Answered, Endpoint, Rungs, Seen } from "../../contract/rungs.ts";
import { createForecasts } from "./forecast-companion.ts";
import { MINUTE } from "./forecaster.ts";
import { differencesOf } from "./standby-compare.ts";
import type { Shown } from "./standby-compare.ts";
import { StandbyProbe } from "./standby-probe.ts";

const START = 1_790_000_000_000;
const HOLDS: Seen = { ok: true, ms: 1, text: "TLSv1.3", failure: "" };
const BREAKS: Seen = { ok: false, ms: 1, text: "the certificate has expired", failure: "refused certificate" };

function answered(status: number, fields: Record<string, string> = {}): Answered {
  return { ok: true, ms: 1, text: `status ${status}`, failure: "", status, bodyBytes: 0, date: "", fields };
}

function settingsOf(): Settings {
  const loaded = loadSettings(
    JSON.stringify({
      listeners: [{ bind: "127.0.0.1:0" }],
      services: {
        shop: {
          pools: [
            { name: "aws", origins: ["https://192.0.2.1", "https://192.0.2.2"] },
            { name: "gcp", origins: ["https://198.51.100.1"] },
          ],
          health: { path: "/healthz" },
        },
        mail: { hosts: ["mail.example"], pools: [{ name: "only", origins: ["https://192.0.2.9"] }] },
      },
    }),
    "goodgate.yaml",
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.settings;
}

interface Asked {
  readonly ip: string;
  readonly target: string;
}

function network(answerOf: (to: Endpoint) => Answered, handshakeOf: (to: Endpoint) => Seen): [Rungs, Asked[]] {
  const asked: Asked[] = [];
  const rungs: Rungs = {
    resolversFor: () => [],
    resolve: () => Promise.reject(new Error("addresses need no resolver")),
    connect: () => Promise.resolve(HOLDS),
    handshake: (to) => Promise.resolve(handshakeOf(to)),
    request(to, { target }) {
      asked.push({ ip: to.ip, target });
      return Promise.resolve(answerOf(to));
    },
  };
  return [rungs, asked];
}

function thrown(error: unknown): never {
  throw error;
}

const shown = (rest: Partial<Shown>): Shown => ({ url: "https://a", tls: HOLDS, answer: answered(200), ...rest });

it("The same is no difference, and what is different is said in words", () => {
  const first = shown({ answer: answered(200, { "content-type": "text/html" }) });
  expect(differencesOf(first, { ...first, url: "https://b" })).toEqual([]);
  expect(differencesOf(first, shown({ answer: answered(404) }))).toEqual([
    "it answers 404 where https://a answers 200",
  ]);
  expect(differencesOf(first, shown({ tls: BREAKS, answer: null }))).toEqual([
    "its certificate or handshake is not accepted (the certificate has expired)",
  ]);
  expect(differencesOf(first, shown({ answer: answered(200, {}) }))).toEqual([
    'content-type is missing, at https://a "text/html"',
  ]);
});

it("A first pool that does not work itself is no measure", () => {
  for (const answer of [answered(503), { ...answered(0), ok: false }, null])
    expect(differencesOf(shown({ answer }), shown({ answer: answered(200) }))).toEqual([]);
});

it("Once in ten minutes, one origin of each pool, at the health path, and of services with a standby only", async () => {
  const [rungs, asked] = network(
    () => answered(200),
    () => HOLDS,
  );
  const probe = new StandbyProbe({ settings: settingsOf, rungs, onFault: thrown });
  probe.tick(START);
  probe.tick(START + 4 * MINUTE);
  expect(asked).toEqual([]);
  probe.tick(START + 5 * MINUTE);
  await until("the first round", () => (probe.compared.length > 0 ? true : null));
  probe.tick(START + 6 * MINUTE);
  probe.tick(START + 14 * MINUTE);
  expect(asked).toEqual([
    { ip: "192.0.2.1", target: "/healthz" },
    { ip: "198.51.100.1", target: "/healthz" },
  ]);
  probe.tick(START + 15 * MINUTE);
  await until("the second round", () => (asked.length === 4 ? true : null));
  expect(asked[2]?.ip).toBe("192.0.2.2");
});

it("A standby that shows a bad certificate, or has too little room, is foreseen with what to do", async () => {
  const [rungs] = network(
    () => answered(200),
    ({ ip }) => (ip.startsWith("198.") ? BREAKS : HOLDS),
  );
  const news: News[] = [];
  const forecasts = createForecasts(
    { news: (one) => void news.push(one), ask: () => [] as never, keep: () => undefined, kept: () => [] },
    { standby: { settings: settingsOf, rungs, onFault: thrown }, onFault: thrown },
  );
  const pool = (name: string): { name: string; provider: string; origins: string[] } => ({
    name,
    provider: name,
    origins: [],
  });
  const [shop] = sampleTopology().services;
  if (shop === undefined) throw new Error("no service");
  forecasts.hear?.(
    sampleTopology({ at: START, services: [{ ...shop, pools: [pool("aws"), pool("gcp")] }] }),
    [],
    false,
  );
  const hear = (at: number): void =>
    forecasts.hear?.(
      sampleSecond(START + at * 1000, { origins: [originRow("aws", 90, 100), originRow("gcp", 0, 40)] }),
      [],
      false,
    );
  let second = 0;
  await until("both differences", () => {
    hear(second);
    second += 30;
    return new Set(foreseen(news).map(({ id }) => id)).size === 2 ? true : null;
  });
  const found = foreseen(news);
  expect(found.map(({ id }) => id)).toContain("standby unequal/shop/gcp");
  expect(found.find(({ id }) => id === "standby unequal/shop/gcp")).toMatchObject({
    severity: "warning",
    where: { service: "shop", pool: "gcp", origin: "https://198.51.100.1" },
    evidence: [{ text: expect.stringContaining("the certificate has expired") as string }],
  });
  expect(found.find(({ id }) => id.endsWith("capacity"))?.evidence[0].text).toContain("held 90 requests");
});

function foreseen(news: readonly News[]): readonly Forecast[] {
  return news.flatMap((one) => (one.kind === "forecast" && !one.over ? [one.forecast] : []));
}

function originRow(pool: string, held: number, limit: number): OriginRow {
  return {
    service: "shop",
    pool,
    provider: pool,
    origin: `https://${pool}`,
    address: "192.0.2.1:443",
    family: "IPv4",
    attempts: 1,
    byCause: {},
    firstByte: [],
    connectionsMade: 0,
    inFlight: held,
    held,
    limit,
    limitSet: true,
    state: "up",
    share: 1,
    checkOk: null,
    keepAliveMs: 4000,
  };
}
