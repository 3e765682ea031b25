/**
 * A draft of a postmortem in Markdown: everything about an incident that is on record, in the order in which people
 * tell it, and gaps where only people know. It blames nobody: it names parties, not persons, except who acted.
 */
import { citationText } from "./citation-text.ts";
import type { Evidence } from "./evidence.ts";
import type { Hypothesis, Incident } from "./incident.ts";
import { durationText } from "./quantities.ts";

export function writePostmortem(incident: Incident): string {
  const { impact } = incident;
  const end = incident.recoveredAt;
  const lines = [
    `# ${escape(incident.title)}`,
    "",
    `Incident ${incident.id} · ${incident.severity} · ${incident.state} · times are UTC`,
    "",
    "## Summary",
    "",
    escape(incident.summary),
    "",
    "| | |",
    "| --- | --- |",
    `| First failure | ${moment(incident.firstFailureAt)} |`,
    `| Detected | ${moment(incident.detectedAt)} (${span(incident.firstFailureAt, incident.detectedAt)} later) |`,
    `| Recovered | ${end === null ? "not yet" : `${moment(end)} (after ${span(incident.firstFailureAt, end)})`} |`,
    `| Where | ${escape(whereText(incident.where))} |`,
    `| Cause | ${incident.cause ?? "undecided"}${incident.party === null ? "" : `, ${incident.party}`} |`,
    "",
    "## Impact",
    "",
    `- ${impact.failed} exchanges failed and ${impact.rescued} were rescued, of ${impact.exchanges} in all.`,
    ...Object.entries(impact.failedByClass).map(([name, count]) => `- Failed in class ${escape(name)}: ${count}.`),
    `- Client networks that saw failures: ${impact.clientNetworks}${impact.clientNetworksMore ? " or more" : ""}.`,
    ...Object.entries(impact.budgetSpent).map(
      ([service, part]) => `- Part of the 30-day error budget of ${escape(service)} that it spent: ${percent(part)}.`,
    ),
    ...(impact.latencyP95Ms === null
      ? []
      : [
          `- p95 of the durations: ${impact.latencyP95Ms.before} ms before, ${impact.latencyP95Ms.worst} ms at its worst.`,
        ]),
    "",
    "## Timeline",
    "",
    "| Time | | What |",
    "| --- | --- | --- |",
    ...incident.timeline.map(({ at, kind, text }) => `| ${moment(at)} | ${kind} | ${escape(text)} |`),
    "",
    "## What it was",
    "",
    ...incident.hypotheses.flatMap(hypothesisLines),
    "## What was done",
    "",
    ...(incident.told.length === 0
      ? ["- Nobody was told."]
      : incident.told.map(({ at, to, text }) => `- ${moment(at)}: ${escape(to)} was told: ${escape(text)}`)),
    ...(incident.acknowledged === null
      ? []
      : [`- ${moment(incident.acknowledged.at)}: ${escape(incident.acknowledged.by)} acknowledged.`]),
    ...(incident.owner === "" ? [] : [`- ${escape(incident.owner)} took over.`]),
    "",
    "## For people to fill in",
    "",
    "- What made it possible, beyond what broke:",
    "- What went well, and where we were lucky:",
    "- What we change, who does it, by when:",
    "",
  ];
  return lines.join("\n");
}

function hypothesisLines(hypothesis: Hypothesis, index: number): string[] {
  return [
    `${index + 1}. **${escape(hypothesis.claim)}** (${hypothesis.cause ?? "something else"}, ${percent(hypothesis.confidence)})`,
    ...hypothesis.for.map((evidence) => `   - for: ${evidenceText(evidence)}`),
    ...hypothesis.against.map((evidence) => `   - against: ${evidenceText(evidence)}`),
    ...(hypothesis.tellApart === "" ? [] : [`   - would tell: ${escape(hypothesis.tellApart)}`]),
    "",
  ];
}

function evidenceText({ text, cites }: Evidence): string {
  return `${escape(text)} [${escape(cites.map(citationText).join("; "))}]`;
}

function whereText(where: Incident["where"]): string {
  const parts = Object.entries(where).map(([dimension, value]) => `${dimension} ${value}`);
  return parts.length === 0 ? "everywhere" : parts.join(", ");
}

function moment(at: number): string {
  return new Date(at)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, "");
}

function span(from: number, to: number): string {
  return durationText(Math.max(0, to - from) * 1000);
}

function percent(part: number): string {
  return `${rounded(part * 100)} %`;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Texts may hold what came over the wire; in Markdown they must stay text, in a table in their cell, and harmless on a terminal. */
function escape(text: string): string {
  return text
    .replace(/[\\`*_[\]<>|#]/g, (sign) => `\\${sign}`)
    .replace(/\s+/g, " ")
    .replace(/[\p{Cc}\p{Cf}]/gu, "\u{fffd}");
}
