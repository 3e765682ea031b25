/**
 * One incident while it lives: what it is about, what was seen since, and how it stands. A state machine of four states:
 * open while something is wrong, recovering when nothing has been for ten seconds, closed when that lasts, merged into another one.
 * A disturbance that comes back within ten minutes is the same one.
 *
 * How long it has to last: half a minute, or a quarter of one when traffic has proven it, with as many good exchanges at each place
 * that failed as leave next to no doubt. What was said to be over and came back has to last twice as long each time.
 */
import type { EventFact, ProbeFact, SecondFact, TopologyFact } from "../contract/facts.ts";
import type { Incident, IncidentState, Severity, TimelineEntry } from "../contract/incident.ts";
import { createCase, addSecond } from "./case.ts";
import type { Case } from "./case.ts";
import { diagnose } from "./diagnosis.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { addHarm, createHarm, impactOf } from "./impact.ts";
import type { Harm } from "./impact.ts";
import { countGood, isAfterwards, isHeldOut, isProven, isWellThoughOut, stillOut } from "./proven.ts";
import { percentText, recoveryText, stillOutText, summaryText, thisHourText, titleText } from "./incident-words.ts";
import { signsOf } from "./signs.ts";
import { CRASH_LOOP } from "./crash-watch.ts";
import type { Anomaly, AnomalyKind } from "./anomaly.ts";
import type { Watches } from "./watches.ts";

export interface Track {
  readonly id: string;
  state: IncidentState;
  case: Case;
  readonly harm: Harm;
  readonly services: Set<string>;
  readonly kinds: Set<AnomalyKind>;
  readonly keys: Set<string>;
  anomalies: Anomaly[];
  firstFailureAt: number;
  readonly detectedAt: number;
  lastBadAt: number;
  /** When anything was wrong beyond an origin that is kept out. */
  lastHarmAt: number;
  recoveredAt: number | null;
  closedAt: number | null;
  diagnosis: Diagnosis;
  diagnosedAt: number;
  severity: Severity;
  /** A budget burns so fast that somebody has to be woken. */
  pages: string;
  /** What is usual at the hour in which it began, as a sentence; empty: nobody knows. */
  readonly thisHour: string;
  readonly timeline: TimelineEntry[];
  acknowledged: Incident["acknowledged"];
  owner: string;
  readonly merged: string[];
  parent: string;
  /** Automation acted at this moment; its effect is looked at a little later. Epoch ms; 0: nothing to look at. */
  effectDueAt: number;
  reopened: number;
  /** How often it was said to be over, and came back. */
  returns: number;
  /** The last time that it did; 0: never. */
  cameBackAt: number;
  /** Good attempts by address and good exchanges by service since the last bad one there. */
  readonly good: Map<string, number>;
  /** A person closed it, or it was split off: not to be opened again by itself. */
  isSettled: boolean;
}

const QUIET_RECOVERS_MS = 10_000;
const QUIET_CLOSES_MS = 30_000;
const PROVEN_CLOSES_MS = 15_000;
const QUIET_MOST_MS = 120_000;
/** What brings it back has been there for a little before it is noticed. */
const CAME_BACK_MS = 5_000;
const TIMELINE_MAX = 120;
const DIAGNOSE_OFTEN_MS = 30_000;
const DIAGNOSE_EVERY_MS = 5_000;
const EFFECT_AFTER_MS = 6_000;
/** Failing clients are critical from this part of exchanges on. */
const CRITICAL_RATIO = 0.01;

/** `endedAt`: when another incident of its services ended, epoch ms; what was before that was that one's. 0: there is none. */
export function createTrack(
  id: string,
  first: readonly Anomaly[],
  now: number,
  surroundings: Surroundings,
  endedAt = 0,
): Track {
  const firstFailureAt = Math.min(...first.map(({ since }) => since));
  const track: Track = {
    id,
    state: "open",
    case: createCase(Math.max(firstFailureAt - LOOK_BACK_MS, endedAt)),
    harm: createHarm(),
    services: new Set(),
    kinds: new Set(),
    keys: new Set(),
    anomalies: [],
    firstFailureAt,
    detectedAt: now,
    lastBadAt: now,
    lastHarmAt: now,
    recoveredAt: null,
    closedAt: null,
    diagnosis: EMPTY,
    diagnosedAt: 0,
    severity: "notice",
    pages: "",
    thisHour: first.map((anomaly) => thisHourText(anomaly, surroundings.watches)).find((text) => text !== "") ?? "",
    timeline: [],
    acknowledged: null,
    owner: "",
    merged: [],
    parent: "",
    effectDueAt: 0,
    reopened: 0,
    returns: 0,
    cameBackAt: 0,
    good: new Map(),
    isSettled: false,
  };
  for (const anomaly of first) joinAnomaly(track, anomaly, now);
  for (const { facts } of surroundings.recent)
    if ((facts[0]?.at ?? 0) >= track.case.from) addFacts(track, facts, surroundings);
  note(track, firstFailureAt, "first failure", "The first sign of it.");
  const laterS = Math.max(0, Math.round((now - firstFailureAt) / 1000));
  note(track, now, "detected", `Noticed ${laterS} s later.${track.thisHour}`);
  return track;
}

/** What a track needs of its surroundings. */
export interface Surroundings {
  readonly watches: Watches;
  readonly topology: TopologyFact["services"];
  /** The last minute and a half. */
  readonly recent: readonly { readonly facts: readonly SecondFact[] }[];
}

const LOOK_BACK_MS = 15_000;

export function joinAnomaly(track: Track, anomaly: Anomaly, now: number): void {
  if (track.keys.has(anomaly.key)) return;
  track.keys.add(anomaly.key);
  track.kinds.add(anomaly.kind);
  if (anomaly.service === "" || track.services.has(anomaly.service)) return;
  const isFirst = track.services.size === 0;
  track.services.add(anomaly.service);
  if (!isFirst) note(track, now, "grew", `It is seen at ${anomaly.service} as well.`);
}

export function addFacts(track: Track, facts: readonly SecondFact[], { watches }: Surroundings): void {
  // What is diagnosed is the time while it went on.
  if (track.state === "open") for (const fact of facts) addSecond(track.case, fact, watches);
  countGood(track, facts);
  const at = facts[0]?.at ?? 0;
  if (at + 1000 > track.firstFailureAt) addHarm(track.harm, facts, track.services, watches);
}

/** Concludes anew, when it is time to. True when something that people would want to know is different. */
export function conclude(track: Track, now: number, surroundings: Surroundings): boolean {
  const often = now - track.detectedAt <= DIAGNOSE_OFTEN_MS;
  if (!often && now - track.diagnosedAt < DIAGNOSE_EVERY_MS && track.state === "open") return false;
  track.diagnosedAt = now;
  const before = track.diagnosis;
  track.diagnosis = diagnose(
    signsOf({
      case: track.case,
      watches: surroundings.watches,
      topology: surroundings.topology,
      services: track.services,
      anomalies: track.anomalies,
      kinds: track.kinds,
      firstFailureAt: track.firstFailureAt,
      isOver: track.state !== "open",
    }),
  );
  const severity = severityOf(track);
  const isNew =
    before.cause !== track.diagnosis.cause || before.verdict !== track.diagnosis.verdict || severity !== track.severity;
  if (before !== EMPTY && (before.cause !== track.diagnosis.cause || before.verdict !== track.diagnosis.verdict))
    note(track, now, "verdict", verdictText(track.diagnosis));
  // What was critical once stays so until it is over: an alert must not come and go.
  if (RANK[severity] > RANK[track.severity]) track.severity = severity;
  return isNew;
}

const RANK: Readonly<Record<Severity, number>> = { notice: 0, warning: 1, critical: 2 };

function severityOf({ harm, diagnosis, pages, kinds }: Track): Severity {
  if (diagnosis.party === "client") return "notice";
  const ratio = harm.recentExchanges > 0 ? harm.recentFailed / harm.recentExchanges : 0;
  if (pages !== "" || (harm.failed >= 5 && ratio >= CRITICAL_RATIO) || kinds.has("silence")) return "critical";
  return harm.failed > 0 || harm.rescued >= 5 || OWN.some((kind) => kinds.has(kind)) ? "warning" : "notice";
}

/** Of the gateway itself: nobody fails yet, and somebody has to look. */
const OWN: readonly AnomalyKind[] = ["stall", "wall", "crash"];

/** Whether it goes on, by what was seen in this second. True when its state is another one. */
export function advance(track: Track, now: number, active: readonly Anomaly[], surroundings: Surroundings): boolean {
  const { watches } = surroundings;
  track.anomalies = active.filter((anomaly) => !isAfterwards(anomaly, track, watches));
  if (track.anomalies.some(({ kind, rests }) => kind !== "out" && rests !== "nothing new")) track.lastHarmAt = now;
  if (track.anomalies.length > 0 || (track.state === "open" && isHeldOut(track, watches))) {
    track.lastBadAt = now;
    if (track.state === "recovering") {
      track.state = "open";
      track.recoveredAt = null;
      track.returns += 1;
      track.cameBackAt = now;
      note(track, now, "grew", "It is back.");
      return true;
    }
    return false;
  }
  const quietMs = now - track.lastBadAt;
  if (track.state === "open" && quietMs >= QUIET_RECOVERS_MS) {
    track.state = "recovering";
    track.recoveredAt = lastFailureOf(track, watches);
    conclude(track, now, surroundings);
    const impact = impactOf(track.harm, surroundings.topology, watches);
    const over = recoveryText(track.firstFailureAt, track.recoveredAt, impact);
    note(track, track.recoveredAt, "recovered", `${over}${stillOutText(stillOut(track, watches))}`);
    return true;
  }
  if (track.state === "recovering" && quietMs >= quietNeededMs(track, watches)) {
    track.state = "closed";
    track.closedAt = now;
    note(track, now, "closed", `Nothing wrong was seen since.${stillOutText(stillOut(track, watches))}`);
    return true;
  }
  return false;
}

function quietNeededMs(track: Track, watches: Watches): number {
  if (track.returns === 0 && isProven(track, watches)) return PROVEN_CLOSES_MS;
  return Math.min(QUIET_MOST_MS, QUIET_CLOSES_MS * 2 ** track.returns);
}

/** When the last thing went wrong: alarms last a little longer than what they are about. */
function lastFailureOf(track: Track, watches: Watches): number {
  const { case: seen, services } = track;
  let last = track.firstFailureAt;
  for (const { at, service, bad } of seen.seconds)
    if (bad > 0 && services.has(service)) last = Math.max(last, at + 1000);
  for (const [key, { service, lastFailureAt }] of seen.addresses) {
    if (!services.has(service)) continue;
    const outAt = isWellThoughOut(track, key, watches) ? 0 : (watches.addresses.get(key)?.lastOutAt ?? 0);
    last = Math.max(last, lastFailureAt, outAt);
  }
  if (track.kinds.has("slow") || track.kinds.has("slow origin"))
    for (const { service, lastSlowAt } of seen.routes.values())
      if (services.has(service)) last = Math.max(last, lastSlowAt);
  // Nothing has failed, or nothing since it came back: something else was wrong, and lasted for as long as it was seen.
  return last > Math.max(track.firstFailureAt, track.cameBackAt - CAME_BACK_MS)
    ? Math.min(last, track.lastBadAt)
    : track.lastBadAt;
}

/** Opens a closed one again. */
export function reopen(track: Track, now: number): void {
  track.state = "open";
  track.recoveredAt = null;
  track.closedAt = null;
  track.reopened += 1;
  track.returns += 1;
  track.cameBackAt = now;
  track.lastBadAt = now;
  note(track, now, "grew", "It came back.");
}

/** It is not opened again: what it was diagnosed from is let go, which is most of what it holds. */
export function letGo(track: Track): void {
  track.case = createCase(track.case.to);
  track.good.clear();
  track.anomalies = [];
}

/** What automation did, and later what became of it. */
export function heed(track: Track, fact: EventFact): boolean {
  const { at, event } = fact;
  if (event.kind === "gateway") return heedWorker(track, fact);
  const text = actionText(event);
  if (text === null) return false;
  if (track.timeline.some((entry) => entry.kind === "automation" && entry.text === text)) return false;
  note(track, at, "automation", text);
  if (track.effectDueAt === 0) track.effectDueAt = at + EFFECT_AFTER_MS;
  return true;
}

/** The first end of each in a loop says what is done about it; the others say the same. */
function heedWorker(track: Track, { node, worker, at, event }: EventFact): boolean {
  if (event.kind !== "gateway" || !track.kinds.has("crash")) return false;
  const who = `Worker ${worker} of ${node}`;
  const isLoop = event.code === CRASH_LOOP;
  if (!isLoop && event.code !== "worker.running") return false;
  if (isLoop && track.timeline.some(({ kind, text }) => kind === "automation" && text.startsWith(`${who}: `)))
    return false;
  note(track, at, isLoop ? "automation" : "effect", `${who}: ${event.detail}.`);
  return true;
}

export function lookAtEffect(track: Track, now: number): boolean {
  if (track.effectDueAt === 0 || now < track.effectDueAt) return false;
  const after = failedRatio(track, track.effectDueAt - EFFECT_AFTER_MS + 1000, now);
  const before = failedRatio(track, track.firstFailureAt, track.effectDueAt - EFFECT_AFTER_MS);
  const mended = mendedSince(track, track.effectDueAt - EFFECT_AFTER_MS);
  track.effectDueAt = 0;
  if (before === null || before <= 0) return false;
  const text =
    after === null
      ? "Whether what the gateway did helped cannot be said: nobody has asked since."
      : after < before * 0.8 && mended !== ""
        ? `It is better: ${percentText(before)} of the exchanges failed before, ${percentText(after)} since. Whether what the gateway did helped cannot be said: ${mended}.`
        : after < before * 0.2
          ? `What the gateway did helped: ${percentText(before)} of the exchanges failed before it, ${percentText(after)} since.`
          : after < before * 0.8
            ? `What the gateway did helped in part: ${percentText(before)} of the exchanges failed before it, ${percentText(after)} since.`
            : `What the gateway did is no help: ${percentText(after)} of the exchanges fail.`;
  note(track, now, "effect", text);
  return true;
}

/** What somebody else did to it meanwhile; empty: nothing is known. */
function mendedSince({ case: seen }: Track, from: number): string {
  const change = seen.changes.find(({ at }) => at >= from);
  if (change !== undefined) return `at the same time came “${change.text}”`;
  const back = seen.events.find(({ at, event }) => at >= from && event.kind === "origin" && isBack(event.state));
  return back?.event.kind === "origin" ? `${back.event.address} works again by itself` : "";
}

function isBack(state: string): boolean {
  return state === "up" || state === "ramping";
}

export function heedProbe(track: Track, probe: ProbeFact): void {
  note(track, probe.at, "probe", probe.located === "" ? `The ladder at ${probe.origin} says nothing.` : probe.located);
}

export function note(track: Track, at: number, kind: TimelineEntry["kind"], text: string): void {
  track.timeline.push({ at, kind, text });
  track.timeline.sort((a, b) => a.at - b.at);
  // Beginning and end say most.
  if (track.timeline.length > TIMELINE_MAX) track.timeline.splice(TIMELINE_MAX / 2, 1);
}

export function toIncident(track: Track, surroundings: Pick<Surroundings, "watches" | "topology">): Incident {
  const { diagnosis } = track;
  const impact = impactOf(track.harm, surroundings.topology, surroundings.watches);
  const services = [...track.services].toSorted();
  const [best] = diagnosis.hypotheses;
  return {
    id: track.id,
    state: track.state,
    severity: track.severity,
    title: titleText(diagnosis, services, track.kinds),
    summary:
      track.recoveredAt === null
        ? summaryText(diagnosis, services, impact, track.timeline, track.thisHour)
        : `${summaryText(diagnosis, services, impact, [], track.thisHour)} ${recoveryText(track.firstFailureAt, track.recoveredAt, impact)}`,
    services,
    where: diagnosis.where,
    cause: diagnosis.cause,
    party: diagnosis.party,
    verdict: diagnosis.verdict,
    hypotheses: diagnosis.hypotheses,
    firstFailureAt: track.firstFailureAt,
    detectedAt: track.detectedAt,
    recoveredAt: track.recoveredAt,
    closedAt: track.closedAt,
    impact,
    timeline: [...track.timeline],
    nextStep:
      track.recoveredAt !== null
        ? "It is over; see whether the cause can be removed before it comes again."
        : diagnosis.verdict === "undecided" && best.tellApart !== ""
          ? best.tellApart
          : best.firstStep,
    acknowledged: track.acknowledged,
    owner: track.owner,
    merged: [...track.merged],
    parent: track.parent,
    told: [],
  };
}

function verdictText({ verdict, hypotheses }: Diagnosis): string {
  const [best, second] = hypotheses;
  if (verdict === "decided") return best.claim;
  if (verdict === "undecided" && second !== undefined) return `Undecided: ${best.claim} Or: ${second.claim}`;
  return "Not enough evidence for any cause.";
}

function actionText(event: EventFact["event"]): string | null {
  switch (event.kind) {
    case "origin":
      if (event.state === "up") return `${event.address} is used again.`;
      return event.state === "ejected" || event.state === "down"
        ? `${event.address} was taken out: ${event.because}.`
        : null;
    case "pool":
      return `Pool ${event.to} comes before ${event.from} now: ${event.because}.`;
    case "spill":
      return `Traffic is spread anew (${event.shares.map(({ pool, share }) => `${pool} ${Math.round(share * 100)} %`).join(", ")}): ${event.because}.`;
    case "fail-open":
      return event.state === "begin" ? `Pool ${event.pool} is used though it fails: ${event.because}.` : null;
    case "disagreement":
    case "resolution":
    case "gateway":
      return null;
  }
}

/** Null: nobody asked. */
function failedRatio(track: Track, from: number, to: number): number | null {
  let failed = 0;
  let all = 0;
  for (const second of track.case.seconds) {
    if (second.at < from || second.at >= to || !track.services.has(second.service)) continue;
    failed += second.failed;
    all += second.exchanges;
  }
  return all === 0 ? null : failed / all;
}

const EMPTY: Diagnosis = {
  verdict: "not enough evidence",
  cause: null,
  party: null,
  where: {},
  hypotheses: [
    {
      cause: null,
      party: null,
      claim: "Not enough evidence for any cause.",
      confidence: 0.5,
      for: [
        {
          text: "It has only just begun.",
          cites: [
            { kind: "figure", figure: "failures", where: {}, from: 0, to: 0, value: 0, usual: null, unit: "exchanges" },
          ],
        },
      ],
      against: [],
      tellApart: "",
      firstStep: "Wait for more of it to be seen.",
    },
  ],
};
