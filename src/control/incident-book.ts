/**
 * All incidents: which anomaly belongs to which, when a new one is opened, when two are one. One disturbance is one incident,
 * whatever the number of its symptoms: anomalies are joined by place (the same service, origins of the same provider), by time
 * (they begin within seconds of each other) and by a common cause (names, the gateway itself).
 *
 * Not opened for: clients' own faults, a defence that does what it is for, an origin that is taken out in peace (a deploy),
 * what a drill breaks where it runs.
 */
import type { ChangeFact, EventFact, PersonFact, ProbeFact, SecondFact, TopologyFact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import { durationText } from "../contract/quantities.ts";
import type { Anomaly, AnomalyKind } from "./anomaly.ts";
import { addChange, addCounts, addEvent, addProbe } from "./case.ts";
import type { CauseCounts } from "./case.ts";
import { CrashWatch } from "./crash-watch.ts";
import {
  LATE,
  addOwn,
  areOne,
  concerns,
  isAboutNames,
  isElsewhere,
  isLive,
  isOfCrashes,
  isOnlyNames,
  merge,
  troublesOfCase,
  wheresOf,
} from "./incident-kinship.ts";
import {
  addFacts,
  advance,
  conclude,
  createTrack,
  heed,
  heedProbe,
  joinAnomaly,
  letGo,
  lookAtEffect,
  note,
  reopen,
  toIncident,
} from "./incident-track.ts";
import type { Track } from "./incident-track.ts";
import { isAfterwards } from "./proven.ts";
import { areOfOtherKinds, troublesOf } from "./trouble.ts";
import type { Watches } from "./watches.ts";

interface Recent {
  readonly facts: readonly SecondFact[];
  readonly at: number;
}

const RECENT_S = 90;
const CHANGES_KEPT_MS = 600_000;
const REOPEN_MS = 600_000;
const TOGETHER_MS = 15_000;
const INCIDENTS_MAX = 500;
const OPEN_MAX = 20;
const TELL_EVERY_MS = 10_000;
const DRILL_MAX_MS = 30 * 60_000;
const OVER_MS = 10_000;
/** So much sooner or later another version of the engine may notice the same. */
const SAME_MS = 60_000;

export class IncidentBook {
  readonly watches: Watches;
  topology: TopologyFact["services"] = [];
  readonly #tracks: Track[] = [];
  /** Closed in an earlier life, newest last. */
  readonly #past: Incident[] = [];
  readonly #recent: Recent[] = [];
  readonly #changes: ChangeFact[] = [];
  readonly #events: EventFact[] = [];
  readonly #crashes = new CrashWatch();
  readonly #told = new Map<string, number>();
  #ids = 0;
  #known: readonly Incident[] = [];

  constructor(watches: Watches) {
    this.watches = watches;
  }

  /** A service that is disturbed teaches nothing of what is usual; one that was noticed only is learned after half an hour. */
  learns(service: string, now: number): boolean {
    return !this.#tracks.some(
      (track) =>
        (track.state === "open" || track.state === "recovering") &&
        (track.services.has(service) || (track.services.size === 0 && !isOfCrashes(track))) &&
        !(track.severity === "notice" && now - track.detectedAt > LEARN_AGAIN_MS),
    );
  }

  /** Whether an incident tells of what fails at a service now. One that a burning budget alone has opened does not say what. */
  tellsOf(service: string): boolean {
    return this.#tracks.some(
      (track) =>
        isLive(track) &&
        (track.services.has(service) || (track.services.size === 0 && !isOfCrashes(track))) &&
        [...track.kinds].some((kind) => kind !== "budget"),
    );
  }

  /**
   * One second of facts. `budget`: what burns and is told by no incident; `pages`: the rules by which budgets of services burn so fast
   * that somebody has to be woken. Returns the incidents of which there is something to tell.
   */
  second(
    facts: readonly SecondFact[],
    now: number,
    budget: readonly Anomaly[],
    pages: ReadonlyMap<string, string>,
  ): Incident[] {
    this.#recent.push({ facts, at: facts[0]?.at ?? now });
    if (this.#recent.length > RECENT_S) this.#recent.shift();
    const changed = new Set<Track>();
    const anomalies = [...this.watches.anomalies(), ...this.#crashes.anomalies(now), ...budget];
    for (const track of this.#live()) addFacts(track, facts, this.#surroundings());
    const active = new Map<Track, Anomaly[]>();
    // Failures first: what goes with them (an origin that is out, answers that are late) joins what they opened.
    for (const anomaly of anomalies.toSorted((a, b) => ORDER[a.kind] - ORDER[b.kind] || (a.key < b.key ? -1 : 1))) {
      if (this.#isToldAsWell(anomaly, now)) continue;
      const track = this.#home(anomaly, anomalies, now, changed) ?? this.#open(anomaly, anomalies, now, changed);
      if (track === null) continue;
      const list = active.get(track);
      if (list === undefined) active.set(track, [anomaly]);
      else list.push(anomaly);
    }
    for (const track of this.#live()) {
      for (const service of track.services) track.pages ||= pages.get(service) ?? "";
      const surroundings = this.#surroundings();
      if (advance(track, now, active.get(track) ?? [], surroundings)) changed.add(track);
      if (track.state === "open" && conclude(track, now, surroundings)) changed.add(track);
      if (lookAtEffect(track, now)) changed.add(track);
    }
    this.#mergeAlike(now, changed);
    for (const track of this.#tracks) if (isSpent(track, now)) letGo(track);
    return this.#toTell(changed, now);
  }

  event(fact: EventFact): Incident[] {
    this.#events.push(fact);
    if (this.#events.length > EVENTS_MAX) this.#events.shift();
    const changed = new Set<Track>();
    const { event } = fact;
    this.#crashes.heed(fact);
    if (event.kind === "resolution")
      this.watches.lookAtName(event.service, event.origin, fact.at, event.because !== "");
    for (const track of this.#live()) {
      if (!concerns(track, event)) continue;
      addEvent(track.case, fact);
      if (heed(track, fact)) changed.add(track);
    }
    return this.#toTell(changed, fact.at);
  }

  change(fact: ChangeFact): Incident[] {
    this.#changes.push(fact);
    while ((this.#changes[0]?.at ?? fact.at) < fact.at - CHANGES_KEPT_MS || this.#changes.length > CHANGES_MAX)
      this.#changes.shift();
    const changed = new Set<Track>();
    for (const track of this.#live()) {
      const { service } = fact.where;
      if (service !== undefined && !track.services.has(service)) continue;
      // Each life of a worker in a loop begins with one.
      if (fact.what === "gateway started" && isOfCrashes(track)) continue;
      addChange(track.case, fact);
      note(track, fact.at, "change", `${fact.text}${fact.by === "" ? "" : `, by ${fact.by}`}.`);
      changed.add(track);
    }
    return this.#toTell(changed, fact.at);
  }

  probe(fact: ProbeFact): Incident[] {
    const changed = new Set<Track>();
    for (const track of this.#live()) {
      if (!track.services.has(fact.service)) continue;
      addProbe(track.case, fact);
      heedProbe(track, fact);
      track.diagnosedAt = 0;
      changed.add(track);
    }
    return this.#toTell(changed, fact.at);
  }

  /** Why a person cannot do that; empty: they can. */
  refusal({ incident, act }: PersonFact): string {
    const track = this.#tracks.find(({ id }) => id === incident);
    if (track === undefined) return `there is no incident ${incident} that can still be changed`;
    if (track.state === "merged" && act.do !== "annotate") return `${incident} is part of ${track.parent}`;
    if (act.do === "merge") {
      const into = this.#tracks.find(({ id }) => id === act.into);
      if (into === undefined || into === track || into.state === "merged")
        return `there is no incident ${act.into} to merge it into`;
    }
    if (act.do === "split") {
      if (!isLive(track)) return `${incident} is ${track.state} already`;
      const { service } = act.where;
      if (service === undefined || !track.services.has(service) || track.services.size < 2)
        return "an incident is split by one of its services, when it has more than one";
    }
    return act.do === "close" && !isLive(track) ? `${incident} is ${track.state} already` : "";
  }

  /** What a person did. What cannot be done is passed over: whoever told it asked before. */
  act(fact: PersonFact): Incident[] {
    const { at, by, act } = fact;
    const track = this.#tracks.find(({ id }) => id === fact.incident);
    if (track === undefined || this.refusal(fact) !== "") return [];
    const changed = new Set<Track>([track]);
    switch (act.do) {
      case "acknowledge":
        track.acknowledged ??= { by, at };
        note(track, at, "person", `${by} acknowledged it.`);
        break;
      case "take over":
        track.owner = by;
        track.acknowledged ??= { by, at };
        note(track, at, "person", `${by} took it over.`);
        break;
      case "annotate":
        note(track, at, "person", `${by}: ${act.text}`);
        break;
      case "close":
        track.state = "closed";
        track.recoveredAt ??= at;
        track.closedAt = at;
        track.isSettled = true;
        note(track, at, "closed", `${by} closed it${act.text === "" ? "" : `: ${act.text}`}.`);
        break;
      case "merge": {
        const into = this.#tracks.find(({ id }) => id === act.into);
        if (into === undefined) break;
        merge(track, into, at, `${by} merged ${track.id} into it.`);
        changed.add(into);
        break;
      }
      case "split":
        changed.add(this.#split(track, act.where["service"] ?? "", by, at));
    }
    return this.#toTell(changed, at);
  }

  incidents(state: "open" | "closed" | undefined, limit: number): Incident[] {
    const all = [...this.#past, ...this.#tracks.map((track) => toIncident(track, this))].toSorted(
      (a, b) => b.firstFailureAt - a.firstFailureAt || (a.id < b.id ? 1 : -1),
    );
    const isOpen = ({ state: its }: Incident): boolean => its === "open" || its === "recovering";
    return all.filter((incident) => state === undefined || isOpen(incident) === (state === "open")).slice(0, limit);
  }

  incident(id: string): Incident | null {
    const track = this.#tracks.find((one) => one.id === id);
    return track === undefined ? (this.#past.find((one) => one.id === id) ?? null) : toIncident(track, this);
  }

  /**
   * The clock was set back: what is live would wait for a time that comes again much later, so it ends in words; what goes
   * on is noticed anew within a second.
   */
  goBack(byMs: number): Incident[] {
    const ended = this.#live();
    for (const track of ended) {
      track.state = "closed";
      track.closedAt = track.lastBadAt;
      note(
        track,
        track.lastBadAt,
        "closed",
        `The clock of the gateway was set back by ${durationText(byMs * 1000)}; what goes on after that is another incident.`,
      );
    }
    for (const track of this.#tracks) track.isSettled = true;
    this.#crashes.goBack(byMs);
    this.#recent.length = 0;
    this.#told.clear();
    this.#changes.splice(0, Infinity, ...this.#changes.map((fact) => ({ ...fact, at: fact.at - byMs })));
    this.#events.splice(0, Infinity, ...this.#events.map((fact) => ({ ...fact, at: fact.at - byMs })));
    return ended.map((track) => toIncident(track, this));
  }

  /** What cannot go on after a restart is closed in words: its case is gone, its watches learn anew. */
  restore(incidents: readonly Incident[], ids: number): void {
    for (const incident of incidents.slice(-INCIDENTS_MAX)) this.#past.push(incident);
    this.#ids = ids;
  }

  /** Those that the facts led to which are told again now; empty: they are new. */
  recall(known: readonly Incident[]): void {
    this.#known = known;
  }

  /** How many there have been. */
  get ids(): number {
    return this.#ids;
  }

  #live(): Track[] {
    return this.#tracks.filter(({ state }) => state === "open" || state === "recovering");
  }

  /** The incident that an anomaly belongs to. */
  #home(anomaly: Anomaly, all: readonly Anomaly[], now: number, changed: Set<Track>): Track | null {
    const live = this.#live().filter((track) => !this.#isBesideItsEnd(anomaly, all, track, now));
    for (const track of live) if (track.keys.has(anomaly.key)) return track;
    // Whoever has the service already, before whoever would get it: what a person took apart stays apart.
    const fits =
      (anomaly.service === "" ? undefined : live.find(({ services }) => services.has(anomaly.service))) ??
      live.find((track) => this.#belongs(anomaly, track));
    if (fits !== undefined) {
      const before = fits.services.size;
      joinAnomaly(fits, anomaly, now);
      if (fits.services.size > before) changed.add(fits);
      return fits;
    }
    // What comes back within a while is the same one, not the next.
    const back = this.#tracks.findLast(
      (track) =>
        track.state === "closed" &&
        !track.isSettled &&
        now - (track.closedAt ?? 0) <= REOPEN_MS &&
        anomaly.kind !== "out" &&
        !isElsewhere(anomaly, wheresOf(anomaly, all), track) &&
        !this.#isAnotherKind(anomaly, track) &&
        (track.keys.has(anomaly.key) || (track.services.has(anomaly.service) && track.kinds.has(anomaly.kind))),
    );
    if (back === undefined || !this.#isWorth(anomaly, now)) return null;
    joinAnomaly(back, anomaly, now);
    reopen(back, now);
    changed.add(back);
    return back;
  }

  /** What an incident was about is over for now, and this began later at another place: it is no part of it, and would keep it open. */
  #isBesideItsEnd(anomaly: Anomaly, all: readonly Anomaly[], track: Track, now: number): boolean {
    // While nothing but an ejection keeps it open, it is over as well.
    const overAt = track.recoveredAt ?? (now - track.lastHarmAt >= OVER_MS ? track.lastHarmAt : Infinity);
    if (anomaly.since < overAt) return false;
    if (isElsewhere(anomaly, this.#placesOf(anomaly, all), track)) return true;
    // An origin that is kept out may fail in another way on its return.
    return track.state === "recovering" && this.#isAnotherKind(anomaly, track);
  }

  /** What failed before and what fails now have other kinds of causes, or the one was no slowness and the other is nothing else. */
  #isAnotherKind({ kind, service, since }: Anomaly, track: Track): boolean {
    if (service === "") return false;
    const before = troublesOfCase(track, service);
    const counts: CauseCounts = {};
    for (const { facts, at } of this.#recent) {
      if (at < since) continue;
      for (const { origins, failures } of facts) {
        for (const row of origins) if (row.service === service) addCounts(counts, row.byCause);
        for (const row of failures) if (row.service === service) addOwn(counts, row);
      }
    }
    const now = troublesOf(counts);
    if (now.size > 0) return areOfOtherKinds(now, before);
    const isSlow = kind === "slow" || kind === "slow origin";
    const { cause, verdict } = track.diagnosis;
    return isSlow && track.state === "closed" && verdict === "decided" && before.size > 0 && !LATE.has(cause);
  }

  /** An incident was closed though this origin is still out of use: that alone is no news, as long as it would be the same one. */
  #isToldAsWell(anomaly: Anomaly, now: number): boolean {
    return this.#tracks.some(
      (track) =>
        track.state === "closed" &&
        now - (track.closedAt ?? 0) <= REOPEN_MS &&
        isAfterwards(anomaly, track, this.watches),
    );
  }

  /** Where the service of an anomaly is unwell: what says so itself, and before it does, where attempts have failed since. */
  #placesOf({ service, since }: Anomaly, all: readonly Anomaly[]): Anomaly["where"][] {
    const places = all.filter((one) => one.service === service).map(({ where }) => where);
    for (const { row, failedAt } of this.watches.addresses.values())
      if (row.service === service && failedAt >= since)
        places.push({ pool: row.pool, origin: row.origin, address: row.address });
    return places;
  }

  #belongs(anomaly: Anomaly, track: Track): boolean {
    if (anomaly.service !== "" && track.services.has(anomaly.service)) return true;
    // What a process under a supervisor dies of touches its siblings as little as they touch it.
    if (anomaly.kind === "crash" || isOfCrashes(track)) return anomaly.kind === "crash" && isOfCrashes(track);
    const isOwn = anomaly.kind === "stall" || anomaly.kind === "wall";
    // The gateway itself: whatever goes wrong while it stands still goes with it.
    if (isOwn) return Math.abs(anomaly.since - track.firstFailureAt) <= TOGETHER_MS * 2;
    if (track.kinds.has("stall") || track.kinds.has("wall")) return anomaly.since >= track.firstFailureAt - TOGETHER_MS;
    if (anomaly.kind === "names" && (track.kinds.has("names") || isAboutNames(track))) return true;
    // Names that fail, and what fails for another reason elsewhere, have nothing in common but the time.
    if (anomaly.kind === "names" || (isOnlyNames(track) && !this.#hasNameTrouble(anomaly))) return false;
    if (anomaly.kind === "refused" && track.kinds.has("refused"))
      return Math.abs(anomaly.since - track.firstFailureAt) <= TOGETHER_MS;
    if (anomaly.kind === "silence" || anomaly.kind === "left" || anomaly.kind === "refused") return false;
    if (Math.abs(anomaly.since - track.firstFailureAt) <= TOGETHER_MS) return true;
    return this.#shareProvider(anomaly, track);
  }

  /** Of what failed at its service lately, some was for want of a name. */
  #hasNameTrouble({ service }: Anomaly): boolean {
    return this.#recent
      .slice(-20)
      .some(({ facts }) =>
        facts.some(({ failures }) =>
          failures.some((row) => row.service === service && row.cause?.startsWith("dns.") === true),
        ),
      );
  }

  /** Its failing origins are with a provider that fails in the incident as well. */
  #shareProvider(anomaly: Anomaly, track: Track): boolean {
    if (track.diagnosis.cause !== "provider.outage" && track.diagnosis.cause !== "net.path") return false;
    const provider = track.diagnosis.where["provider"];
    const address = anomaly.where["address"];
    if (provider === undefined) return false;
    return [...this.watches.addresses.values()].some(
      ({ row }) =>
        row.service === anomaly.service &&
        row.provider === provider &&
        (address === undefined || row.address === address),
    );
  }

  #open(anomaly: Anomaly, all: readonly Anomaly[], now: number, changed: Set<Track>): Track | null {
    if (!this.#isWorth(anomaly, now) || this.#live().length >= OPEN_MAX) return null;
    const id = this.#idFor(anomaly.service, anomaly.since, now);
    const together = all.filter((one) => one === anomaly || (one.service === anomaly.service && one.service !== ""));
    const ended = this.#tracks.filter(({ services }) => services.has(anomaly.service));
    const endedAt = Math.max(
      0,
      ...ended.map(({ recoveredAt }) => recoveredAt ?? 0).filter((at) => at <= anomaly.since),
    );
    const track = createTrack(id, together, now, this.#surroundings(), endedAt);
    for (const change of this.#changes) addChange(track.case, change);
    for (const change of this.#changes) {
      const { service } = change.where;
      if (
        change.at >= track.firstFailureAt - CHANGES_SHOWN_MS &&
        (service === undefined || track.services.has(service))
      )
        note(track, change.at, "change", `${change.text}${change.by === "" ? "" : `, by ${change.by}`}.`);
    }
    for (const event of this.#events) {
      if (event.at < track.firstFailureAt - TOGETHER_MS || !concerns(track, event.event)) continue;
      addEvent(track.case, event);
      heed(track, event);
    }
    this.#tracks.push(track);
    while (this.#tracks.length > INCIDENTS_MAX) {
      const oldest = this.#tracks.findIndex((one) => !isLive(one));
      if (oldest < 0) break;
      for (const { id: gone } of this.#tracks.splice(oldest, 1)) this.#told.delete(gone);
    }
    conclude(track, now, this.#surroundings());
    changed.add(track);
    return track;
  }

  /** Whether an anomaly alone is a reason for an incident. */
  #isWorth(anomaly: Anomaly, now: number): boolean {
    if (this.#isDrilled(anomaly, now)) return false;
    if (anomaly.rests === "few failures" && this.#isBeingReplaced(anomaly, now)) return false;
    switch (anomaly.kind) {
      case "failed":
      case "rescued":
      case "attempts":
      case "slow":
      case "slow origin":
      case "left":
      case "silence":
      case "names":
      case "checks":
      case "wall":
      case "stall":
      case "out":
      case "budget":
      case "crash":
        return true;
      case "refused":
        return this.#isRefusalOfOurs(anomaly, now);
    }
  }

  /** A defence that hits friends, or routes that vanished with a configuration: ours. Strangers that are refused: theirs. */
  #isRefusalOfOurs(anomaly: Anomaly, now: number): boolean {
    const applied = this.#changes.some(
      ({ what, at }) =>
        (what === "configuration applied" || what === "gateway started") &&
        at <= anomaly.since + 2_000 &&
        now - at <= CHANGES_SHOWN_MS,
    );
    let friends = 0;
    let strangers = 0;
    for (const { facts } of this.#recent.slice(-20)) {
      for (const fact of facts) {
        for (const row of fact.failures) {
          if (
            row.outcome !== "refused" ||
            row.service !== anomaly.service ||
            row.cause === null ||
            !REFUSALS.has(row.cause)
          )
            continue;
          if (row.cause === "gw.no_route" && !applied) strangers += row.count;
          else if (applied || this.watches.isFriend(row.clientNetwork)) friends += row.count;
          else strangers += row.count;
        }
      }
    }
    return friends > strangers && friends >= 10;
  }

  #isDrilled(anomaly: Anomaly, now: number): boolean {
    const drills = this.#changes.filter(({ what, at }) => what === "drill" && now - at <= DRILL_MAX_MS);
    const last = drills[drills.length - 1];
    if (last === undefined || last.where["state"] === "end") return false;
    return Object.entries(last.where).every(
      ([dimension, value]) =>
        dimension === "state" ||
        (dimension === "service" ? anomaly.service === value : (anomaly.where[dimension] ?? value) === value),
    );
  }

  /** A deploy was announced at this place, or its origins were changed: one that goes away and fails a request goes by plan. */
  #isBeingReplaced({ service, where }: Anomaly, now: number): boolean {
    return this.#changes.some(
      (change) =>
        (change.what === "deploy announced" || change.what === "origins changed") &&
        now - change.at <= CHANGES_SHOWN_MS &&
        (change.where["service"] ?? service) === service &&
        ["pool", "origin", "address"].every((key) => (change.where[key] ?? where[key]) === where[key]),
    );
  }

  /** Two that turn out to have one cause at one place are one. */
  #mergeAlike(now: number, changed: Set<Track>): void {
    const live = this.#live();
    for (const [index, younger] of live.entries()) {
      const older = live.slice(0, index).find((one) => isLive(one) && areOne(one, younger));
      if (older === undefined || younger.isSettled) continue;
      merge(younger, older, now, `${younger.id} turned out to be the same.`);
      changed.add(older);
      changed.add(younger);
    }
  }

  #split(track: Track, service: string, by: string, at: number): Track {
    const id = this.#idFor(service, track.firstFailureAt, at);
    const own = track.anomalies.filter((anomaly) => anomaly.service === service);
    const where = { service };
    const first: Anomaly = { key: `split\n${this.#ids}`, kind: "failed", service, where, since: track.firstFailureAt };
    track.services.delete(service);
    for (const { key } of own) track.keys.delete(key);
    const split = createTrack(id, [first, ...own], at, this.#surroundings());
    // Not to be put together again by itself.
    split.isSettled = true;
    note(split, at, "person", `${by} split it from ${track.id}.`);
    note(track, at, "person", `${by} split ${service} from it.`);
    this.#tracks.push(split);
    conclude(split, at, this.#surroundings());
    return split;
  }

  /** One that was told before keeps its id: links and the alerts of others go by it. */
  #idFor(service: string, since: number, now: number): string {
    this.#ids += 1;
    const own = `inc-${Math.floor(since / 1000)}-${this.#ids}`;
    if (this.#known.length === 0) return own;
    const isTaken = (id: string): boolean =>
      this.#tracks.some((track) => track.id === id) || this.#past.some((one) => one.id === id);
    const alike = this.#known.filter(
      (one) =>
        (service === "" ? one.services.length === 0 : one.services.includes(service)) &&
        Math.abs(one.detectedAt - now) <= SAME_MS &&
        !isTaken(one.id),
    );
    const nearest = alike.toSorted((a, b) => Math.abs(a.detectedAt - now) - Math.abs(b.detectedAt - now))[0];
    if (nearest !== undefined) return nearest.id;
    // Another one may have been told by this name.
    while (this.#known.some(({ id }) => id === `inc-${Math.floor(since / 1000)}-${this.#ids}`)) this.#ids += 1;
    return `inc-${Math.floor(since / 1000)}-${this.#ids}`;
  }

  #toTell(changed: ReadonlySet<Track>, now: number): Incident[] {
    const telling = this.#tracks.filter(
      (track) => changed.has(track) || (isLive(track) && now - (this.#told.get(track.id) ?? 0) >= TELL_EVERY_MS),
    );
    for (const { id } of telling) this.#told.set(id, now);
    return telling.map((track) => toIncident(track, this));
  }

  #surroundings(): { watches: Watches; topology: TopologyFact["services"]; recent: readonly Recent[] } {
    return { watches: this.watches, topology: this.topology, recent: this.#recent };
  }
}

const EVENTS_MAX = 300;
const CHANGES_MAX = 200;
const CHANGES_SHOWN_MS = 300_000;
const LEARN_AGAIN_MS = 30 * 60_000;
const REFUSALS: ReadonlySet<string> = new Set(["gw.no_route", "client.flood", "client.rate_limited"]);

const ORDER: Readonly<Record<AnomalyKind, number>> = {
  crash: 0,
  stall: 0,
  wall: 0,
  failed: 1,
  attempts: 1,
  rescued: 1,
  names: 2,
  slow: 3,
  "slow origin": 3,
  refused: 4,
  left: 4,
  silence: 4,
  checks: 5,
  out: 6,
  budget: 7,
};

function isSpent({ state, closedAt, case: seen }: Track, now: number): boolean {
  return seen.to > seen.from && (state === "merged" || (state === "closed" && now - (closedAt ?? 0) > REOPEN_MS));
}
