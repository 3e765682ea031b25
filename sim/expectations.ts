/** What scenarios expect of a run, in the words that several of them share. Each yields a sentence for what is not so. */
import type { CauseId } from "../src/kernel/causes.ts";
import { isIdempotent } from "./ledger.ts";
import type { RequestStory } from "./ledger.ts";
import type { World } from "./world.ts";

/** Requests of clients that stayed, as far as `which` says. */
export function storiesOf(world: World, which: (story: RequestStory) => boolean = () => true): RequestStory[] {
  return [...world.ledger.stories.values()].filter((story) => story.plan.abort === null && which(story));
}

/** Every one of these got its origin's own answer, complete, and that was a 200. */
export function* allServed(world: World, which: (story: RequestStory) => boolean = () => true): Generator<string> {
  for (const story of storiesOf(world, which)) if (!isServed(story)) yield `${inWords(story)}; it had to be served`;
}

/** The same for what may be repeated; a response that had begun when it broke may be cut. */
export function* idempotentServedOrCut(
  world: World,
  which: (story: RequestStory) => boolean = () => true,
): Generator<string> {
  const stories = storiesOf(world, (story) => isIdempotent(story.plan) && which(story));
  for (const story of stories) {
    if (isServed(story) || (story.state === "cut" && story.status === 200)) continue;
    yield `${inWords(story)}; it may be repeated, so it had to be served`;
  }
}

/** No other causes than these are named, for exchanges or for attempts. */
export function* causesWithin(world: World, causes: readonly CauseId[]): Generator<string> {
  const found = new Set<CauseId>();
  for (const record of world.records) {
    if (record.cause !== null) found.add(record.cause);
    for (const attempt of record.attempts) if (attempt.cause !== null) found.add(attempt.cause);
  }
  for (const cause of found) if (!causes.includes(cause)) yield `${cause} is named, which nothing here causes`;
}

/** Enough of it happened for the run to have meant something. */
export function* happened(what: string, count: number, least: number): Generator<string> {
  if (count < least) yield `only ${count} times ${what}, at least ${least} were meant to be`;
}

export function isServed(story: RequestStory): boolean {
  return story.state === "answered" && story.answeredBy === "origin" && story.status === 200;
}

export function inWords({ id, plan, state, status, answeredBy, proxyStatus }: RequestStory): string {
  const answer = status === 0 ? "" : ` (${status} by the ${answeredBy}${proxyStatus === "" ? "" : `, ${proxyStatus}`})`;
  return `${plan.method} #${id} ended ${state}${answer}`;
}
