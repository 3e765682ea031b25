/** Silences: who wants not to be told of what, why, and until when. They end by themselves and are kept over restarts. */
import type { NewSilence, Silence } from "../contract/control-port.ts";
import type { Document } from "../contract/control-store.ts";
import { nearest } from "../kernel/nearest.ts";

const KIND = "silence";
const SILENCES_MAX = 500;
/** What incidents say of themselves, and all names that places of incidents have. */
const NAMES: readonly string[] = [
  "incident",
  "service",
  "severity",
  "party",
  "cause",
  "pool",
  "provider",
  "origin",
  "address",
  "family",
  "zone",
  "route",
  "class",
  "network",
  "node",
  "worker",
  "limit",
  "revision",
  "rule",
];

export class Silences {
  static readonly kind = KIND;
  readonly #keep: (document: Document) => void;
  readonly #silences = new Map<string, Silence>();
  #numbers = 0;

  constructor(kept: readonly Document[], keep: (document: Document) => void) {
    this.#keep = keep;
    for (const { id, body } of kept) this.#silences.set(id, body as Silence);
  }

  at(now: number): readonly Silence[] {
    for (const [id, { until }] of this.#silences) if (until <= now) this.#silences.delete(id);
    return [...this.#silences.values()];
  }

  add(wanted: NewSilence, now: number): { readonly id: string } | { readonly refused: string } {
    if (wanted.until <= now) return { refused: "its end is not ahead" };
    if (Object.keys(wanted.where).length === 0) return { refused: "it would silence everything; say what it is about" };
    for (const name of Object.keys(wanted.where)) {
      if (NAMES.includes(name)) continue;
      const meant = nearest(name, NAMES);
      return {
        refused: `incidents have no "${name}"${meant === null ? `, but ${NAMES.join(", ")}` : `; did you mean "${meant}"?`}`,
      };
    }
    if (this.at(now).length >= SILENCES_MAX) return { refused: `there are ${SILENCES_MAX} silences already` };
    let id: string;
    do {
      this.#numbers += 1;
      id = `sil-${Math.floor(now / 1000)}-${this.#numbers}`;
    } while (this.#silences.has(id));
    const silence: Silence = { ...wanted, id, at: now };
    this.#silences.set(id, silence);
    this.#keep({ kind: KIND, id, at: now, until: silence.until, body: silence });
    return { id };
  }

  /** Empty: done. */
  end(id: string, now: number): string {
    const silence = this.at(now).find((one) => one.id === id);
    if (silence === undefined) return "it ended already, or never was";
    this.#silences.delete(id);
    this.#keep({ kind: KIND, id, at: now, until: now, body: null });
    return "";
  }
}
