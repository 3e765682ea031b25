/**
 * What is said about an incident, in words for a person who is not at the screen: what is broken and for whom, or that
 * it is over, how long it was and how bad. One text for all sinks; each shapes it.
 */
import type { AlertMessage } from "../contract/alerts.ts";
import type { Incident } from "../contract/incident.ts";
import { countText, durationText } from "../contract/quantities.ts";
import type { Delivery } from "./alert-routing.ts";

const PREFIXES: Readonly<Record<Exclude<Delivery["what"], "taken" | "recovered">, string>> = {
  open: "",
  update: "Update: ",
  repeat: "Still: ",
  escalate: "Nobody has reacted: ",
};

export function alertMessage(
  { key, incident, sink, what, firstServices }: Delivery,
  node: string,
  now: number,
): AlertMessage {
  const isOver = what === "recovered";
  const into = incident.state === "merged" ? incident.parent : "";
  const endedAt = incident.recoveredAt ?? incident.closedAt ?? now;
  return {
    key,
    thread: `${incident.id}/${sink}`,
    what,
    isTest: false,
    incident: incident.id,
    severity: incident.severity,
    headline: isOver
      ? endHeadline(incident, into, endedAt)
      : `${what === "taken" ? takenPrefix(incident) : PREFIXES[what]}[${incident.severity}] ${incident.title}`,
    text: isOver ? endText(incident, into, endedAt) : incident.summary,
    nextStep: isOver ? "" : incident.nextStep,
    facts: factsOf(incident, isOver ? endedAt : null),
    services: incident.services,
    firstServices,
    where: incident.where,
    cause: incident.cause ?? "",
    party: incident.party ?? "unknown",
    node,
    at: now,
    startsAt: incident.firstFailureAt,
    endsAt: isOver ? endedAt : null,
  };
}

export function testMessage(sink: string, by: string, node: string, now: number, number: string): AlertMessage {
  const key = `test/${sink}/${number}`;
  return {
    key,
    thread: key,
    what: "open",
    isTest: true,
    incident: `test-${number}`,
    severity: "notice",
    headline: `Test of sink ${sink}: nothing is broken`,
    text: `${by} asked Goodgate to send this, to see that messages arrive. There is nothing to do.`,
    nextStep: "",
    facts: [{ name: "gateway", value: node }],
    services: [],
    firstServices: [],
    where: {},
    cause: "",
    party: "unknown",
    node,
    at: now,
    startsAt: now,
    endsAt: null,
  };
}

/** A sink that fails is told through the others. */
export function sinkMessage(
  about: { readonly sink: string; readonly kind: string; readonly because: string; readonly since: number },
  isOver: boolean,
  { to, node, now }: { readonly to: string; readonly node: string; readonly now: number },
): AlertMessage {
  const { sink, kind, because, since } = about;
  const incident = `sink-${sink}-${since}`;
  const lasted = spanText(since, now);
  return {
    key: `${incident}/${to}/${isOver ? "recovered" : "open"}`,
    thread: `${incident}/${to}`,
    what: isOver ? "recovered" : "open",
    isTest: false,
    incident,
    severity: "warning",
    headline: isOver ? `Over after ${lasted}: sink ${sink} fails` : `[warning] Messages do not reach sink ${sink}`,
    text: isOver
      ? `Messages reach ${sink} (${kind}) again. Those that waited are being delivered.`
      : `Alerts for ${sink} (${kind}) cannot be delivered: ${because}. They wait and are tried again.`,
    nextStep: isOver ? "" : `See what is wrong, then try it: goodgate alerts test ${sink}`,
    facts: [{ name: "gateway", value: node }],
    services: [],
    firstServices: [],
    where: { sink },
    cause: "",
    party: "unknown",
    node,
    at: now,
    startsAt: since,
    endsAt: isOver ? now : null,
  };
}

function takenPrefix({ owner, acknowledged }: Incident): string {
  return owner === "" ? `${acknowledged?.by ?? "somebody"} has seen it: ` : `${owner} takes care of it: `;
}

function endHeadline({ title, firstFailureAt }: Incident, into: string, endedAt: number): string {
  return into === ""
    ? `Over after ${spanText(firstFailureAt, endedAt)}: ${title}`
    : `Part of another incident (${into}) now: ${title}`;
}

function endText(incident: Incident, into: string, endedAt: number): string {
  if (into !== "")
    return `What was told as ${incident.id} has one cause with ${into}, and is told with that one from now on.`;
  const { firstFailureAt, impact } = incident;
  const budget = Object.entries(impact.budgetSpent)
    .filter(([, part]) => part > 0)
    .map(([service, part]) => `${percentText(part)} of the error budget of ${service}`);
  return [
    `It lasted ${spanText(firstFailureAt, endedAt)}, from ${clockText(firstFailureAt)} to ${clockText(endedAt)}.`,
    `${harmText(incident)}.`,
    ...(budget.length === 0 ? [] : [`It spent ${budget.join(" and ")}.`]),
  ].join(" ");
}

function factsOf(incident: Incident, endedAt: number | null): AlertMessage["facts"] {
  const { where, cause, party, verdict, firstFailureAt, owner, acknowledged } = incident;
  const place = Object.entries(where).map(([name, value]) => `${name} ${value}`);
  return [
    {
      name: "cause",
      value: verdict === "decided" && cause !== null ? cause : verdict === "decided" ? "undecided" : verdict,
    },
    ...(party === null ? [] : [{ name: "at fault", value: party }]),
    ...(place.length === 0 ? [] : [{ name: "where", value: place.join(", ") }]),
    { name: "impact", value: harmText(incident) },
    { name: "since", value: clockText(firstFailureAt) },
    ...(endedAt === null ? [] : [{ name: "until", value: clockText(endedAt) }]),
    ...(acknowledged === null ? [] : [{ name: "seen by", value: acknowledged.by }]),
    ...(owner === "" ? [] : [{ name: "owner", value: owner }]),
    { name: "incident", value: incident.id },
  ];
}

function harmText({ impact }: Incident): string {
  const { failed, rescued, exchanges } = impact;
  return `${failed} failed and ${rescued} rescued of ${countText(exchanges, "exchange")}`;
}

function percentText(part: number): string {
  const percent = part * 100;
  return `${percent >= 10 ? Math.round(percent) : Number(percent.toPrecision(2))} %`;
}

function spanText(from: number, to: number): string {
  return durationText(Math.max(1, Math.round((to - from) / 1000)) * 1_000_000);
}

function clockText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
