/**
 * Certificates that listeners and origins show and that expire, or one above them: told three weeks before, when whatever
 * renews them should have done so long ago (a third of ninety days is left at a renewal in time), more urgently in the
 * last week, and for good when one has expired. Certificates of days are told of when less than a quarter of their life
 * is left. And those of listeners that are shown without what issued them.
 */
import type { OriginCertificateRow } from "../../contract/facts.ts";
import type { CertificateView } from "../../contract/view.ts";
import type { Severity } from "../../contract/incident.ts";
import type { Forecaster, Foreseen } from "./forecaster.ts";
import { DAY, MINUTE } from "./forecaster.ts";

const EARLY_MS: number = 21 * DAY;
const LATE_MS: number = 7 * DAY;
/** Of its whole life: shorter-lived ones are renewed in hours. */
const EARLY_PART = 0.25;
const LATE_PART = 0.1;
const CERTIFICATES_MAX = 5000;
/** They are told once a minute: what was not for longer is shown no more. */
const TOLD_MS: number = 5 * MINUTE;

interface Known<Row> {
  readonly at: number;
  readonly rows: readonly Row[];
}

export function foreseeCertificates(): Forecaster {
  let shown: Known<CertificateView> = { at: 0, rows: [] };
  let ofOrigins: Known<OriginCertificateRow> = { at: 0, rows: [] };
  return {
    hear(fact) {
      if (fact.kind !== "second") return;
      const { at, certificates, originCertificates } = fact;
      if (certificates !== undefined) shown = { at, rows: certificates.slice(0, CERTIFICATES_MAX) };
      if (originCertificates !== undefined) ofOrigins = { at, rows: originCertificates.slice(0, CERTIFICATES_MAX) };
    },
    look: ({ now }) => [
      ...rowsOf(shown, now).flatMap((row) => [...ofListener(row, shown.at, now), ...cutChain(row, shown.at, now)]),
      ...soonest(rowsOf(ofOrigins, now)).flatMap((row) => ofOrigin(row, ofOrigins.at, now)),
    ],
  };
}

function rowsOf<Row>({ at, rows }: Known<Row>, now: number): readonly Row[] {
  return now - at > TOLD_MS ? [] : rows;
}

/** Of the addresses of an origin, the one whose certificate ends first: one that was left behind is the usual mistake. */
function soonest(rows: readonly OriginCertificateRow[]): OriginCertificateRow[] {
  const byOrigin = new Map<string, OriginCertificateRow>();
  for (const row of rows) {
    const key = `${row.service}\n${row.origin}`;
    const known = byOrigin.get(key);
    if (known === undefined || endOf(row) < endOf(known)) byOrigin.set(key, row);
  }
  return [...byOrigin.values()];
}

/** A chain is as good as the certificate in it that ends first. */
function endOf({ notAfter, chainUntil }: Pick<OriginCertificateRow, "notAfter" | "chainUntil">): number {
  return chainUntil === 0 ? notAfter : Math.min(notAfter, chainUntil);
}

function ofOrigin(row: OriginCertificateRow, seenAt: number, now: number): Foreseen[] {
  const { service, pool, origin, address, names, issuer } = row;
  const end = endOf(row);
  const above = end < row.notAfter ? " A certificate above it ends before it." : "";
  return foreseen({
    id: `certificate/${service}/${origin}`,
    name: origin,
    life: end - row.notBefore,
    end,
    where: { service, pool, origin },
    text: (when) => `What ${address} shows ${when}; it is for ${listOf(names)} and was issued by ${issuer}.${above}`,
    advice: "Renew it at the origin and let its server load it: each address shows its own until then.",
    seenAt,
    now,
  });
}

function ofListener(row: CertificateView, seenAt: number, now: number): Foreseen[] {
  const { listener, file, names, issuer, notBefore, notAfter } = row;
  const [name = file] = names;
  const end = endOf(row);
  const above = end < notAfter ? " A certificate above it ends before it." : "";
  return foreseen({
    id: `certificate/${listener}/${file}`,
    name,
    life: end - notBefore,
    end,
    where: { listener, certificate: name },
    text: (when) => `${file} ${when}; it is shown for ${listOf(names)} and was issued by ${issuer}.${above}`,
    advice: "Renew it and put the files in place: they are read again by themselves. See why it was not renewed.",
    seenAt,
    now,
  });
}

/** Whoever puts the certificate alone into the file sees no fault in a browser, which fetches or remembers the rest. */
function cutChain({ listener, file, names, issuer, isChainCut }: CertificateView, at: number, now: number): Foreseen[] {
  if (!isChainCut) return [];
  const [name = file] = names;
  const where = { listener, certificate: name };
  return [
    {
      id: `certificate/${listener}/${file}/chain`,
      kind: "certificate",
      severity: "warning",
      title: `The certificate of ${name} is shown without its chain`,
      where,
      when: null,
      confidence: 0.9,
      evidence: [
        {
          text: `${file} holds no certificate of ${issuer}, which issued it. Browsers may know that one; programs, phones and other servers refuse the connection.`,
          cites: [
            {
              kind: "figure",
              figure: "certificates above it",
              where,
              from: at,
              to: now,
              value: 0,
              usual: 1,
              unit: "certificates",
            },
          ],
        },
      ],
      advice: "Use the file with the whole chain (fullchain.pem of most issuers).",
    },
  ];
}

function listOf(names: readonly string[]): string {
  return names.slice(0, 5).join(", ");
}

interface Ending {
  readonly id: string;
  /** Whose it is. */
  readonly name: string;
  readonly life: number;
  readonly end: number;
  readonly where: Readonly<Record<string, string>>;
  readonly text: (when: string) => string;
  readonly advice: string;
  readonly seenAt: number;
  readonly now: number;
}

function foreseen({ id, name, life, end, where, text, advice, seenAt, now }: Ending): Foreseen[] {
  const left = end - now;
  const severity = severityOf(left, life);
  if (severity === null) return [];
  const days = Math.floor(Math.abs(left) / DAY);
  return [
    {
      id,
      kind: "certificate",
      severity,
      title: left <= 0 ? `The certificate of ${name} has expired` : `The certificate of ${name} expires`,
      where,
      when: left <= 0 ? null : end,
      confidence: 1,
      evidence: [
        {
          text: text(left <= 0 ? `expired ${days} days ago` : `expires in ${days} days`),
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
      advice,
    },
  ];
}

function severityOf(left: number, life: number): Severity | null {
  if (left <= 0) return "critical";
  if (left < Math.min(LATE_MS, life * LATE_PART)) return "critical";
  return left < Math.min(EARLY_MS, life * EARLY_PART) ? "warning" : null;
}
