/**
 * `goodgate incidents`: what is broken, for whom and why, and what a person does about it: acknowledge, write a note,
 * take over, merge, close. The same incidents and the same words as the dashboard, which asks the same paths.
 */
import type { IncidentsResponse } from "../contract/control-responses.ts";
import { citationText } from "../contract/citation-text.ts";
import { countText, durationText } from "../contract/quantities.ts";
import type { Evidence } from "../contract/evidence.ts";
import type { Hypothesis, Incident, Severity } from "../contract/incident.ts";
import type { Complaint } from "./context.ts";
import { complain, sayJson } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import type { Asked } from "./gateway-client.ts";
import { adminUrl, askGateway } from "./gateway-client.ts";
import { labelled, pageWidth, plain, wrap } from "./page.ts";
import type { CliPorts, PaintStyle, Terminal } from "./ports.ts";
import { watched } from "./watch.ts";

export interface IncidentsOptions {
  readonly open?: boolean;
  readonly watch?: boolean;
  readonly acknowledge?: boolean;
  readonly takeOver?: boolean;
  readonly note?: string;
  readonly merge?: string;
  readonly close?: string;
  readonly by?: string;
  readonly admin?: string;
  readonly json?: boolean;
}

const TONES: Readonly<Record<Severity, PaintStyle>> = { critical: "red", warning: "yellow", notice: "cyan" };

export async function incidentsCommand(
  ports: CliPorts,
  id: string | undefined,
  options: IncidentsOptions,
): Promise<ExitCode> {
  const json = options.json === true;
  const acts = actsOf(options);
  if (acts.length > 1) return complain(ports, usage("one thing at a time: choose one of the acts."), json);
  const [act] = acts;
  if (id === undefined && act !== undefined) {
    return complain(ports, usage(`say which incident:  goodgate incidents ID --${act.flag}`), json);
  }
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  if (id !== undefined && act !== undefined) return carryOut({ ports, base: base.value, id, act, options });
  return watched(ports, options, (redraw) =>
    id === undefined
      ? showList(ports, base.value, options.open === true, json, redraw)
      : showOne(ports, base.value, id, json, redraw),
  );
}

interface Act {
  readonly flag: string;
  readonly path: string;
  readonly body: Readonly<Record<string, string>>;
  readonly done: string;
}

function actsOf({ acknowledge, takeOver, note, merge, close }: IncidentsOptions): Act[] {
  return [
    acknowledge === true ? { flag: "acknowledge", path: "acknowledge", body: {}, done: "is acknowledged" } : null,
    takeOver === true ? { flag: "take-over", path: "take-over", body: {}, done: "is yours" } : null,
    note === undefined ? null : { flag: "note", path: "annotate", body: { text: note }, done: "has your note" },
    merge === undefined
      ? null
      : { flag: "merge", path: "merge", body: { into: merge }, done: `is part of ${plain(merge)}` },
    close === undefined ? null : { flag: "close", path: "close", body: { text: close }, done: "is closed" },
  ].filter((act) => act !== null);
}

async function carryOut(of: {
  readonly ports: CliPorts;
  readonly base: string;
  readonly id: string;
  readonly act: Act;
  readonly options: IncidentsOptions;
}): Promise<ExitCode> {
  const { ports, base, id, act, options } = of;
  const json = options.json === true;
  const by = options.by ?? ports.env["USER"] ?? ports.env["LOGNAME"] ?? "";
  if (by === "") return complain(ports, usage("say who you are:  --by NAME"), json);
  const path = `/incidents/${encodeURIComponent(id)}/${act.path}`;
  const asked = await askGateway<Incident>(ports, base, path, isIncident, "POST", { by, ...act.body });
  if (!asked.ok) return complain(ports, asked.complaint, json);
  if (json) sayJson(ports, asked.value);
  else ports.stdout(`${plain(id)} ${act.done}: ${plain(asked.value.title)}\n`);
  return EXIT.ok;
}

async function showList(
  ports: CliPorts,
  base: string,
  openOnly: boolean,
  json: boolean,
  redraw: string,
): Promise<ExitCode> {
  const path = openOnly ? "/incidents?state=open" : "/incidents";
  const asked = await askGateway<IncidentsResponse>(ports, base, path, (answer) => Array.isArray(answer["incidents"]));
  if (!asked.ok) return complain(ports, asked.complaint, json);
  const { incidents, now } = asked.value;
  if (json) sayJson(ports, asked.value);
  else ports.stdout(`${redraw}${listLines(incidents, now, openOnly, ports.terminal).join("\n")}\n`);
  return incidents.some(isCritical) ? EXIT.no : EXIT.ok;
}

async function showOne(ports: CliPorts, base: string, id: string, json: boolean, redraw: string): Promise<ExitCode> {
  const asked: Asked<Incident> = await askGateway(ports, base, `/incidents/${encodeURIComponent(id)}`, isIncident);
  if (!asked.ok) return complain(ports, asked.complaint, json);
  if (json) sayJson(ports, asked.value);
  else ports.stdout(`${redraw}${incidentLines(asked.value, ports.wall(), ports.terminal).join("\n")}\n`);
  return isCritical(asked.value) ? EXIT.no : EXIT.ok;
}

function listLines(incidents: readonly Incident[], now: number, openOnly: boolean, terminal: Terminal): string[] {
  const { paint } = terminal;
  const width = pageWidth(terminal);
  if (incidents.length === 0) {
    return [openOnly ? "No incident is open." : "There was no incident, as far back as is remembered."];
  }
  return incidents.flatMap((incident, index) => [
    ...(index === 0 ? [] : [""]),
    ...wrap(plain(incident.title), width).map((line) => paint("bold", line)),
    `  ${stateText(incident, now, terminal)}`,
    ...wrap(`${causeText(incident)} · ${impactText(incident)}`, width - 2).map((line) => `  ${line}`),
    paint("dim", `  goodgate incidents ${plain(incident.id)}`),
  ]);
}

function incidentLines(incident: Incident, now: number, terminal: Terminal): string[] {
  const { paint } = terminal;
  const width = pageWidth(terminal);
  const told = incident.told.map(({ at, to, text }) => ({ label: "told", text: plain(`${clock(at)} ${to}: ${text}`) }));
  const rows = [
    { label: "cause", text: causeText(incident) },
    { label: "where", text: whereText(incident) },
    { label: "impact", text: impactText(incident) },
    ...(incident.nextStep === "" ? [] : [{ label: "next", text: plain(incident.nextStep) }]),
    ...(incident.acknowledged === null
      ? []
      : [{ label: "seen by", text: plain(`${incident.acknowledged.by}, ${clock(incident.acknowledged.at)}`) }]),
    ...(incident.owner === "" ? [] : [{ label: "owner", text: plain(incident.owner) }]),
    ...(incident.parent === "" ? [] : [{ label: "part of", text: plain(incident.parent) }]),
    ...told,
  ];
  return [
    ...wrap(plain(incident.title), width).map((line) => paint("bold", line)),
    stateText(incident, now, terminal),
    "",
    ...wrap(plain(incident.summary), width),
    "",
    ...labelled(rows, width, (label) => paint("cyan", label)),
    "",
    paint("bold", incident.hypotheses.length === 1 ? "What it is" : "What it may be"),
    ...incident.hypotheses.flatMap((hypothesis) => hypothesisLines(hypothesis, terminal, width)),
    "",
    paint("bold", "What happened"),
    ...labelled(
      incident.timeline.map(({ at, text }) => ({ label: clock(at), text: plain(text) })),
      width,
      (label) => paint("dim", label),
    ),
    "",
    paint("dim", "Times are UTC."),
  ];
}

function hypothesisLines(hypothesis: Hypothesis, { paint }: Terminal, width: number): string[] {
  const { claim, cause, party, confidence } = hypothesis;
  const what = `${cause ?? "something else"}${party === null ? "" : `, at fault: ${party}`}, ${Math.round(confidence * 100)} %`;
  const line = (label: string, { text, cites }: Evidence): string[] =>
    wrap(plain(`${label} ${text} [${cites.map(citationText).join("; ")}]`), width - 4).map((part) => `    ${part}`);
  return [
    ...wrap(plain(`${claim} (${what})`), width - 2).map((part) => `  ${part}`),
    ...hypothesis.for.flatMap((evidence) => line("+", evidence)),
    ...hypothesis.against.flatMap((evidence) => line("−", evidence)),
    ...(hypothesis.tellApart === ""
      ? []
      : wrap(plain(`would tell: ${hypothesis.tellApart}`), width - 4).map((part) => paint("dim", `    ${part}`))),
  ];
}

function stateText(incident: Incident, now: number, { paint }: Terminal): string {
  const { state, severity, firstFailureAt, recoveredAt } = incident;
  const lasted = durationText(Math.max(1, Math.round(((recoveredAt ?? now) - firstFailureAt) / 1000)) * 1_000_000);
  const isOver = state === "closed" || state === "merged";
  const words = isOver ? `${state}, lasted ${lasted}` : `${state} for ${lasted}`;
  const text = `${severity}, ${words}, since ${clock(firstFailureAt)}`;
  return isOver ? text : paint(TONES[severity], text);
}

function causeText({ cause, party, verdict }: Incident): string {
  if (verdict !== "decided" || cause === null) return `cause: ${verdict === "decided" ? "undecided" : verdict}`;
  return `${cause}${party === null ? "" : `, at fault: ${party}`}`;
}

function whereText({ where }: Incident): string {
  const parts = Object.entries(where).map(([dimension, value]) => `${dimension} ${value}`);
  return parts.length === 0 ? "everywhere" : plain(parts.join(", "));
}

function impactText({ impact }: Incident): string {
  return `${impact.failed} failed, ${impact.rescued} rescued of ${countText(impact.exchanges, "exchange")}`;
}

function clock(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

function isCritical({ severity, state }: Incident): boolean {
  return severity === "critical" && state === "open";
}

function isIncident(answer: Record<string, unknown>): boolean {
  return Array.isArray(answer["hypotheses"]);
}

function usage(message: string): Complaint {
  return { code: "usage", exit: EXIT.usage, message, hints: ["All of it:  goodgate incidents --help"] };
}
