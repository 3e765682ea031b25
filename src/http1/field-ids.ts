/**
 * The fields that the gateway treats specially, as small numbers: the parser recognises a name once, and
 * everything behind it compares integers. 0 is any other field.
 *
 * Recognition: a hash over length and three letters picks the only candidate, which is then compared byte by
 * byte, so that a crafted name can neither collide nor pass for another. Hashing every letter instead would
 * put a multiplication into the loop that looks at each byte of each name.
 */

/** Ids below 32 fit one mask; those of hop-by-hop fields must (see `HOP_BY_HOP`). At most 63 in all. */
export const FIELD = {
  OTHER: 0,
  CONNECTION: 1,
  KEEP_ALIVE: 2,
  PROXY_CONNECTION: 3,
  TE: 4,
  TRANSFER_ENCODING: 5,
  UPGRADE: 6,
  PROXY_AUTHENTICATE: 7,
  PROXY_AUTHORIZATION: 8,
  PROXY_AUTHENTICATION_INFO: 9,
  HTTP2_SETTINGS: 10,
  HOST: 11,
  CONTENT_LENGTH: 12,
  TRAILER: 13,
  EXPECT: 14,
  VIA: 15,
  MAX_FORWARDS: 16,
  FORWARDED: 17,
  X_FORWARDED_FOR: 18,
  X_FORWARDED_PROTO: 19,
  X_FORWARDED_HOST: 20,
  X_FORWARDED_PORT: 21,
  X_REAL_IP: 22,
  X_REQUEST_ID: 23,
  TRACEPARENT: 24,
  TRACESTATE: 25,
  USER_AGENT: 26,
  ACCEPT: 27,
  DATE: 28,
  SERVER: 29,
  RETRY_AFTER: 30,
  PROXY_STATUS: 31,
  SET_COOKIE: 32,
  CONTENT_TYPE: 33,
  LOCATION: 34,
  CACHE_STATUS: 35,
  AUTHORIZATION: 36,
  COOKIE: 37,
  IDEMPOTENCY_KEY: 38,
  RANGE: 39,
  CONTENT_RANGE: 40,
  CDN_LOOP: 41,
  CONTENT_ENCODING: 42,
  ACCEPT_ENCODING: 43,
  CACHE_CONTROL: 44,
  AGE: 45,
  ETAG: 46,
  LAST_MODIFIED: 47,
  VARY: 48,
  EXPIRES: 49,
  CDN_CACHE_CONTROL: 50,
  IF_NONE_MATCH: 51,
  IF_MODIFIED_SINCE: 52,
  IF_RANGE: 53,
  IF_MATCH: 54,
  IF_UNMODIFIED_SINCE: 55,
  PRAGMA: 56,
  X_REQUEST_TIMEOUT: 57,
  GRPC_TIMEOUT: 58,
  GOODGATE_ATTEMPT: 59,
  GOODGATE_MODE: 60,
} as const;

/** `FIELD.X_REAL_IP` is `x-real-ip`: the keys above are the names. */
export const FIELD_NAMES: readonly string[] = Object.keys(FIELD).map((key) => key.toLowerCase().replaceAll("_", "-"));

const SLOTS = 256;
/** Slot of the hash → id. */
const CANDIDATE = new Uint8Array(SLOTS);
/** Id → where its name begins in `LETTERS`; the next entry is where it ends. */
const NAME_AT = new Uint16Array(FIELD_NAMES.length + 1);
const LETTERS = new Uint8Array(FIELD_NAMES.join("").length);

fillTables();

/** The id of the name in `[start, end)`, which the caller knows to be a token. */
export function fieldIdOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const first = bytes[start] ?? 0;
  const late = bytes[start + ((3 * length) >> 2)] ?? 0;
  const last = bytes[end - 1] ?? 0;
  const id = CANDIDATE[slotOf(length, first, late, last)] ?? 0;
  let at = NAME_AT[id] ?? 0;
  if (id === 0 || (NAME_AT[id + 1] ?? 0) - at !== length) return 0;
  // Within a token, setting bit 5 changes nothing but the case of letters (and `^` and `_`, which no
  // recognised name contains and which become bytes that none contains either).
  for (let index = start; index < end; index += 1, at += 1) {
    if (((bytes[index] ?? 0) | 0x20) !== LETTERS[at]) return 0;
  }
  return id;
}

/** The multipliers were searched for: no two of the names above share a slot. Adding a name may ask for others. */
function slotOf(length: number, first: number, late: number, last: number): number {
  return (2 * length + (first | 0x20) + 12 * (late | 0x20) + 3 * (last | 0x20)) & (SLOTS - 1);
}

function fillTables(): void {
  let at = 0;
  for (const [id, name] of FIELD_NAMES.entries()) {
    NAME_AT[id] = at;
    for (let index = 0; index < name.length; index += 1, at += 1) LETTERS[at] = name.charCodeAt(index);
    if (id === FIELD.OTHER) continue;
    const letter = (index: number): number => name.charCodeAt(index);
    const slot = slotOf(name.length, letter(0), letter((3 * name.length) >> 2), letter(name.length - 1));
    if (CANDIDATE[slot] !== 0) throw new Error(`${name} shares a slot with ${FIELD_NAMES[CANDIDATE[slot] ?? 0]}`);
    CANDIDATE[slot] = id;
  }
  NAME_AT[FIELD_NAMES.length] = at;
}
