import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sampleIncident } from "../../test/support/sample-incident.ts";
import type { Incident, IncidentState, Severity } from "../contract/incident.ts";
import type { ServiceHealth } from "../contract/series.ts";
import { statusPage } from "./status-page.ts";
import type { StatusFacts } from "./status-page.ts";

const AT = sampleIncident().firstFailureAt + 60_000;
const OPTIONS = {
  title: "Example & Co",
  url: "https://status.example.com/",
  services: [{ name: "shop", title: "The <shop>" }],
};

function health(state: ServiceHealth["state"]): ServiceHealth {
  return {
    service: "shop",
    state,
    because: "http://10.1.2.3:3000 refuses",
    perSecond: 10,
    failedRatio: 0,
    rescuedRatio: 0,
    p50Ms: 1,
    p95Ms: 2,
    p99Ms: 3,
    objective: null,
    incidents: [],
  };
}

function facts(state: ServiceHealth["state"], ...incidents: Incident[]): StatusFacts {
  return { health: [health(state)], incidents, at: AT };
}

describe("the status page", () => {
  it("says in one glance that all is well, and when that was", () => {
    const { html } = statusPage(facts("well"), OPTIONS, AT);
    expect(html).toContain("Everything works");
    expect(html).toContain("The &lt;shop&gt;");
    expect(html).toContain("No disturbance.");
    expect(html).toContain('As of <time datetime="2026-01-15T12:01:00.000Z">');
    expect(html).not.toContain("<script");
  });

  it("does not say that there is no disturbance beside a service that is disturbed", () => {
    const { html } = statusPage(facts("disturbed"), OPTIONS, AT);
    expect(html).toContain("There is a disturbance");
    expect(html).toContain("The &lt;shop&gt;: not all requests go well just now.");
    expect(html).toContain("No other disturbance.");
    expect(html).not.toContain("No disturbance.");
    // What is told below needs no second sentence, and what is old none at all.
    const told = statusPage(facts("failing", sampleIncident()), OPTIONS, AT).html;
    expect(told).not.toContain("just now");
    expect(statusPage(facts("disturbed"), OPTIONS, AT + 3_600_000).html).not.toContain("just now");
  });

  it("says what is wrong in plain words, and afterwards how long it was; the feed tells both", () => {
    const incident = sampleIncident({ impact: { ...sampleIncident().impact, failed: 450 } });
    const during = statusPage(facts("failing", incident), OPTIONS, AT);
    expect(during.html).toContain("There is an outage");
    expect(during.html).toContain("About 30 of 100 requests fail. It is being looked into.");
    const taken = statusPage(facts("failing", { ...incident, owner: "ada" }), OPTIONS, AT);
    expect(taken.html).toContain("Somebody is working on it.");
    expect(taken.html).not.toContain("ada");
    const over = { ...incident, state: "closed", recoveredAt: incident.firstFailureAt + 90_000 } as const;
    const after = statusPage(facts("well", over), OPTIONS, AT + 3_600_000);
    expect(after.html).toContain("lasted 1 min 30 s");
    expect(after.rss).toContain("It lasted 1 min 30 s.");
    const guid = (rss: string) => /<guid[^>]*>([^<]*)/.exec(rss)?.[1];
    expect(guid(after.rss)).not.toBe(guid(during.rss));
  });

  it("never shows what is old as what is, and what is not known as well", () => {
    const old = statusPage(facts("well"), OPTIONS, AT + 61_000).html;
    expect(old).toContain("Nothing new is known since");
    expect(old).not.toContain("Everything works");
    for (const state of ["silent", "no data"] as const) {
      expect(statusPage(facts(state), OPTIONS, AT).html).toContain("Not known");
    }
    expect(statusPage({ health: [], incidents: [], at: AT }, OPTIONS, AT).html).toContain("Not known");
  });

  it("leaves out what nobody felt, what is part of another, what clients did, and services that are not shown", () => {
    for (const changes of [
      { severity: "notice" },
      { parent: "inc-0" },
      { state: "merged" },
      { party: "client" },
      { services: ["internal"] },
    ] as const) {
      expect(
        statusPage(facts("well", sampleIncident(changes)), OPTIONS, AT).html,
        JSON.stringify(changes),
      ).not.toContain("<article");
    }
  });

  it("never says of a service that it is better than what is told of it", () => {
    for (const state of ["well", "disturbed", "silent"] as const) {
      expect(statusPage(facts(state, sampleIncident()), OPTIONS, AT).html).toContain("There is an outage");
    }
    const mild = statusPage(facts("well", sampleIncident({ severity: "warning" })), OPTIONS, AT).html;
    expect(mild).toContain("There is a disturbance");
  });

  it("keeps ninety days", () => {
    const incident = sampleIncident({ state: "closed", recoveredAt: AT });
    expect(statusPage(facts("well", incident), OPTIONS, AT + 91 * 86_400_000).html).not.toContain("<article");
  });

  it("the feed links to the page that lies beside it where nobody has said at which address that is", () => {
    const feed = (url: string): string => statusPage(facts("well"), { ...OPTIONS, url }, AT).rss;
    const linkOf = (rss: string): string =>
      new URL(/<link>([^<]*)/.exec(rss)?.[1] ?? "", "https://s.example/feed.xml").href;
    expect(linkOf(feed(""))).toBe("https://s.example/");
    expect(linkOf(feed("https://status.example/"))).toBe("https://status.example/");
  });

  it("whatever an incident says: no address, no name of an origin, a pool or a node, and no cause is on it", () => {
    const secret = fc.constantFrom(
      "http://10.1.2.3:3000",
      "10.1.2.3",
      "[2001:db8::7]:80",
      "pool-zebra",
      "node-yak-7",
      "origin.refused",
      "ada@example.org",
    );
    const sentence = fc.array(secret, { minLength: 1, maxLength: 3 }).map((words) => `It is ${words.join(" and ")}`);
    const incident = fc
      .record({
        id: secret.map((word) => `inc-${word}`),
        title: sentence,
        summary: sentence,
        nextStep: sentence,
        owner: fc.oneof(fc.constant(""), secret),
        state: fc.constantFrom<IncidentState>("open", "recovering", "closed"),
        severity: fc.constantFrom<Severity>("critical", "warning"),
        where: fc.dictionary(fc.constantFrom("origin", "pool", "node", "provider"), secret),
        acknowledged: fc.oneof(
          fc.constant(null),
          secret.map((by) => ({ by, at: AT })),
        ),
        timeline: fc.array(sentence.map((text) => ({ at: AT, kind: "grew" as const, text }))),
        told: fc.array(secret.map((to) => ({ at: AT, to, text: to }))),
        merged: fc.array(secret),
      })
      .map((changes) => sampleIncident(changes));
    fc.assert(
      fc.property(fc.array(incident, { minLength: 1, maxLength: 5 }), (incidents) => {
        const { html, rss } = statusPage(facts("failing", ...incidents), OPTIONS, AT);
        expect(html).toContain("<article");
        for (const word of ["10.1.2.3", "2001:db8", "zebra", "yak", "origin", "ada", "inc-", "aws"])
          expect(`${html}${rss}`).not.toContain(word);
      }),
    );
  });
});
