/**
 * What a client says about the order in which it wants its responses (RFC 9218 §4): in the `priority` field of a request,
 * or later in a PRIORITY_UPDATE frame. Of its dictionary (RFC 8941) the two members that are known are read; members of
 * another kind or beyond their range count as not said (§4), and so does a value that is no dictionary at all.
 */
export interface Priority {
  /** 0 is needed first, 7 last. */
  readonly urgency: number;
  /** Of use in pieces: it shares the connection with others. */
  readonly incremental: boolean;
}

/** §4.1. */
export const URGENCY = 3;
const LENGTH_MAX = 256;
/** A key and its value, with parameters that are passed over. */
const MEMBER = /^([a-z*][a-z0-9_.*-]*)(?:=([^;,\s]+))?(?:;[^,]*)?$/;

/** What browsers say, in each of their ways to say it: nearly every request has one of these. */
const USUAL = new Map<string, Priority>([["i", { urgency: URGENCY, incremental: true }]]);
for (let urgency = 0; urgency <= 7; urgency += 1) {
  USUAL.set(`u=${urgency}`, { urgency, incremental: false });
  for (const text of [`u=${urgency}, i`, `u=${urgency},i`]) USUAL.set(text, { urgency, incremental: true });
}

/** Null: it says nothing that can be read. */
export function parsePriority(value: string): Priority | null {
  return USUAL.get(value) ?? parseDictionary(value);
}

function parseDictionary(value: string): Priority | null {
  if (value.length > LENGTH_MAX) return null;
  if (value.trim() === "") return { urgency: URGENCY, incremental: false };
  let urgency = URGENCY;
  let incremental = false;
  for (const text of value.split(",")) {
    const member = MEMBER.exec(text.trim());
    if (member === null) return null;
    const [, key, its] = member;
    // Of a key that comes twice the last one counts (RFC 8941 §4.2.2).
    if (key === "u") urgency = its !== undefined && /^[0-7]$/.test(its) ? Number(its) : URGENCY;
    else if (key === "i") incremental = its === undefined || its === "?1";
  }
  return { urgency, incremental };
}
