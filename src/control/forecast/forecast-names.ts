/**
 * Services whose names are on no certificate that a listener shows: who comes to them by TLS is shown another's and
 * leaves, and the gateway never hears of a request. A name may be added to the configuration long before its first client.
 *
 * All listeners together count: which name is meant for which of them is not configured.
 */
import type { TopologyFact } from "../../contract/facts.ts";
import type { CertificateView } from "../../contract/view.ts";
import type { Forecaster } from "./forecaster.ts";
import { MINUTE } from "./forecaster.ts";

const TOLD_MS: number = 5 * MINUTE;
const NAMES_TOLD = 5;

export function foreseeNames(): Forecaster {
  let services: TopologyFact["services"] = [];
  let shown: { readonly at: number; readonly rows: readonly CertificateView[] } = { at: 0, rows: [] };
  return {
    hear(fact) {
      if (fact.kind === "topology") services = fact.services;
      if (fact.kind === "second" && fact.certificates !== undefined) shown = { at: fact.at, rows: fact.certificates };
    },
    look({ now }) {
      if (now - shown.at > TOLD_MS) return [];
      const covered = new Set(shown.rows.flatMap(({ names }) => names));
      return services.flatMap(({ name: service, hosts = [] }) => {
        const missing = hosts.filter((host) => isName(host) && !isCovered(host, covered));
        const [first] = missing;
        if (first === undefined) return [];
        const where = { service };
        const some = missing.slice(0, NAMES_TOLD).join(", ");
        return [
          {
            id: `certificate/names of ${service}`,
            kind: "certificate" as const,
            severity: "warning" as const,
            title: `No certificate is for ${first}${missing.length > 1 ? ` and ${missing.length - 1} more names` : ""} of ${service}`,
            where,
            when: null,
            // It may be meant for a listener without TLS alone.
            confidence: 0.7,
            evidence: [
              {
                text: `Of its hosts, ${some} ${missing.length === 1 ? "is" : "are"} on none of the ${shown.rows.length} certificates that listeners show: clients that come by TLS are shown one for another name.`,
                cites: [
                  {
                    kind: "figure" as const,
                    figure: "hosts without a certificate",
                    where,
                    from: shown.at,
                    to: now,
                    value: missing.length,
                    usual: 0,
                    unit: "hosts",
                  },
                ],
              },
            ] as const,
            advice:
              "Have a certificate issued that names it too, or let the gateway obtain one: tls: { acme: true } on the listener.",
          },
        ];
      });
    },
  };
}

/** Every name, and addresses, are asked for without SNI or with anything. */
function isName(host: string): boolean {
  return host !== "*" && !host.startsWith("[") && !/^[\d.]+$/.test(host);
}

/** A wildcard stands for one label (RFC 9525 §6.3); a pattern of ours for any number, of which one is the usual. */
function isCovered(host: string, covered: ReadonlySet<string>): boolean {
  return covered.has(host) || covered.has(`*${host.slice(host.indexOf("."))}`);
}
