/**
 * Runs recorded facts past an engine of its own: the same incidents as then, and the same again at every replay. For looking into how a
 * conclusion came about, and for trying a change of the engine on what really happened.
 *
 * One fact to a line, as JSON. What is no fact is counted and passed over, since a file may have been cut anywhere.
 */
import type { Fact } from "../contract/facts.ts";
import type { Incident } from "../contract/incident.ts";
import { createEngine } from "./engine.ts";
import { SetBack } from "./set-back.ts";

export interface Replayed {
  /** Oldest first; those that are part of others are left out. */
  readonly incidents: readonly Incident[];
  readonly facts: number;
  /** Lines that are no facts. */
  readonly unread: number;
  /** Epoch ms of the first second and after the last; 0: there was none. */
  readonly from: number;
  readonly to: number;
}

const INCIDENTS_MAX = 1_000;

export async function replay(lines: AsyncIterable<string> | Iterable<string>): Promise<Replayed> {
  const engine = createEngine({ keepsFigures: false });
  let facts = 0;
  let unread = 0;
  let from = 0;
  let to = 0;
  let now = 0;
  const setBack = new SetBack();
  for await (const line of lines) {
    if (line.trim() === "") continue;
    const fact = factOf(line);
    if (fact === null) {
      unread += 1;
      continue;
    }
    try {
      engine.step(fact);
      if (fact.kind === "second") {
        const end = fact.at + fact.lengthMs;
        now = setBack.heed(fact.at) > 0 ? end : Math.max(now, end);
        engine.tick(now);
        if (from === 0 || fact.at < from) from = fact.at;
        to = Math.max(to, end);
      }
      facts += 1;
    } catch {
      // It looked like a fact, and its rows are none. As in the control process it costs itself and nothing else.
      unread += 1;
    }
  }
  const incidents = engine
    .answer({ ask: "incidents", limit: INCIDENTS_MAX })
    .filter(({ state }) => state !== "merged")
    .toReversed();
  return { incidents, facts, unread, from, to };
}

/** What each kind of fact has at least, so that the engine finds what it looks for. */
const LISTS: Readonly<Record<Fact["kind"], readonly string[]>> = {
  second: ["traffic", "origins", "failures", "clients", "samples"],
  event: [],
  change: [],
  probe: ["rungs"],
  topology: ["services"],
  person: [],
};
const OBJECTS: Readonly<Record<Fact["kind"], readonly string[]>> = {
  second: ["own"],
  event: ["event"],
  change: ["where"],
  probe: [],
  topology: [],
  person: ["act"],
};

/** What a date can be told of, and more than any second was ever late. */
const AT_MAX = 8e15;
const LENGTH_MAX_MS = 86_400_000;

function isBetween(value: unknown, least: number, most: number): boolean {
  return typeof value === "number" && value >= least && value <= most;
}

function factOf(line: string): Fact | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const record = value as Readonly<Record<string, unknown>>; // Any object may be asked for any key.
  const { kind, at } = record;
  if (typeof kind !== "string" || !Object.hasOwn(LISTS, kind)) return null;
  const known = kind as Fact["kind"]; // A key of LISTS.
  if (!isBetween(at, 0, AT_MAX) || (known === "second" && !isBetween(record["lengthMs"], 1, LENGTH_MAX_MS)))
    return null;
  if (LISTS[known].some((key) => !Array.isArray(record[key]))) return null;
  if (OBJECTS[known].some((key) => typeof record[key] !== "object" || record[key] === null)) return null;
  return value as Fact; // Written by a gateway; its rows are taken as they are.
}
