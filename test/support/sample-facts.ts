/** Facts for tests: an empty second, and a topology with one service. */
import type { CertificateView } from "../../src/contract/view.ts";
import type { Fact, SecondFact, TopologyFact } from "../../src/contract/facts.ts";

const TELLER = { node: "edge-1", worker: 0, revision: "0123456789ab" } as const;

/** `at`: epoch ms. */
export function sampleSecond(at: number, rest: Partial<SecondFact> = {}): SecondFact {
  return {
    kind: "second",
    ...TELLER,
    at,
    lengthMs: 1000,
    traffic: [],
    origins: [],
    failures: [],
    clients: [],
    samples: [],
    own: {
      loopDelayMaxMs: 0,
      loopUtilisation: 0,
      cpuSeconds: 0,
      memoryBytes: 0,
      memoryMax: 0,
      descriptorsOpen: 0,
      descriptorsMax: 0,
      connections: 0,
      connectionsMax: 0,
      exchangesActive: 0,
      portsUsed: 0,
      portsMax: 0,
      accessLogDropped: 0,
      diskFreeBytes: 0,
      diskBytes: 0,
    },
    lost: 0,
    ...rest,
  };
}

export function sampleTopology(rest: Partial<TopologyFact> = {}): TopologyFact {
  return {
    kind: "topology",
    ...TELLER,
    at: 0,
    services: [
      {
        name: "shop",
        objective: null,
        routes: [{ name: "default", class: "normal" }],
        pools: [{ name: "aws", provider: "aws", origins: ["http://a1", "http://a2"] }],
      },
    ],
    ...rest,
  };
}

export function sampleEvent(at: number): Extract<Fact, { kind: "event" }> {
  return { kind: "event", ...TELLER, at, event: { kind: "gateway", at, code: "test", detail: "for a test" } };
}

/** What a listener shows at `at`: good for two months more, with a chain for longer. */
export function sampleCertificate(at: number, rest: Partial<CertificateView> = {}): CertificateView {
  return {
    listener: "0.0.0.0:443",
    file: "/etc/shop.pem",
    names: ["shop.test"],
    issuer: "CN=CA",
    notBefore: at - 30 * DAY_MS,
    notAfter: at + 60 * DAY_MS,
    chainUntil: at + 900 * DAY_MS,
    isChainCut: false,
    ...rest,
  };
}

const DAY_MS = 24 * 3_600_000;
