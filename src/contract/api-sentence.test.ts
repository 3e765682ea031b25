import { describe, expect, it } from "vitest";
import { sampleView } from "../../test/support/sample-view.ts";
import { gatewaySentence } from "./api-sentence.ts";
import type { ServiceStatusView, StatusView } from "./view.ts";

function statusOf(...services: [ServiceStatusView["state"], string?][]): StatusView {
  return {
    ...sampleView().status(),
    services: services.map(([state, because = ""], index) => ({
      name: `s${index + 1}`,
      hosts: ["*"],
      pool: "main",
      state,
      because,
      waiting: 0,
      shedding: false,
      pools: [{ name: "main", origins: 2, available: state === "healthy" ? 2 : 0, share: 1 }],
    })),
  };
}

describe("the sentence about a gateway", () => {
  it.each([
    [statusOf(["healthy"]), "Serving: service s1 is healthy, 2 of 2 origins can be picked."],
    [statusOf(["healthy"], ["healthy"]), "Serving: all 2 services are healthy, 4 of 4 origins can be picked."],
    [
      statusOf(["healthy"], ["degraded", "1 of 2 origins is out."]),
      "Serving, but s2 is degraded: 1 of 2 origins is out.",
    ],
    [statusOf(["failing open"]), "Serving, but s1 is failing open."],
    [statusOf(["down", "no origin has an address."]), "Not serving: s1 is down: no origin has an address."],
    [statusOf(["down"], ["down"]), "Not serving: all 2 services are down."],
    [
      statusOf(["degraded"], ["down"], ["healthy"]),
      "Serving, but 2 of 3 services are in trouble: s2 is down, s1 is degraded.",
    ],
    [
      statusOf(["degraded"], ["degraded"], ["degraded"], ["degraded"], ["down"]),
      "Serving, but 5 of 5 services are in trouble: s5 is down, s1 is degraded, s2 is degraded and 2 more.",
    ],
    [
      { ...statusOf(["healthy"]), state: "draining" as const, exchangesActive: 1 },
      "Draining: 1 exchange may still finish, nothing new is taken.",
    ],
  ])("puts the worst first (%#)", (status, sentence) => {
    expect(gatewaySentence(status)).toBe(sentence);
  });
});
