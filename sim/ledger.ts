/**
 * Every request of a run and all that became of it, as clients and origins saw it: the truth that the gateway's
 * records and promises are held against.
 */
export interface RequestPlan {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Comes before the target's own part, so that routes can tell requests apart: `/checkout`, or nothing. */
  readonly path: string;
  /** Further field lines, complete. */
  readonly lines: string;
  /** What is asked for, the same thing for all who ask for its number; 0: a thing of this request's own. */
  readonly resource: number;
  /** What the origin shall answer with, when nothing goes wrong. */
  readonly answerBytes: number;
  readonly answerFraming: "length" | "chunked" | "close";
  readonly bodyBytes: number;
  readonly bodyFraming: "length" | "chunked";
  readonly expectContinue: boolean;
  /** Null: the client stays. */
  readonly abort: Abort | null;
}

export interface Abort {
  readonly afterMs: number;
  /** RST, a close, or a FIN with the answer still read. */
  readonly how: "reset" | "close" | "half-close";
}

export type RequestState =
  | "waiting"
  /** A complete response. */
  | "answered"
  /** The connection ended before the response did, and the client could see that. */
  | "cut"
  /** The client left. */
  | "aborted";

export interface RequestStory {
  readonly id: number;
  readonly client: string;
  readonly plan: RequestPlan;
  readonly sentAt: number;
  /** How many requests were sent before it on its connection and not answered then. */
  readonly ahead: number;
  state: RequestState;
  status: number;
  /** Seconds of its Retry-After field; -1: none. */
  retryAfter: number;
  /** Whose response it was. */
  answeredBy: "" | "origin" | "gateway";
  origin: string;
  /** Whose bytes the response claims to have: see `contentOf`. */
  contentId: number;
  proxyStatus: string;
  bodyBytes: number;
  endedAt: number;
  /** Where it was received whole, which may be more often than once. */
  readonly runs: { readonly origin: string; readonly at: number }[];
  /** Origins that its head reached. */
  readonly seenBy: string[];
  /** Origins that sent at least one byte of a response to it. */
  readonly answersBegun: string[];
}

/** Something that must never be, seen by a client or an origin. */
export interface Sighting {
  readonly checker: "own response" | "no false end" | "answered once" | "request intact";
  readonly id: number;
  readonly what: string;
}

export class Ledger {
  readonly stories: Map<number, RequestStory> = new Map();
  readonly sightings: Sighting[] = [];
  #last = 0;

  open(client: string, plan: RequestPlan, at: number, ahead: number): RequestStory {
    this.#last += 1;
    const story: RequestStory = {
      id: this.#last,
      client,
      plan,
      sentAt: at,
      ahead,
      state: "waiting",
      status: 0,
      retryAfter: -1,
      answeredBy: "",
      origin: "",
      contentId: 0,
      proxyStatus: "",
      bodyBytes: 0,
      endedAt: -1,
      runs: [],
      seenBy: [],
      answersBegun: [],
    };
    this.stories.set(story.id, story);
    return story;
  }

  saw(checker: Sighting["checker"], id: number, what: string): void {
    this.sightings.push({ checker, id, what });
  }

  count(state: RequestState): number {
    let count = 0;
    for (const story of this.stories.values()) if (story.state === state) count += 1;
    return count;
  }
}

/**
 * What a request needs of its origin travels in its target, so that an origin needs nothing but the request. Who asks
 * for a thing that others ask for, too, says so in its User-Agent: the target is then the same for all.
 */
export function targetOf({ id, plan }: Pick<RequestStory, "id" | "plan">): string {
  const what = plan.resource === 0 ? `/r/${id}` : `/k/${plan.resource}`;
  return `${plan.path}${what}?n=${plan.answerBytes}&f=${plan.answerFraming}&b=${plan.bodyBytes}`;
}

export function userAgentOf(client: string, id: number): string {
  return `${client} #${id}`;
}

/** 0: not a request of a simulated client. */
export function idOf(target: string, userAgent: string): number {
  const own = /\/r\/(\d+)\?/.exec(target);
  if (own !== null) return Number(own[1]);
  return target.includes("/k/") ? Number(/ #(\d+)$/.exec(userAgent)?.[1] ?? 0) : 0;
}

export interface Wanted {
  readonly id: number;
  readonly path: string;
  readonly resource: number;
  readonly answerBytes: number;
  readonly answerFraming: RequestPlan["answerFraming"];
  readonly bodyBytes: number;
}

const TARGET = /^(.*)\/([rk])\/(\d+)\?n=(\d+)&f=(length|chunked|close)&b=(\d+)$/;

/** Null: not a target of a simulated client. */
export function wantedBy(target: string, userAgent: string): Wanted | null {
  const match = TARGET.exec(target);
  if (match === null) return null;
  const framing = match[5];
  if (framing !== "length" && framing !== "chunked" && framing !== "close") return null;
  return {
    id: idOf(target, userAgent),
    path: match[1] ?? "",
    resource: match[2] === "k" ? Number(match[3]) : 0,
    answerBytes: Number(match[4]),
    answerFraming: framing,
    bodyBytes: Number(match[6]),
  };
}

const VERSIONS_APART = 1_000_000;

/** Whose bytes an answer has: the request's own, or those of the thing asked for as it is in this version. */
export function contentOf({ id, resource }: Pick<Wanted, "id" | "resource">, version: number): number {
  return resource === 0 ? id : (version + 1) * VERSIONS_APART + resource;
}

/** Which version of a thing an answer shows. */
export function versionOf(contentId: number): number {
  return Math.floor(contentId / VERSIONS_APART) - 1;
}

export function isContentOf(contentId: number, { id, plan }: Pick<RequestStory, "id" | "plan">): boolean {
  return plan.resource === 0 ? contentId === id : contentId % VERSIONS_APART === plan.resource;
}

/** RFC 9110 §9.2.2. */
export function isIdempotent(plan: RequestPlan): boolean {
  return plan.method !== "POST";
}
