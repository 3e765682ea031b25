import type { SettingChange } from "../config/setting-changes.ts";

/** A configuration that was put into effect, and what it changed. Plain data, for status, metrics, events and facts. */
export interface Revision {
  /** 1 is what the gateway started with; each one that is applied has the next. */
  number: number;
  /** Of what is configured: the same settings have the same, whatever the file looks like. */
  hash: string;
  /** Epoch ms. */
  at: number;
  /** Who asked for it; empty when nobody said. */
  by: string;
  reason: string;
  /** Against the one before it; empty for the first. */
  changes: readonly SettingChange[];
}

const SHOWN_MAX = 3;

/** One sentence. */
export function revisionInWords({ number, hash, by, reason, changes }: Revision): string {
  const who = by === "" ? "" : ` by ${by}`;
  const why = reason === "" ? "" : ` (${reason})`;
  const shown = changes.slice(0, SHOWN_MAX).map(({ path }) => path);
  const more = changes.length > SHOWN_MAX ? ` and ${changes.length - SHOWN_MAX} more` : "";
  if (changes.length === 0)
    return `configuration ${number} (${hash}) is in effect${who}${why}: files that it names are others`;
  return `configuration ${number} (${hash}) is in effect${who}${why}: ${shown.join(", ")}${more}`;
}
