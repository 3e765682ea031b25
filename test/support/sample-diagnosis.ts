/** What a control plane would tell of a pool that died, made up: for looking at the dashboard without waiting for one. */
import type { AlertsView, ControlState } from "../../src/contract/control-port.ts";
import type { ProbeFact } from "../../src/contract/facts.ts";
import type { Forecast, Incident } from "../../src/contract/incident.ts";
import type { SeriesAnswer, SeriesPoint, ServiceHealth } from "../../src/contract/series.ts";
import { SAMPLE_NOW } from "./sample-view.ts";

const BEGAN = SAMPLE_NOW - 95_000;

export const RUNNING: ControlState = {
  state: "running",
  heardAt: SAMPLE_NOW,
  because: "it answers",
  factsLost: 0,
  factsWaiting: 0,
  residentBytes: 0,
  tracesLeftOut: 0,
  restarts: 0,
};

export const SAMPLE_INCIDENT: Incident = {
  id: "inc-1795269905-1",
  state: "open",
  severity: "critical",
  title: "Pool blue of shop refuses connections",
  summary:
    "Both origins of pool blue refuse connections, so every request of shop that prefers it needs another pool. Pool green takes the traffic; 96 % of the exchanges were rescued.",
  services: ["shop"],
  where: { service: "shop", pool: "blue" },
  cause: "origin.refused",
  party: "origin",
  verdict: "decided",
  hypotheses: [
    {
      cause: "origin.refused",
      party: "origin",
      claim: "The processes behind pool blue are not running",
      confidence: 0.86,
      for: [
        {
          text: "Both addresses answer with a refusal at once, so the machines are up and nothing listens.",
          cites: [
            {
              kind: "figure",
              figure: "failures by origin.refused",
              where: { service: "shop", pool: "blue" },
              from: BEGAN,
              to: BEGAN + 10_000,
              value: 412,
              usual: 0,
              unit: "attempts",
            },
            {
              kind: "exchange",
              id: "sample-0003",
              at: BEGAN + 2_000,
              fields: { cause: "origin.refused", attempts: 2 },
            },
          ],
        },
        {
          text: "The probe ladder breaks at connect; names resolve, and the control holds.",
          cites: [
            {
              kind: "probe",
              id: "p1",
              at: BEGAN + 6_000,
              rung: "connect",
              result: "breaks",
              text: "ECONNREFUSED in 0.3 ms",
            },
          ],
        },
      ],
      against: [],
      tellApart: "If the processes run, look whether they listen on the address that the gateway uses.",
      firstStep: "Look whether the processes run: systemctl status shop@blue-1.",
    },
    {
      cause: "net.connect_timeout",
      party: "network",
      claim: "A firewall in front of pool blue answers in its place",
      confidence: 0.09,
      for: [
        {
          text: "A rule that rejects looks the same from here.",
          cites: [{ kind: "event", at: BEGAN, code: "origin", text: "blue-1 ejected: 5 requests in a row failed" }],
        },
      ],
      against: [
        {
          text: "No change of the network is known, and green is reached through the same one.",
          cites: [{ kind: "change", id: "c1", at: BEGAN - 3_600_000, text: "gateway started" }],
        },
      ],
      tellApart: "",
      firstStep: "Connect from the machine itself.",
    },
  ],
  firstFailureAt: BEGAN,
  detectedAt: BEGAN + 3_000,
  recoveredAt: null,
  closedAt: null,
  impact: {
    failed: 38,
    rescued: 1_204,
    failedByClass: { critical: 2, normal: 36, background: 0 },
    exchanges: 16_480,
    clientNetworks: 17,
    clientNetworksMore: true,
    budgetSpent: { shop: 0.031 },
    latencyP95Ms: { before: 41, worst: 118 },
  },
  timeline: [
    { at: BEGAN - 20_000, kind: "change", text: "Configuration 4f1c was applied by ann: new weights in pool blue." },
    { at: BEGAN, kind: "first failure", text: "POST /cart was refused by http://127.0.0.1:3001." },
    { at: BEGAN + 1_200, kind: "automation", text: "blue-1 and blue-2 were ejected: 5 requests in a row failed." },
    { at: BEGAN + 1_250, kind: "automation", text: "Pool green comes first: nothing in blue works." },
    { at: BEGAN + 3_000, kind: "detected", text: "The ratio of failures of shop rose from 0.01 % to 9 %." },
    { at: BEGAN + 6_000, kind: "probe", text: "The ladder breaks at connect, for both addresses." },
    { at: BEGAN + 6_100, kind: "verdict", text: "origin.refused, at fault: the origin." },
    { at: BEGAN + 9_000, kind: "told", text: "on-call (slack)" },
    {
      at: BEGAN + 20_000,
      kind: "effect",
      text: "Green answers 100 % of the exchanges of shop; failures are back to 0.01 %.",
    },
  ],
  nextStep:
    "Look whether the processes of pool blue run; green has capacity for about 40 minutes of this evening's traffic.",
  acknowledged: null,
  owner: "",
  merged: [],
  parent: "",
  told: [{ at: BEGAN + 9_000, to: "on-call (slack)", text: "Pool blue of shop refuses connections" }],
};

export const CLOSED_INCIDENT: Incident = {
  ...SAMPLE_INCIDENT,
  id: "inc-1795200000-1",
  state: "closed",
  severity: "warning",
  title: "reports answers four times slower than usual",
  summary: "Answers of reports took up to 4 s. Nobody was failed; the origin recovered by itself.",
  services: ["reports"],
  where: { service: "reports" },
  cause: null,
  party: null,
  verdict: "undecided",
  firstFailureAt: SAMPLE_NOW - 68_000_000,
  detectedAt: SAMPLE_NOW - 67_990_000,
  recoveredAt: SAMPLE_NOW - 67_700_000,
  closedAt: SAMPLE_NOW - 67_600_000,
  nextStep: "",
};

export const SAMPLE_FORECASTS: readonly Forecast[] = [
  {
    id: "certificate shop",
    kind: "certificate",
    severity: "warning",
    title: "The certificate of shop.example.com expires",
    where: { service: "shop" },
    when: SAMPLE_NOW + 6 * 86_400_000,
    confidence: 1,
    evidence: [
      {
        text: "Its notAfter is in six days, and no newer one was seen.",
        cites: [{ kind: "event", at: SAMPLE_NOW, code: "certificate", text: "notAfter 2026-11-27" }],
      },
    ],
    advice: "Renew it now; the issuer takes an hour.",
    since: SAMPLE_NOW - 86_400_000,
  },
  {
    id: "standby green",
    kind: "standby unproven",
    severity: "notice",
    title: "Pool green of blog has not been proven for 9 days",
    where: { service: "blog", pool: "green" },
    when: null,
    confidence: 0.7,
    evidence: [
      {
        text: "It served nothing since 12 November.",
        cites: [
          {
            kind: "figure",
            figure: "attempts",
            where: { pool: "green" },
            from: SAMPLE_NOW - 777_600_000,
            to: SAMPLE_NOW,
            value: 0,
            usual: null,
            unit: "attempts",
          },
        ],
      },
    ],
    advice: "Give it a standbyShare of 1 %.",
    since: SAMPLE_NOW - 86_400_000,
  },
];

export const SAMPLE_ALERTS: AlertsView = {
  silences: [
    {
      id: "sil-1795266000-1",
      at: SAMPLE_NOW - 3_600_000,
      where: { service: "reports" },
      by: "ann",
      reason: "moving to other machines",
      until: SAMPLE_NOW + 3_600_000,
    },
  ],
  sinks: [
    { name: "chat", kind: "slack", state: "ok", because: "delivered", lastAt: SAMPLE_NOW - 90_000 },
    {
      name: "pager",
      kind: "pagerduty",
      state: "failing",
      because: "status 400: the routing key is 12 characters long; 2 waiting",
      lastAt: SAMPLE_NOW - 8_640_000,
    },
  ],
  sent: [],
};

export const SAMPLE_PROBE: ProbeFact = {
  kind: "probe",
  at: SAMPLE_NOW,
  id: "p7",
  service: "shop",
  pool: "blue",
  origin: "http://127.0.0.1:3001",
  rungs: [
    { rung: "resolve", at: "127.0.0.1", result: "holds", ms: 0.1, text: "it is an address" },
    { rung: "connect", at: "127.0.0.1:3001", result: "breaks", ms: 0.3, text: "ECONNREFUSED" },
    { rung: "control: other origin", at: "http://127.0.0.1:3003", result: "holds", ms: 1.4, text: "status 200" },
  ],
  located: "It breaks at connect: nothing listens at 127.0.0.1:3001.",
};

export function sampleHealth(service: string, changes: Partial<ServiceHealth> = {}): ServiceHealth {
  return {
    service,
    state: "well",
    because: "failures and latency are as usual",
    perSecond: 173,
    failedRatio: 0.0002,
    rescuedRatio: 0.001,
    p50Ms: 12,
    p95Ms: 41,
    p99Ms: 96,
    objective: {
      availability: 0.9995,
      latencyMs: 300,
      budgetLeft: 0.81,
      burn5m: 0.4,
      burn1h: 0.6,
      from: SAMPLE_NOW - 30 * 86_400_000,
    },
    incidents: [],
    ...changes,
  };
}

export const SAMPLE_HEALTH: readonly ServiceHealth[] = [
  sampleHealth("shop", {
    state: "failing",
    because: "9 % of the exchanges of the last 10 s had to be rescued or failed; usual is 0.01 %",
    objective: { availability: 0.9995, latencyMs: 300, budgetLeft: 0.18, burn5m: 22, burn1h: 7.4, from: 0 },
  }),
  sampleHealth("blog", { objective: null }),
  sampleHealth("reports", { state: "disturbed", because: "p95 is four times what is usual at this hour" }),
];

/** A wave with a disturbance and a hole in it. */
export function sampleSeries(from: number, to: number, resolution: SeriesAnswer["resolution"]): SeriesAnswer {
  const points: SeriesPoint[] = [];
  for (let at = from; at < to; at += resolution * 1000) {
    const part = (at - from) / (to - from);
    const isHole = part > 0.3 && part < 0.34;
    const isTrouble = part > 0.8 && part < 0.88;
    const perSecond = 160 + 40 * Math.sin(part * 9) + 9 * Math.sin(part * 171);
    points.push({
      at,
      known: isHole ? 0 : 1,
      exchanges: isHole ? 0 : Math.round(perSecond * resolution),
      failed: isTrouble ? Math.round(4 * resolution) : 0,
      rescued: isTrouble ? Math.round(28 * resolution) : 0,
      p50Ms: isHole ? null : 11 + 2 * Math.sin(part * 40),
      p95Ms: isHole ? null : (isTrouble ? 110 : 38) + 4 * Math.sin(part * 60),
      p99Ms: isHole ? null : (isTrouble ? 190 : 90) + 9 * Math.sin(part * 75),
    });
  }
  return { resolution, series: [{ value: "", points }] };
}
