/**
 * Who is told of which incident, when, and how often: a state machine over incidents and time. It sends nothing;
 * it says what is to be sent, and is told how that went.
 *
 * The rules, and why they are these:
 *
 * - One disturbance is one incident already, so one incident is one message to each sink, however many symptoms it
 *   has. It waits `waitMs` before the first one, in which it may still grow, be merged or be over.
 * - What is part of another incident (`parent`, `merged`) is told with that one and not by itself. Who had been
 *   told of it hears what it was merged into.
 * - Silences, quiet hours and acknowledgements hold back the telling of trouble, never of its end: whoever was told
 *   that something is broken is told that it is over, with how long and how bad it was. Muted recoveries are the
 *   classic complaint about such machines.
 * - Nor do they hold back that somebody has taken it: that ends the search for somebody, here and at a sink that
 *   escalates by itself.
 * - A sink that several routes name hears of an incident once: by the first that told it, and by that until the end.
 * - What was held back and still goes on when the reason ends is told then. What was over before then is not told.
 * - Repeats and escalation stop when a person acknowledges or takes over.
 * - The state is plain data, and each delivery has a key that is the same after a restart, so nobody hears twice.
 */
import type { Silence } from "../contract/control-port.ts";
import type { Incident, Severity } from "../contract/incident.ts";
import { matchesIncident, silenceFor } from "./alert-match.ts";
import type { AlertMatch } from "./alert-match.ts";
import { isQuiet } from "./quiet-hours.ts";
import type { QuietHours } from "./quiet-hours.ts";

export interface AlertRoute {
  readonly name: string;
  readonly match: AlertMatch;
  /** Names of sinks. */
  readonly to: readonly string[];
  /** After the first sight of an incident, ms. */
  readonly waitMs: number;
  /** Between two messages about the same incident that goes on unchanged, ms. 0: told once. */
  readonly repeatMs: number;
  /** Null: none. `critical` is told at any hour. */
  readonly quiet: QuietHours | null;
  /** In order of time. */
  readonly escalate: readonly { readonly afterMs: number; readonly to: readonly string[] }[];
  /** True: routes behind it are asked too. */
  readonly goesOn: boolean;
}

export type AlertKind = "open" | "update" | "repeat" | "escalate" | "taken" | "recovered";

export interface Delivery {
  /** The same for the same message, also after a restart. */
  readonly key: string;
  readonly incident: Incident;
  readonly sink: string;
  readonly route: string;
  readonly what: AlertKind;
  readonly firstServices: readonly string[];
}

/** What was not sent, and why: shown, so that nobody wonders. Told once for each incident, route and reason. */
export interface Withheld {
  readonly incident: string;
  readonly sink: string;
  readonly reason: "silenced" | "quiet hours";
  readonly detail: string;
}

export interface AlertStep {
  readonly deliveries: readonly Delivery[];
  readonly withheld: readonly Withheld[];
}

/** One incident under one route. */
export interface Track {
  readonly route: string;
  readonly seenAt: number;
  readonly toldAt: number | null;
  readonly toldSeverity: Severity | null;
  readonly toldCause: string;
  readonly messages: number;
  readonly escalated: number;
  /** Who has taken it, as its sinks were told; empty: they were not. */
  readonly takenBy: string;
  /** Sinks that were told and so hear the end. */
  readonly sinks: readonly string[];
  /** Those that were touched when it was told first; empty: it was not told yet, or none was. */
  readonly services: readonly string[];
  readonly held: "" | "silenced" | "quiet hours";
  readonly over: boolean;
}

export interface AlertState {
  readonly version: 1;
  /** Incident id → its tracks. At most `INCIDENTS_MAX`, those that are over go first. */
  readonly tracks: Readonly<Record<string, readonly Track[]>>;
}

const INCIDENTS_MAX = 1000;
/** A message because something changed comes at most this often. */
const UPDATE_EVERY_MS = 60_000;
const RANK: Readonly<Record<Severity, number>> = { notice: 0, warning: 1, critical: 2 };

export class AlertRouting {
  readonly #routes: readonly AlertRoute[];
  #tracks = new Map<string, Track[]>();
  /** The latest of each incident that is not over for everybody. */
  readonly #incidents = new Map<string, Incident>();
  /** Incidents whose tracks are not as they were. */
  readonly #changed = new Set<string>();

  constructor(routes: readonly AlertRoute[], saved: AlertState | null = null) {
    this.#routes = routes;
    for (const [id, tracks] of Object.entries(saved?.tracks ?? {})) {
      // A route that is no longer configured tells no more of trouble; who was told by it is told of its end.
      const kept = tracks.filter((track) => track.toldAt !== null || routes.some(({ name }) => name === track.route));
      if (kept.length > 0) this.#tracks.set(id, [...kept]);
    }
  }

  save(): AlertState {
    return { version: 1, tracks: Object.fromEntries(this.#tracks) };
  }

  /** What is to be kept of the incidents that went on since this was asked. */
  takeChanged(): readonly { readonly id: string; readonly tracks: readonly Track[] }[] {
    const changed = [...this.#changed].map((id) => ({ id, tracks: this.#tracks.get(id) ?? [] }));
    this.#changed.clear();
    return changed;
  }

  /** Incidents that somebody was told of, or may be, and whose end was not seen: to be heard again after a restart. */
  unfinished(): readonly string[] {
    return [...this.#tracks].filter(([, tracks]) => tracks.some(({ over }) => !over)).map(([id]) => id);
  }

  /** An incident as it is now. */
  hear(incident: Incident, silences: readonly Silence[], now: number): AlertStep {
    this.#incidents.set(incident.id, incident);
    return this.#settle([incident], silences, now);
  }

  /** To be called every second or so. */
  tick(silences: readonly Silence[], now: number): AlertStep {
    return this.#settle([...this.#incidents.values()], silences, now);
  }

  #settle(incidents: readonly Incident[], silences: readonly Silence[], now: number): AlertStep {
    const deliveries: Delivery[] = [];
    const withheld: Withheld[] = [];
    for (const incident of incidents) {
      const tracks = this.#tracksOf(incident, now);
      for (const [index, track] of tracks.entries()) {
        if (track.over) continue;
        const route = this.#routes.find(({ name }) => name === track.route) ?? null;
        const others = new Set(tracks.flatMap((other) => (other === track ? [] : other.sinks)));
        const services = tracks.find((other) => other.services.length > 0)?.services ?? incident.services;
        const settled = settle({ incident, services, route, track, others, silences, now, deliveries, withheld });
        if (settled === track) continue;
        tracks[index] = settled;
        this.#changed.add(incident.id);
      }
      if (isOver(incident) && tracks.every(({ over }) => over)) this.#incidents.delete(incident.id);
    }
    this.#bound();
    return { deliveries, withheld };
  }

  /** Routes are asked in order; the first that matches takes the incident, unless it goes on. */
  #tracksOf(incident: Incident, now: number): Track[] {
    const tracks = this.#tracks.get(incident.id) ?? [];
    this.#tracks.set(incident.id, tracks);
    for (const route of this.#routes) {
      const has = tracks.some((track) => track.route === route.name);
      const matches = matchesIncident(route.match, incident);
      // Who was told stays in it, whatever the incident turns into.
      if (matches && !has) {
        tracks.push(newTrack(route.name, now));
        this.#changed.add(incident.id);
      }
      if ((matches || has) && !route.goesOn) break;
    }
    return tracks;
  }

  #bound(): void {
    if (this.#tracks.size <= INCIDENTS_MAX) return;
    const ids = [...this.#tracks.keys()].sort(
      (one, other) => Number(this.#incidents.has(one)) - Number(this.#incidents.has(other)),
    );
    for (const id of ids.slice(0, this.#tracks.size - INCIDENTS_MAX)) {
      this.#tracks.delete(id);
      this.#incidents.delete(id);
    }
  }
}

interface Settling {
  readonly incident: Incident;
  /** As somebody was told of them first. */
  readonly services: readonly string[];
  /** Null: it is not configured any more. */
  readonly route: AlertRoute | null;
  readonly track: Track;
  /** Sinks that hear of this incident by another route. */
  readonly others: ReadonlySet<string>;
  readonly silences: readonly Silence[];
  readonly now: number;
  readonly deliveries: Delivery[];
  readonly withheld: Withheld[];
}

function settle(of: Settling): Track {
  const { incident, route, track, now } = of;
  if (isOver(incident)) return end(of);
  const taker = takerOf(incident);
  if (taker !== "" && taker !== track.takenBy && track.sinks.length > 0) {
    tell(of, "taken", track.sinks);
    return { ...track, takenBy: taker, messages: track.messages + 1 };
  }
  if (route === null || incident.parent !== "" || incident.state === "recovering") return track;
  if (now - track.seenAt < route.waitMs) return track;
  const what = dueNow(of, route);
  if (what === null) return track;
  const held = heldBack(of, route);
  if (held !== null) {
    if (track.held === held.reason) return track;
    for (const sink of route.to) {
      if (!of.others.has(sink)) of.withheld.push({ incident: incident.id, sink, ...held });
    }
    return { ...track, held: held.reason };
  }
  const named = what === "escalate" ? (route.escalate[track.escalated]?.to ?? []) : route.to;
  const sinks = named.filter((sink) => !of.others.has(sink));
  // That nobody reacts is news to those who hear of it otherwise too.
  tell(of, what, what === "escalate" ? named : [...new Set([...sinks, ...track.sinks])]);
  return {
    ...track,
    held: "",
    toldAt: what === "escalate" ? track.toldAt : now,
    toldSeverity: incident.severity,
    toldCause: incident.cause ?? "",
    messages: track.messages + 1,
    escalated: track.escalated + Number(what === "escalate"),
    sinks: [...new Set([...track.sinks, ...sinks])],
    services: of.services,
  };
}

function dueNow({ incident, track, now }: Settling, route: AlertRoute): AlertKind | null {
  if (track.toldAt === null || track.toldSeverity === null) return "open";
  const isTaken = takerOf(incident) !== "";
  const step = route.escalate[track.escalated];
  if (!isTaken && step !== undefined && now - incident.detectedAt >= step.afterMs) return "escalate";
  // That it is worse, or that its cause is known now, is news; that it is better is told at its end.
  const isNews =
    RANK[incident.severity] > RANK[track.toldSeverity] ||
    (incident.cause !== null && incident.cause !== track.toldCause);
  if (isNews && now - track.toldAt >= UPDATE_EVERY_MS) return "update";
  if (!isTaken && route.repeatMs > 0 && now - track.toldAt >= route.repeatMs) return "repeat";
  return null;
}

function heldBack(
  { incident, silences, now }: Settling,
  route: AlertRoute,
): Pick<Withheld, "reason" | "detail"> | null {
  const silence = silenceFor(silences, incident, now);
  if (silence !== null) {
    return { reason: "silenced", detail: `${silence.by}: ${silence.reason}` };
  }
  if (route.quiet !== null && incident.severity !== "critical" && isQuiet(route.quiet, now)) {
    return { reason: "quiet hours", detail: `until the quiet hours of route ${route.name} end` };
  }
  return null;
}

function end(of: Settling): Track {
  const { track } = of;
  if (track.toldAt !== null) tell(of, "recovered", track.sinks);
  return { ...track, over: true, held: "" };
}

function tell({ incident, services, track, deliveries }: Settling, what: AlertKind, sinks: readonly string[]): void {
  for (const sink of sinks) {
    deliveries.push({
      key: `${incident.id}/${track.route}/${sink}/${what}/${track.messages}`,
      incident,
      sink,
      route: track.route,
      what,
      firstServices: services,
    });
  }
}

/** Who looks after it; empty: nobody is known to. */
function takerOf({ owner, acknowledged }: Incident): string {
  return owner === "" ? (acknowledged?.by ?? "") : owner;
}

/** Merged ones are over for those who were told: what goes on has another name now, which the message says. */
function isOver({ state }: Incident): boolean {
  return state === "closed" || state === "merged";
}

function newTrack(route: string, now: number): Track {
  return {
    route,
    seenAt: now,
    toldAt: null,
    toldSeverity: null,
    toldCause: "",
    messages: 0,
    escalated: 0,
    takenBy: "",
    sinks: [],
    services: [],
    held: "",
    over: false,
  };
}
