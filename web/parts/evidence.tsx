/** Evidence that opens: the sentence, and behind it what it cites, each citation with the way to look for oneself. */
import type { ComponentChildren, JSX } from "preact";
import type { Citation, Evidence } from "../../src/contract/evidence.ts";
import { exchangeHref } from "../state/router.ts";
import { grouped, ratioText } from "../words/figures.ts";
import { Clock } from "./moment.tsx";
import { Tag } from "./tag.tsx";

export function EvidenceItem({ evidence }: { evidence: Evidence }): JSX.Element {
  return (
    <li>
      <details class="evidence">
        <summary>{evidence.text}</summary>
        <ul class="citations">
          {evidence.cites.map((citation, index) => (
            <li key={index}>{citationText(citation)}</li>
          ))}
        </ul>
      </details>
    </li>
  );
}

function citationText(citation: Citation): ComponentChildren {
  switch (citation.kind) {
    case "figure":
      return (
        <>
          {citation.figure} of {whereText(citation.where)}: <strong>{figureText(citation.value, citation.unit)}</strong>
          {citation.usual === null ? null : <>, usually {figureText(citation.usual, citation.unit)}</>}, from{" "}
          <Clock at={citation.from} /> to <Clock at={citation.to} />
        </>
      );
    case "exchange":
      return (
        <>
          Exchange <a href={exchangeHref(citation.id)}>{citation.id}</a> at <Clock at={citation.at} />:{" "}
          {Object.entries(citation.fields)
            .map(([name, value]) => `${name} ${value}`)
            .join(", ")}
        </>
      );
    case "change":
      return (
        <>
          Change at <Clock at={citation.at} />: {citation.text}
        </>
      );
    case "event":
      return (
        <>
          Event at <Clock at={citation.at} />: {citation.text} <code>{citation.code}</code>
        </>
      );
    case "probe":
      return (
        <>
          <Tag sign={RUNG_SIGNS[citation.result]} word={citation.result} /> Probe “{citation.rung}” at{" "}
          <Clock at={citation.at} />: {citation.text}
        </>
      );
  }
}

export const RUNG_SIGNS = { holds: ["good", "✓"], breaks: ["bad", "✕"], unknown: ["quiet", "?"] } as const;

/** `service shop, origin http://a1:3000`; `everything`. */
export function whereText(where: Readonly<Record<string, string>>): string {
  const entries = Object.entries(where);
  return entries.length === 0 ? "everything" : entries.map(([name, value]) => `${name} ${value}`).join(", ");
}

function figureText(value: number, unit: string): string {
  if (unit === "ratio") return ratioText(value);
  return `${grouped(Number(value.toPrecision(3)))} ${unit}`;
}
