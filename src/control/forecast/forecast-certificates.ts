/**
 * Certificates that listeners show and that expire: told three weeks before, when whatever renews them should have done
 * so long ago (a third of ninety days is left at a renewal in time), more urgently in the last week, and for good when
 * one has expired. Certificates of days are told of when less than a quarter of their life is left.
 */
import type { CertificateView } from "../../contract/view.ts";
import type { Severity } from "../../contract/incident.ts";
import type { Forecaster, Foreseen } from "./forecaster.ts";
import { DAY } from "./forecaster.ts";

const EARLY_MS: number = 21 * DAY;
const LATE_MS: number = 7 * DAY;
/** Of its whole life: shorter-lived ones are renewed in hours. */
const EARLY_PART = 0.25;
const LATE_PART = 0.1;
const CERTIFICATES_MAX = 5000;

export function foreseeCertificates(): Forecaster {
  let known: { readonly at: number; readonly rows: readonly CertificateView[] } = { at: 0, rows: [] };
  return {
    hear(fact) {
      if (fact.kind !== "second" || fact.certificates === undefined) return;
      known = { at: fact.at, rows: fact.certificates.slice(0, CERTIFICATES_MAX) };
    },
    look: ({ now }) => known.rows.flatMap((row) => foreseen(row, known.at, now)),
  };
}

function foreseen(row: CertificateView, seenAt: number, now: number): Foreseen[] {
  const { listener, file, names, notBefore, notAfter } = row;
  const left = notAfter - now;
  const severity = severityOf(left, notAfter - notBefore);
  if (severity === null) return [];
  const [name = file] = names;
  const days = Math.floor(Math.abs(left) / DAY);
  const where = { listener, certificate: name };
  const text = left <= 0 ? `${file} expired ${days} days ago` : `${file} expires in ${days} days`;
  return [
    {
      id: `certificate/${listener}/${file}`,
      kind: "certificate",
      severity,
      title: left <= 0 ? `The certificate of ${name} has expired` : `The certificate of ${name} expires`,
      where,
      when: left <= 0 ? null : notAfter,
      confidence: 1,
      evidence: [
        {
          text: `${text}; it is shown for ${names.slice(0, 5).join(", ")} and was issued by ${row.issuer}.`,
          cites: [
            {
              kind: "figure",
              figure: "certificate days left",
              where,
              from: seenAt,
              to: now,
              value: Math.floor(left / DAY),
              usual: null,
              unit: "days",
            },
          ],
        },
      ],
      advice: "Renew it and put the files in place: they are read again by themselves. See why it was not renewed.",
    },
  ];
}

function severityOf(left: number, life: number): Severity | null {
  if (left <= 0) return "critical";
  if (left < Math.min(LATE_MS, life * LATE_PART)) return "critical";
  return left < Math.min(EARLY_MS, life * EARLY_PART) ? "warning" : null;
}
