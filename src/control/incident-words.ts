/** What an incident says to people: its headline, two sentences for somebody woken at night, and how it went once it is over. */
import { countText, durationText } from "../contract/quantities.ts";
import type { Incident, Impact, TimelineEntry } from "../contract/incident.ts";
import { titleOf } from "./claim.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { RatioWatch } from "./change-point.ts";
import type { Anomaly, AnomalyKind } from "./anomaly.ts";
import type { Watches } from "./watches.ts";

/** "Pool aws of shop: A provider or region is out". */
export function titleText(diagnosis: Diagnosis, services: readonly string[], kinds: ReadonlySet<AnomalyKind>): string {
  const [best] = diagnosis.hypotheses;
  const place = placeText(diagnosis.where, services);
  if (diagnosis.verdict === "decided" && best.cause !== null) {
    const claim = firstUpper(best.claim.replace(/\.$/, ""));
    if (saysWhere(claim, diagnosis.where)) return claim;
    // A node or a worker is not of a service.
    const isOwn = "node" in diagnosis.where || "worker" in diagnosis.where;
    return `${isOwn ? placeText(diagnosis.where, []) : place}: ${claim}`;
  }
  const { service, ...rest } = diagnosis.where;
  const areSeveral = services.length > 1 && Object.keys(rest).length === 0 && !services.includes(service ?? "");
  return `${place} ${symptomText(kinds, areSeveral)}, ${diagnosis.verdict === "undecided" ? "cause undecided" : "cause not known yet"}`;
}

/** "The origins have more work than they can do in time" is true of every service: which one it is has to be said. */
function saysWhere(claim: string, where: Diagnosis["where"]): boolean {
  // A worker is told by its number and its node: "edge-1/2".
  const parts = Object.entries(where).flatMap(([name, value]) => value.split(name === "worker" ? /, |\// : ", "));
  // What is at no place of its own (the machine, its resolver) needs none.
  return parts.every((part) => part === "") || parts.some((part) => hasWord(claim, part));
}

function hasWord(text: string, word: string): boolean {
  if (word === "") return false;
  const at = text.toLowerCase().indexOf(word.toLowerCase());
  const [before, after] = [text[at - 1] ?? " ", text[at + word.length] ?? " "];
  // "a" is no word of "fails"; of a name that is in another one as well, what follows tells.
  if (at >= 0 && !/\w/.test(before + after)) return true;
  return at >= 0 && hasWord(text.slice(at + 1), word);
}

export function summaryText(
  diagnosis: Diagnosis,
  services: readonly string[],
  impact: Impact,
  timeline: readonly TimelineEntry[],
  thisHour: string,
): string {
  const harm =
    impact.failed > 0
      ? `${countText(impact.failed, "exchange")} of ${servicesText(services)} failed (${partText(impact.failed, impact.exchanges)})${impact.rescued > 0 ? `, ${impact.rescued} more were rescued` : ""}.`
      : impact.rescued > 0
        ? `No exchange of ${servicesText(services)} failed; ${countText(impact.rescued, "exchange")} would have and ${impact.rescued === 1 ? "was" : "were"} rescued.`
        : services.length === 0
          ? "No exchange is known to have failed by it."
          : `No exchange of ${servicesText(services)} failed.`;
  return `${causeSentence(diagnosis)} ${harm}${thisHour}${automationText(timeline)}`;
}

/** " At this hour usually 0.4 % of the exchanges of shop fail; now it is 3 %." Empty: what is usual at this hour is not known. */
export function thisHourText({ kind, service, where }: Anomaly, watches: Watches): string {
  const route = where["route"] ?? null;
  const expected = watches.seasons.thisHour(service, route);
  const of = route === null ? watches.services.get(service) : watches.routes.get(`${service}\n${route}`);
  const place = route === null ? service : `${route} (${service})`;
  if (kind === "failed" && of !== undefined && expected.failed !== null)
    return ` At this hour usually ${fewText(expected.failed.usual)} of the exchanges of ${place} fail; now it is ${nowText(of.failed)}.`;
  const whole = watches.services.get(service);
  if (kind === "rescued" && whole !== undefined && expected.rescued !== null)
    return ` At this hour usually ${fewText(expected.rescued.usual)} of the exchanges of ${place} have to be rescued; now it is ${nowText(whole.rescued)}.`;
  if (kind === "slow" && of !== undefined && expected.p95 !== null)
    return ` At this hour 95 % of the answers of ${place} usually take up to ${durationText(expected.p95.usual)}; now ${nowText(of.normal.slow)} take more than twice as long.`;
  return "";
}

function nowText({ alarmBad, alarmTotal }: RatioWatch): string {
  return percentText(alarmTotal > 0 ? alarmBad / alarmTotal : 0);
}

function fewText(ratio: number): string {
  return ratio < 0.0005 ? "next to none" : percentText(ratio);
}

/** "Over after 3 min 5 s: 12 exchanges failed, 340 were rescued." */
export function recoveryText(firstFailureAt: number, recoveredAt: number, impact: Impact): string {
  const lasted = durationText(Math.max(0, recoveredAt - firstFailureAt) * 1000);
  const spent = Object.entries(impact.budgetSpent)
    .filter(([, part]) => part > 0.0005)
    .map(([service, part]) => `${percentText(part)} of the error budget of ${service}`);
  const latency =
    impact.latencyP95Ms !== null && impact.latencyP95Ms.worst > impact.latencyP95Ms.before * 1.5
      ? ` The 95th percentile rose from ${durationText(impact.latencyP95Ms.before * 1000)} to ${durationText(impact.latencyP95Ms.worst * 1000)}.`
      : "";
  return `Over after ${lasted}: ${countText(impact.failed, "exchange")} failed (${partText(impact.failed, impact.exchanges)}), ${impact.rescued} ${impact.rescued === 1 ? "was" : "were"} rescued${spent.length > 0 ? `, ${spent.join(", ")} spent` : ""}.${latency}`;
}

/** " 10.0.0.1:80 is still out of use, and is tried again by itself." */
export function stillOutText(addresses: readonly string[]): string {
  if (addresses.length === 0) return "";
  const [are, them] =
    addresses.length === 1 ? ["is", "is tried again by itself"] : ["are", "are tried again by themselves"];
  return ` ${addresses.join(", ")} ${are} still out of use, and ${them}.`;
}

export function placeText(where: Incident["where"], services: readonly string[]): string {
  const parts = Object.entries(where).filter(([dimension]) => dimension !== "service");
  const service = where["service"] ?? servicesText(services);
  const [last] = parts.slice(-1);
  if (last === undefined) return firstUpper(service === "" ? "the gateway" : service);
  return firstUpper(`${last[0]} ${last[1]}${service === "" ? "" : ` of ${service}`}`);
}

export function firstUpper(text: string): string {
  // An address or a path is not a word.
  return /^[a-z][a-z]* /.test(text) ? `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}` : text;
}

export function percentText(ratio: number): string {
  return ratio > 0 && ratio < 0.001 ? "less than 0.1 %" : `${Math.round(ratio * 1000) / 10} %`;
}

function partText(some: number, all: number): string {
  return percentText(all > 0 ? some / all : 0);
}

function symptomText(kinds: ReadonlySet<AnomalyKind>, areSeveral: boolean): string {
  const say = (one: string, several: string): string => (areSeveral ? several : one);
  if (kinds.has("crash")) return say("crashes again and again", "crash again and again");
  if (kinds.has("failed")) return say("fails requests", "fail requests");
  if (kinds.has("rescued") || kinds.has("attempts")) return say("fails attempts", "fail attempts");
  if (kinds.has("slow") || kinds.has("slow origin")) return say("is slow", "are slow");
  if (kinds.has("silence")) return say("is not asked any more", "are not asked any more");
  if (kinds.has("left")) return say("loses clients before their answer", "lose clients before their answer");
  if (kinds.has("names")) return say("has names that cannot be resolved", "have names that cannot be resolved");
  return say("behaves unusually", "behave unusually");
}

function causeSentence({ verdict, hypotheses, cause }: Diagnosis): string {
  const [best, second] = hypotheses;
  if (verdict === "decided" && cause !== null) {
    const title = titleOf(cause);
    const claim = best.claim.replace(/\.$/, "");
    return claim.toLowerCase().includes(title.toLowerCase())
      ? `${claim}.`
      : `${claim} (${title[0]?.toLowerCase() ?? ""}${title.slice(1)}).`;
  }
  if (verdict === "undecided" && second !== undefined)
    return `Undecided between two: ${lowerFirst(best.claim)} Or: ${lowerFirst(second.claim)}`;
  return "What was seen does not say why.";
}

function lowerFirst(text: string): string {
  return /^[A-Z][a-z]/.test(text) ? `${text[0]?.toLowerCase() ?? ""}${text.slice(1)}` : text;
}

function automationText(timeline: readonly TimelineEntry[]): string {
  const last =
    timeline.findLast(({ kind }) => kind === "effect") ?? timeline.findLast(({ kind }) => kind === "automation");
  return last === undefined ? "" : ` ${last.text}`;
}

function servicesText(services: readonly string[]): string {
  if (services.length <= 2) return services.join(" and ");
  return `${services.slice(0, 2).join(", ")} and ${services.length - 2} more`;
}
