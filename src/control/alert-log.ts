/**
 * What was sent, to whom, and how that went: shown, so that nobody wonders, and kept over restarts, so that nobody hears
 * twice and what was under way is sent all the same.
 */
import type { AlertMessage } from "../contract/alerts.ts";
import type { AlertsView } from "../contract/control-port.ts";
import type { Document } from "../contract/control-store.ts";

export type SentAlert = AlertsView["sent"][number];

interface Entry {
  readonly sent: SentAlert;
  /** While it waits. */
  readonly message: AlertMessage | null;
}

const KIND = "alert";
const KEEP_MS = 7 * 86_400_000;
const SHOWN_MAX = 200;
const KNOWN_MAX = 2_000;

export class AlertLog {
  readonly #keep: (document: Document) => void;
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();

  constructor(kept: readonly Document[], keep: (document: Document) => void) {
    this.#keep = keep;
    for (const { id, body } of kept) this.#entries.set(id, body as Entry);
  }

  static readonly kind = KIND;

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** What was not settled when it was written down. */
  waiting(): readonly { readonly sink: string; readonly message: AlertMessage }[] {
    return [...this.#entries.values()].flatMap(({ sent, message }) =>
      message === null ? [] : [{ sink: sent.sink, message }],
    );
  }

  record(key: string, sent: SentAlert, message: AlertMessage | null): void {
    const entry: Entry = { sent, message };
    this.#entries.set(key, entry);
    this.#keep({ kind: KIND, id: key, at: sent.at, until: sent.at + KEEP_MS, body: entry });
    if (this.#entries.size <= KNOWN_MAX) return;
    for (const [old, { message: waiting }] of this.#entries) {
      if (waiting !== null) continue;
      this.#entries.delete(old);
      return;
    }
  }

  newest(): readonly SentAlert[] {
    return [...this.#entries.values()]
      .map(({ sent }) => sent)
      .toSorted((one, other) => other.at - one.at)
      .slice(0, SHOWN_MAX);
  }

  /** Oldest first. */
  about(incident: string): readonly SentAlert[] {
    return [...this.#entries.values()].map(({ sent }) => sent).filter((sent) => sent.incident === incident);
  }
}
