/**
 * What one exchange has to do with the cache: it looks for an answer, waits for one that is on its way, leads the fetch
 * that others wait for, keeps what the origin says, and comes back for the last good copy when none says anything.
 * The exchange tells it what happens and is told what to do instead of the usual; it never looks inside.
 */
import type { CacheWord } from "../../contract/record.ts";
import type { MessageHead } from "../../http1/head.ts";
import type { CauseId } from "../../kernel/causes.ts";
import { judgeFreshness, mayAnswerForOrigin } from "../../policies/freshness.ts";
import type { AskedFreshness } from "../../policies/freshness.ts";
import { isSafe } from "../../policies/safe-method.ts";
import { readHeadAgain, readResponseHeadAgain } from "../read-head-again.ts";
import { answerFrom } from "./answers.ts";
import { forwardLine, hitLine } from "./cache-status.ts";
import type { ForwardFacts, Forwarded } from "./cache-status.ts";
import { conditionsOf, hasOriginConditions } from "./conditions.ts";
import type { Conditions } from "./conditions.ts";
import {
  entryFactsFrom,
  SET_COOKIE_LINES,
  cookieLines,
  isForMany,
  isShareable,
  showsItsTarget,
} from "./entry-facts.ts";
import { Entry } from "./entry.ts";
import type { EntryFacts } from "./entry.ts";
import { Flight, STALE_STATUSES } from "./flight.ts";
import type { Follower, Release } from "./flight.ts";
import { freshenFields, isAbout } from "./freshen.ts";
import type { Guest, VisitPorts } from "./guest.ts";
import { Recording } from "./recording.ts";
import type { RecordingOwner } from "./recording.ts";
import { askedFreshness, isAuthorised, isPersonal, keyTarget, saysNoStore, seenThroughProxy } from "./request-key.ts";
import { PASS_MS } from "./response-cache.ts";
import type { RouteCache } from "./response-cache.ts";
import { factsOf } from "./response-facts.ts";
import type { ResponseFacts } from "./response-facts.ts";
import { fits, selectingOf, selectorOf } from "./selecting.ts";
import type { Selecting, Selector } from "./selecting.ts";
import { judgeStorable } from "./storable.ts";
import type { NotStorable, Storable } from "./storable.ts";
import type { Slot } from "./store.ts";
import { LEFT_BEHIND, WINDOW_BYTES } from "./stored-body.ts";
import type { Breakage, StoredBody } from "./stored-body.ts";
import { storedFields } from "./stored-fields.ts";

/** How often a request that waits looks whether the one that fetches has reached an origin at all. */
const LOOK_MS = 1_000;

export class Visit implements Follower, RecordingOwner {
  readonly route: RouteCache;
  readonly #ports: VisitPorts;
  readonly #guest: Guest;
  readonly #host: string;
  readonly #target: string;
  /** What came of looking, for Cache-Status and the record. */
  #forwarded: Forwarded = "uri-miss";
  #detail = "";
  #conditions: Conditions | null = null;
  readonly #isHead: boolean;
  /** What is stored may answer it: a GET or HEAD that is about nothing but the URL. */
  readonly #mayBeAnswered: boolean;
  /** Null: nobody has asked. */
  #personal: boolean | null = null;
  #authorised = false;
  #noStore = false;
  /** What a trusted proxy says of the URL. */
  #seen = "";
  /** A stored response that is to be validated, or may have to answer all the same. */
  #entry: Entry | null = null;
  #flight: Flight | null = null;
  #leaveFlight: (() => void) | null = null;
  /** Of another request, which this one waits for or waited for last. */
  #awaited: Flight | null = null;
  #waitUntil = -1;
  #recording: Recording | null = null;
  /** Wall-clock ms of the attempt whose response has come. */
  #instead: ((now: number) => void) | null = null;
  #refreshes = false;

  constructor(route: RouteCache, ports: VisitPorts, guest: Guest, head: MessageHead) {
    this.route = route;
    this.#ports = ports;
    this.#guest = guest;
    this.#host = guest.host.key;
    this.#target = keyTarget(head, guest.record.target);
    this.#isHead = head.method === "HEAD";
    const { complete, bodyBytes } = guest.request;
    // A body would be a part of the key that nobody looks at.
    const isBare = complete && bodyBytes === 0 && !head.upgrade && !hasOriginConditions(head);
    this.#mayBeAnswered = isBare && this.#target !== "" && this.#host !== "" && (head.method === "GET" || this.#isHead);
    this.#readRequest(head);
  }

  // ------------------------------------------------------------------ look up

  /** True: the client gets its answer from here, now or when it comes. False: the exchange goes on to an origin. */
  lookUp(head: MessageHead, now: number): boolean {
    const { request, record } = this.#guest;
    if (head.method !== "GET" && !this.#isHead) return this.#passBy("method");
    if (!this.#mayBeAnswered) return this.#passBy("bypass");
    if (this.route.full) record.cache = "miss";
    const slot = this.route.cache.store.find(this.route.partition, this.#host, this.#target);
    const entry = slot === null ? null : this.#variant(slot, head);
    // What lies on disk is waited for, and may turn out to be damaged.
    if (entry !== null && entry.body === null) request.keepHead(head);
    if (entry !== null && this.route.full) {
      const asked = this.route.settings.reload ? askedFreshness(head) : null;
      if (this.#answerFromStored(entry, asked, head, now)) return true;
    } else if (slot !== null && slot.variants.length > 0) this.#forwarded = this.route.full ? "vary-miss" : "bypass";
    return this.#joinOrLead(slot, entry, head, now);
  }

  /** The exchange exists only to fetch `entry` anew. */
  lookUpForRefresh(entry: Entry, now: number): void {
    this.#guest.record.cache = "refresh";
    this.#refreshes = true;
    this.#conditions = null;
    this.#forwarded = "stale";
    this.#lead(entry.slot, entry, now);
  }

  #readRequest(head: MessageHead): void {
    this.#conditions = conditionsOf(head);
    this.#seen = seenThroughProxy(head, this.#guest.request.trusted, this.#host);
    this.#authorised = isAuthorised(head);
    this.#noStore = saysNoStore(head);
  }

  #passBy(forwarded: Forwarded): false {
    this.#forwarded = forwarded;
    if (this.route.full) this.#guest.record.cache = "pass";
    return false;
  }

  #variant(slot: Slot, head: MessageHead): Entry | null {
    const selector = selectorOf(head, this.#seen);
    // The newest is asked first: what an origin says last about a variant is what holds.
    for (let index = slot.variants.length - 1; index >= 0; index -= 1) {
      const entry = slot.variants[index];
      if (entry !== undefined && this.#fits(entry, head, selector)) return entry;
    }
    return null;
  }

  #fits({ facts }: Entry, head: MessageHead, selector: Selector): boolean {
    if (!fits(facts.selecting, facts.contentLanguage, selector)) return false;
    if (!facts.anonymousOnly) return true;
    this.#personal ??= isPersonal(head);
    return !this.#personal;
  }

  #answerFromStored(entry: Entry, asked: AskedFreshness | null, head: MessageHead, now: number): boolean {
    const { freshness } = entry.facts;
    const verdict = judgeFreshness(freshness, this.route.permissions, entry.ageMs(now), asked);
    switch (verdict) {
      case "fresh":
        return this.#give(entry, "hit", hitLine(entry.ttlSeconds(now), ""), now);
      case "stale-wanted":
        return this.#give(entry, "stale", hitLine(entry.ttlSeconds(now), "MAX-STALE"), now);
      case "stale-while-revalidate": {
        const isFetched = entry.slot.flights.some((flight) => flight.entry === null);
        if (!isFetched) this.#guest.request.keepHead(head);
        this.#guest.decide(
          "look up",
          "cache.stale-while-revalidate",
          `the stored response was stale for ${-entry.ttlSeconds(now)} s; ${isFetched ? "it is being fetched" : "it is fetched anew behind its back"}`,
        );
        if (!this.#give(entry, "stale", hitLine(entry.ttlSeconds(now), "STALE-WHILE-REVALIDATE"), now)) return false;
        if (!isFetched) this.#guest.refresh(entry, now);
        return true;
      }
      case "stale":
        this.#forwarded = "stale";
        return false;
      case "asked-anew":
        this.#forwarded = "request";
        return false;
    }
  }

  #joinOrLead(slot: Slot | null, entry: Entry | null, head: MessageHead, now: number): boolean {
    const { route } = this;
    const { cache } = route;
    // Parts are passed on and not kept; what HEAD brings has no body to keep.
    if (
      this.#isHead ||
      this.#noStore ||
      (entry === null && this.#conditions !== null && this.#conditions.range !== null)
    ) {
      this.#detail = this.#isHead ? "HEAD" : this.#noStore ? "REQUEST-NO-STORE" : "RANGE";
      return false;
    }
    if (!route.full && (entry === null || entry.facts.freshness.lifetimeMs === 0 || this.#conditions !== null))
      return false;
    for (const flight of slot?.flights ?? []) {
      // Who asks after a purge wants to see what it has done.
      if (!cache.isCurrent(this.#host, this.#target, flight.beganAt)) continue;
      if (flight.entry !== null) {
        // Its body is on its way and can be read from the start.
        if (!this.#fits(flight.entry, head, selectorOf(head, this.#seen))) continue;
        return this.#give(flight.entry, "collapsed", this.#forwardLine({ collapsed: true }), now);
      }
      if (flight.waiting >= cache.settings.waitersMax) {
        this.#detail = "COLLAPSE-FULL";
        return false;
      }
      return this.#follow(flight, entry, head, now);
    }
    const passed = now - cache.passed.last(this.#host, this.#target) < PASS_MS && entry === null;
    if (passed || !this.#mayShareAnswer || (entry !== null && !isForMany(entry.facts))) {
      this.#detail = passed ? "NOT-SHARED" : "";
      if (entry !== null && route.full) this.#validate(entry);
      return false;
    }
    this.#lead(slot ?? cache.store.slotFor(route.partition, this.#host, this.#target), entry, now);
    return false;
  }

  /** A response to credentials is rarely for others, and theirs would wait for nothing. */
  get #mayShareAnswer(): boolean {
    return !this.#authorised;
  }

  #lead(slot: Slot, entry: Entry | null, now: number): void {
    this.#flight = new Flight(this.route.cache.store, slot, this.#guest, this.#ports.wheel, now);
    if (!this.route.full) return;
    if (entry !== null) this.#validate(entry);
    // The client's own conditions would get everybody a 304: it is answered by what comes.
    else this.#guest.request.conditions = "";
  }

  #validate(entry: Entry): void {
    const { etag, lastModified } = entry.facts;
    this.#entry = entry;
    this.#guest.request.conditions =
      (etag === null ? "" : `If-None-Match: ${etag}\r\n`) +
      (lastModified === null ? "" : `If-Modified-Since: ${lastModified}\r\n`);
  }

  // ------------------------------------------------------------------ waiting

  #follow(flight: Flight, entry: Entry | null, head: MessageHead, now: number): boolean {
    const { waitMs } = this.route.cache.settings;
    if (this.#waitUntil === -1) this.#waitUntil = now + waitMs;
    if (now >= this.#waitUntil) return false;
    this.#guest.request.keepHead(head);
    this.#wait(flight, entry !== null && this.#mayStandIn(entry, "disconnected", now), now);
    return true;
  }

  /** `hasSpare`: something is stored that may answer when no origin does, so it is looked at early whether one will. */
  #wait(flight: Flight, hasSpare: boolean, now: number): void {
    const leftMs = this.#waitUntil - now;
    this.#awaited = flight;
    this.#leaveFlight = flight.join(this, now, hasSpare ? Math.min(leftMs, LOOK_MS) : leftMs);
  }

  onShared(entry: Entry): boolean {
    this.#leaveFlight = null;
    let mayHave = false;
    this.#withHead((head) => {
      mayHave = this.#fits(entry, head, selectorOf(head, this.#seen));
    });
    if (!mayHave) return false;
    this.#guest.later((now) => {
      this.#give(entry, "collapsed", this.#forwardLine({ collapsed: true }), now);
    });
    return true;
  }

  onReleased(why: Release): void {
    this.#leaveFlight = null;
    this.#guest.later((now) => {
      if (this.#answersOrWaits(why, now)) return;
      const { waitMs } = this.route.cache.settings;
      if (why === "alone" || now >= this.#waitUntil) {
        this.#detail = why === "late" ? "COLLAPSE-TIMEOUT" : "NOT-SHARED";
        const entry = this.route.full ? this.#storedNow() : null;
        if (entry !== null) this.#validate(entry);
        if (why === "late") {
          this.#guest.decide(
            "look up",
            "cache.waited-too-long",
            `the same response was being fetched for another request and had not come after ${waitMs} ms`,
          );
        }
      } else {
        let answered = false;
        this.#withHead((head) => {
          answered = this.lookUp(head, now);
        });
        if (answered) return;
      }
      this.#guest.forward(now);
    });
  }

  /** What is stored is given to it now, or it waits on. */
  #answersOrWaits(why: Release, now: number): boolean {
    const flight = this.#awaited;
    if (why === "unanswered" || why === "errored") {
      const what = why === "errored" ? "was answered with an error" : "was answered by no origin";
      return this.#standsIn(why === "errored" ? "error" : "disconnected", what, now);
    }
    if (why !== "late" || flight === null || flight.over) return false;
    const isLast = now >= this.#waitUntil;
    // An error alone would have been reason enough; it was held back for something better, and that does not come.
    if (flight.isErrored && this.#standsIn("error", "was answered with an error, and with nothing since", now))
      return true;
    if (isLast ? flight.isSilent : flight.isUnreached) {
      const what = isLast ? "has not got a byte from any origin" : "has reached no origin";
      if (this.#standsIn("disconnected", what, now)) return true;
    }
    if (isLast) return false;
    this.#wait(flight, true, now);
    return true;
  }

  /** What is stored answers this one as well. `what`: what became of the request that it waited for. */
  #standsIn(need: "error" | "disconnected", what: string, now: number): boolean {
    const entry = this.#storedNow();
    if (entry === null || this.#guest.response.begun || !this.#mayStandIn(entry, need, now)) return false;
    const id = this.#awaited?.leader.record.id ?? "";
    this.#tellRescue(entry, `request ${id}, which fetched it for others, ${what}`, now);
    const detail = need === "error" ? "STALE-IF-ERROR" : "DISCONNECTED";
    return this.#give(entry, "last-good", forwardLine("stale", { collapsed: true, detail }), now);
  }

  onFault(error: unknown): void {
    this.#guest.onFault(error);
  }

  #withHead(use: (head: MessageHead) => void): void {
    const { head } = this.#guest.request;
    if (head !== null) readHeadAgain(head, use);
  }

  // ------------------------------------------------------------------ what the origin says

  /** The final head of an attempt. Lines to be added to it; null: it is not passed on, and `answerInstead` will answer. */
  onOriginHead(head: MessageHead, sentMs: number, now: number): string | null {
    const { cache, service, full } = this.route;
    if (!isSafe(this.#guest.request.method)) {
      // RFC 9111 §4.4: it was no error and may have changed what is stored.
      if (head.status < 400 && this.#target !== "") cache.invalidate(service, this.#host, this.#target, head, now);
      if (!full || !showsItsTarget(this.#guest.request.method, head, this.#host, this.#target))
        return full ? this.#forwardLine({}) : "";
    }
    const entry = this.#entry;
    if (head.status === 304 && entry !== null) return this.#onNotModified(entry, head, sentMs, now);
    if (STALE_STATUSES.has(head.status) && this.#answersForStatus(head.status, now)) return null;
    const facts = factsOf(head);
    const judged = this.#judge(facts, sentMs, now);
    const stored = judged.stored && this.#mayKeep(judged) && this.#record(head, facts, judged, now);
    if (!judged.stored) this.#detail = judged.why;
    if (!stored) {
      if (this.#flight !== null) this.route.cache.passed.note(this.#host, this.#target, now);
      this.#flight?.end("alone");
    }
    return this.route.full ? this.#forwardLine({ stored }) : "";
  }

  #judge(facts: ResponseFacts, sentMs: number, now: number): Storable | NotStorable {
    const { request } = this.#guest;
    const { method } = request;
    if (method !== "GET" && method !== "POST") return { stored: false, why: "METHOD" };
    if (this.#target === "" || this.#host === "") return { stored: false, why: "METHOD" };
    if (!request.complete || (method === "GET" && request.bodyBytes > 0)) return { stored: false, why: "BODY" };
    if (!this.route.full && facts.status >= 400) return { stored: false, why: "STATUS" };
    const wall = this.#ports.clock.wall();
    return judgeStorable(
      facts,
      {
        authorised: this.#authorised,
        personal: () => this.#isPersonal,
        noStore: this.#noStore,
        sentAt: wall - Math.max(0, now - sentMs),
        receivedAt: wall,
      },
      this.route.settings,
    );
  }

  get #isPersonal(): boolean {
    if (this.#personal === null) {
      this.#withHead((head) => {
        this.#personal = isPersonal(head);
      });
    }
    return this.#personal ?? true;
  }

  #mayKeep({ freshness, ageMs }: Storable): boolean {
    // A POST's response is worth keeping only for as long as it says itself.
    if (this.#guest.request.method === "POST") return freshness.lifetimeMs > 0 && !freshness.noCache;
    // A last good copy that could never answer would only take the place of others.
    const isStale = freshness.lifetimeMs <= ageMs;
    return this.route.full || !(freshness.noCache || (freshness.mustRevalidate && isStale));
  }

  /** Begins to keep it. False: it cannot be kept. */
  #record(head: MessageHead, facts: ResponseFacts, judged: Storable, now: number): boolean {
    const { cache } = this.route;
    const length = head.framing === "length" ? head.contentLength : head.framing === "none" ? 0 : -1;
    if (length > cache.settings.objectBytes) {
      this.#detail = "TOO-LARGE";
      return false;
    }
    const selecting = this.#selectingBy(facts.vary);
    if (selecting === null) {
      this.#detail = "VARY";
      return false;
    }
    const slot = this.#flight?.slot ?? cache.store.slotFor(this.route.partition, this.#host, this.#target);
    const wall = this.#ports.clock.wall();
    const entryFacts: EntryFacts = {
      ...entryFactsFrom(storedFields(head, wall), facts, judged, wall),
      selecting,
      status: head.status,
      reason: head.bytes.latin1Slice(head.reasonStart, head.reasonEnd),
    };
    const entry = new Entry(slot, entryFacts, null, now, wall);
    // Of an attempt before this one.
    this.#recording?.onCut();
    this.#recording = new Recording(cache.store, cache.settings.objectBytes, entry, length, this);
    this.#guest.response.tap = this.#recording;
    // What a POST has changed is what it shows.
    this.#sentAtMono = this.#guest.request.method === "POST" ? now + 1 : this.#guest.startedMs;
    if (isShareable(judged)) this.#flight?.share(entry);
    else this.#flight?.end("alone");
    return true;
  }

  #selectingBy(vary: string | null): Selecting | null {
    if (vary === null) return { seen: this.#seen, names: [], values: [] };
    let selecting: Selecting | null = null;
    this.#withHead((head) => {
      selecting = selectingOf(vary, selectorOf(head, this.#seen));
    });
    return selecting;
  }

  /** Monotonic ms of the request: what has changed since is not in the response. */
  #sentAtMono = 0;

  // ------------------------------------------------------------------ answers in place of the origin's

  /** The response that was passed over is complete, or will not be: the client gets the other one now. */
  answerInstead(now: number): boolean {
    const instead = this.#instead;
    this.#instead = null;
    instead?.(now);
    return instead !== null;
  }

  /** The origin says that the stored response still holds (RFC 9111 §4.3.4). */
  #onNotModified(entry: Entry, head: MessageHead, sentMs: number, now: number): string | null {
    const fresh = storedFields(head, this.#ports.clock.wall());
    const cookies = cookieLines(fresh);
    const about = isAbout(entry.facts, factsOf(head).etag);
    if (about) {
      const kept = this.route.settings.setCookie ? fresh : fresh.replaceAll(SET_COOKIE_LINES, "");
      this.#freshen(entry, kept, factsOf(head).age, sentMs, now);
    }
    this.#instead = (at) => {
      const flight = this.#flight;
      const isShared = about && entry.stored && isForMany(entry.facts) && entry.ttlSeconds(at) > 0;
      if (isShared) flight?.share(entry);
      // What has to be confirmed each time was confirmed for one.
      flight?.end(isShared ? "again" : "alone");
      const line = forwardLine(this.#forwarded, { status: 304, stored: entry.stored });
      this.#give(
        entry,
        this.#refreshes ? "refresh" : "revalidated",
        line + (this.route.settings.setCookie ? "" : cookies),
        at,
      );
    };
    return null;
  }

  #freshen(entry: Entry, fresh: string, age: string | null, sentMs: number, now: number): void {
    const { store } = this.route.cache;
    const fields = freshenFields(entry.facts.fields, fresh);
    const ageLine = age === null ? "" : `Age: ${age}\r\n`;
    const wall = this.#ports.clock.wall();
    readResponseHeadAgain(Buffer.from(`HTTP/1.1 200 OK\r\n${fields}${ageLine}\r\n`, "latin1"), "HEAD", (merged) => {
      const facts = { ...factsOf(merged), status: entry.facts.status };
      const judged = this.#judge(facts, sentMs, now);
      if (!judged.stored) {
        store.remove(entry);
        return;
      }
      const { selecting, status, reason } = entry.facts;
      entry.facts = { ...entryFactsFrom(fields, facts, judged, wall), selecting, status, reason };
      entry.receivedAt = now;
      entry.receivedWall = wall;
      store.recount(entry);
      if (this.route.full) this.route.cache.shelve(entry, this.route);
    });
  }

  /** RFC 5861 §4: an error of the origin is replaced by a stored response where that is allowed. */
  #answersForStatus(status: number, now: number): boolean {
    const entry = this.#mayBeAnswered ? (this.#entry ?? this.#storedNow()) : null;
    if (entry === null) return false;
    if (!this.#mayStandIn(entry, "error", now)) return false;
    this.#instead = (at) => {
      this.#flight?.end("errored");
      this.#tellRescue(entry, `the origin answered ${status}`, at);
      this.#give(entry, "last-good", forwardLine("stale", { status, detail: "STALE-IF-ERROR" }), at);
    };
    return true;
  }

  /** No origin answered, or none was asked: the last good copy may, within what its origin and the route allow. */
  answerForOrigin(cause: CauseId, evidence: string, now: number): boolean {
    const entry = this.#mayBeAnswered ? (this.#entry ?? this.#storedNow()) : null;
    if (entry === null || this.#guest.response.begun || !this.#mayStandIn(entry, "disconnected", now)) return false;
    this.#flight?.end("unanswered");
    this.#tellRescue(entry, `no origin answered (${cause}: ${evidence})`, now);
    return this.#give(entry, "last-good", forwardLine("stale", { detail: "DISCONNECTED" }), now);
  }

  #mayStandIn(entry: Entry, need: "error" | "disconnected", now: number): boolean {
    const { freshness } = entry.facts;
    // Where nobody asked for a cache an origin's own words are passed on, unless it said itself that they need not be.
    if (need === "error" && !this.route.full && freshness.ifErrorMs === 0) return false;
    return mayAnswerForOrigin(freshness, this.route.permissions, entry.ageMs(now), need);
  }

  #tellRescue(entry: Entry, why: string, now: number): void {
    const age = Math.round(entry.ageMs(now) / 1000);
    this.#guest.decide("rescue", "cache.last-good", `${why}; a stored response ${age} s old was given instead`);
  }

  /** What is stored for it at this moment, whatever its age. */
  #storedNow(): Entry | null {
    const slot = this.route.cache.store.find(this.route.partition, this.#host, this.#target);
    if (slot === null) return null;
    let entry: Entry | null = null;
    this.#withHead((head) => {
      entry = this.#variant(slot, head);
    });
    return entry;
  }

  #give(entry: Entry, word: CacheWord, line: string, now: number): boolean {
    if (entry.body !== null) return this.#giveBody(entry, entry.body, word, line, now);
    if (entry.shelfId === 0) return false;
    this.route.cache.fetch(entry, (body) => {
      this.#guest.later((at) => {
        // Its deadline may have passed meanwhile, and then it has been answered.
        if (this.#guest.response.begun) return;
        // It was damaged, and is gone now: as if it had never been.
        if (body === null || !this.#giveBody(entry, body, word, line, at)) this.#guest.forward(at);
      });
    });
    return true;
  }

  #giveBody(entry: Entry, body: StoredBody, word: CacheWord, line: string, now: number): boolean {
    if (body.state === "broken" || body.isWindow) return false;
    const { record, response, request } = this.#guest;
    entry.used = true;
    record.cache = word;
    if (response.tap === this.#recording) response.tap = null;
    const age = Math.floor(entry.ageMs(now) / 1000);
    const lines = `Age: ${age}\r\n${line}`;
    // The client's own conditions are about what it has, and what it gets is whole here.
    const answer = answerFrom(entry, body, this.#isHead, this.#conditions, this.#ports.clock.wall(), lines);
    request.conditions = null;
    this.#guest.serve(answer, word === "last-good" ? "rescued" : "served", now);
    return true;
  }

  #forwardLine(facts: ForwardFacts): string {
    return forwardLine(this.#forwarded, { detail: this.#detail, ...facts });
  }

  // ------------------------------------------------------------------ recording

  get mayStore(): boolean {
    return this.route.cache.isCurrent(this.#host, this.#target, this.#sentAtMono);
  }

  get breakage(): Breakage {
    const { cause, evidence } = this.#guest.record;
    return {
      cause: cause ?? "gw.internal",
      evidence: `the response that was shared with another request broke off: ${evidence}`,
    };
  }

  onComplete(entry: Entry, stored: boolean): void {
    // The last good copies are made again all the time, and not worth a write each time.
    if (stored && this.route.full) this.route.cache.shelve(entry, this.route);
    this.#flight?.end("again");
  }

  onGivenUp(): void {
    this.#flight?.end("alone");
  }

  /** Why this client is left behind: what others are given with it is more than is stored, and nobody waits for it. */
  tooFarBehind(waitingBytes: number): string {
    const isPassing = this.#recording?.body.isWindow === true;
    return isPassing && waitingBytes > WINDOW_BYTES ? LEFT_BEHIND : "";
  }

  /** It was fetched for the store, and is more than fits. */
  get isInVain(): boolean {
    return this.#refreshes && this.#guest.response.bodyBytes > this.route.cache.settings.objectBytes;
  }

  /** After each read from the origin, when the client's bytes have left. */
  turnEnd(): void {
    this.#recording?.turnEnd();
    this.#flight?.settleFollowers();
  }

  /** The exchange is over, however it ended. */
  finish(): void {
    this.#leaveFlight?.();
    this.#leaveFlight = null;
    this.#flight?.end("again");
  }
}
