/**
 * The events of several workers as one stream. What happened to an origin happened once, though each worker comes to
 * know of it and says so: what another one has said a moment ago is not said again. What a process says of itself
 * carries its number.
 */
import type { GatewayEvent } from "../contract/view.ts";

type Told = Exclude<GatewayEvent, { kind: "exchange" | "gateway" }>;

/** Workers learn from each other within a tenth of that; a busy one later. */
const SAME_MS = 5_000;
const KNOWN_MAX = 4_096;
/** What each worker does alike, with the same files and settings. */
const OF_ALL: ReadonlySet<string> = new Set(["certificate.refused", "certificate.reloaded", "config.applied"]);

export class MergedEvents {
  /** By what it is about: what was said of it last, and when. Oldest first. */
  readonly #known = new Map<string, { readonly says: string; readonly at: number }>();

  /** Null: it has been said. `now`: monotonic ms. */
  merge<Event extends GatewayEvent>(worker: number, event: Event, now: number): Event | null {
    if (event.kind === "exchange") return event;
    // Of itself each says what is its own; what it did for all, only the one says that did it.
    const isOfAll = event.kind === "gateway" && OF_ALL.has(event.code);
    if (event.kind === "gateway" && !isOfAll) return { ...event, detail: `worker ${worker}: ${event.detail}` };
    const about = event.kind === "gateway" ? `${event.code}\n${event.detail}` : subjectOf(event);
    const says = event.kind === "gateway" ? event.detail : sayingOf(event);
    const known = this.#known.get(about);
    const isNew = known === undefined || known.says !== says || now - known.at >= SAME_MS;
    if (!isNew) return null;
    this.#known.delete(about);
    this.#known.set(about, { says, at: now });
    if (this.#known.size > KNOWN_MAX) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    return event;
  }
}

function subjectOf(event: Told): string {
  switch (event.kind) {
    case "origin":
    case "disagreement":
      return [event.kind, event.service, event.pool, event.origin, event.address].join("\n");
    case "pool":
    case "spill":
      return [event.kind, event.service].join("\n");
    case "fail-open":
      return [event.kind, event.service, event.pool].join("\n");
    case "resolution":
      return [event.kind, event.service, event.origin].join("\n");
  }
}

/** What makes it the same as another one about the same. Sentences differ by a number of requests. */
function sayingOf(event: Told): string {
  switch (event.kind) {
    case "origin":
    case "disagreement":
    case "fail-open":
      return event.state;
    case "pool":
      return event.to;
    case "spill":
      return event.shares.map(({ pool, share }) => `${pool} ${share.toFixed(1)}`).join(" ");
    case "resolution":
      return event.because;
  }
}
