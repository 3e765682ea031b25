/**
 * A moment in the past, as people and programs write it in `since`: `10m` (ago), `2026-11-21T14:05:00Z`, or
 * epoch ms. Answers the epoch ms, or a sentence that says which form would be right.
 *
 * A time without a zone is refused rather than guessed: who asks and the gateway may live in different ones.
 */
export type Since = { readonly ok: true; readonly at: number } | { readonly ok: false; readonly detail: string };

export const SINCE_FORMS =
  "how long ago (30s, 10m, 2h, 1d), a time with its zone (2026-11-21T14:05:00Z), or epoch ms (1795269900000)";

export function parseSince(text: string, now: number): Since {
  const ago = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)$/.exec(text);
  if (ago !== null) return { ok: true, at: now - Number(ago[1]) * (UNIT_MS[ago[2] ?? ""] ?? 0) };
  if (/^\d+$/.test(text)) return parseEpoch(text);
  if (/^\d{4}-\d\d-\d\d/.test(text)) return parseIso(text);
  if (text.startsWith("-")) return refused(`"${text}" is negative: write how long ago without a sign`);
  return refused(`"${text}" is not a time`);
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Ten digits are seconds of this age, thirteen are ms; what lies between is neither. */
function parseEpoch(text: string): Since {
  if (text.length >= 12 && text.length <= 15) return { ok: true, at: Number(text) };
  if (text.length >= 9 && text.length <= 11)
    return refused(`${text} looks like seconds, and this is in ms: write ${text}000`);
  return refused(`${text} has no unit and is too small for epoch ms: write ${text}s or ${text}m for how long ago`);
}

function parseIso(text: string): Since {
  const form = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?)?$/i.exec(text);
  if (form === null) {
    const isSpaceForPlus = /^\S+ \d\d:\d\d$/.test(text) && text.includes("T");
    return refused(
      isSpaceForPlus
        ? `"${text}" has a space where a + was meant: in a URL write %2B`
        : `"${text}" is not an ISO 8601 time`,
    );
  }
  if (text.includes("T") && form[1] === undefined) return refused(`"${text}" has no zone: add Z or +02:00`);
  const at = Date.parse(text);
  return Number.isNaN(at) ? refused(`"${text}" is a day or an hour that does not exist`) : { ok: true, at };
}

function refused(what: string): Since {
  return { ok: false, detail: `${what}. since is ${SINCE_FORMS}.` };
}
