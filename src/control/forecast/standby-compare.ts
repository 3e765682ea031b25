/**
 * Whether a standby would do what the first pool does, from what one origin of each showed when it was asked the same: pure,
 * so that what counts as a difference stands in one place. Dates, tags and the names of servers differ between any two.
 */
import type { Answered, Seen } from "../../contract/rungs.ts";

export interface Shown {
  readonly url: string;
  /** Null: it is reached in the clear. */
  readonly tls: Seen | null;
  /** Null: the handshake broke, so nothing could be asked. */
  readonly answer: Pick<Answered, "ok" | "status" | "text" | "fields"> | null;
}

/** Sentences for people; empty: alike, or the first pool does not work itself and is no measure. */
export function differencesOf(first: Shown, standby: Shown): string[] {
  if (first.answer === null || !first.answer.ok || first.answer.status >= 500) return [];
  if (standby.tls !== null && !standby.tls.ok)
    return [`its certificate or handshake is not accepted (${standby.tls.text})`];
  if (standby.answer === null) return [];
  const { ok, status, text } = standby.answer;
  if (!ok || status === 0) return [`it does not answer what ${first.url} answers (${text})`];
  if (status !== first.answer.status) return [`it answers ${status} where ${first.url} answers ${first.answer.status}`];
  return fieldsThatDiffer(first.answer.fields ?? {}, standby.answer.fields ?? {}).map(
    (name) =>
      `${name} is ${said(standby.answer?.fields?.[name])}, at ${first.url} ${said(first.answer?.fields?.[name])}`,
  );
}

function fieldsThatDiffer(
  one: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
): readonly string[] {
  return [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .filter((name) => (one[name] ?? "") !== (other[name] ?? ""))
    .toSorted();
}

function said(value: string | undefined): string {
  return value === undefined || value === "" ? "missing" : `"${value}"`;
}
