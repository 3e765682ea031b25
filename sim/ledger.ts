/**
 * Every request of a run and all that became of it, as clients and origins saw it: the truth that the gateway's
 * records and promises are held against.
 */
export interface RequestPlan {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
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
  /** Whose response it was. */
  answeredBy: "" | "origin" | "gateway";
  origin: string;
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
      answeredBy: "",
      origin: "",
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

/** What a request needs of its origin travels in its target, so that an origin needs nothing but the request. */
export function targetOf(story: Pick<RequestStory, "id" | "plan">): string {
  const { plan } = story;
  return `/r/${story.id}?n=${plan.answerBytes}&f=${plan.answerFraming}&b=${plan.bodyBytes}`;
}

export function idOf(target: string): number {
  return Number(/^\/r\/(\d+)\?/.exec(target)?.[1] ?? 0);
}

export interface Wanted {
  readonly id: number;
  readonly answerBytes: number;
  readonly answerFraming: RequestPlan["answerFraming"];
  readonly bodyBytes: number;
}

/** Null: not a target of a simulated client. */
export function wantedBy(target: string): Wanted | null {
  const match = /^\/r\/(\d+)\?n=(\d+)&f=(length|chunked|close)&b=(\d+)$/.exec(target);
  if (match === null) return null;
  const framing = match[3];
  if (framing !== "length" && framing !== "chunked" && framing !== "close") return null;
  return { id: Number(match[1]), answerBytes: Number(match[2]), answerFraming: framing, bodyBytes: Number(match[4]) };
}

/** RFC 9110 §9.2.2. */
export function isIdempotent(plan: RequestPlan): boolean {
  return plan.method !== "POST";
}
