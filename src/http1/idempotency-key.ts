/**
 * The value of Idempotency-Key: a structured string `"8e03978e-40d5"` (RFC 9651 §3.3.3). Most clients send the bare
 * key without quotes; both are read, and `"abc"` and `abc` are one key. Anything that two readers could take for
 * different keys is refused: an origin that reads it otherwise would carry out what we think is done.
 */
export const KEY_LENGTH_MAX = 255;

const QUOTED = /^"((?:[ !#-[\]-~]|\\["\\])*)"(?:;[ ]*[a-z*][a-z0-9_.*-]*(?:=[!#-+\--:<-~"]+)?)*$/;
/** Visible ASCII without what has a meaning in structured fields or joins two lines. */
const BARE = /^[!#-+\--:<-[\]-~]+$/;

/** The key, or why there is none in it. `value`: without the whitespace around it. */
export function parseIdempotencyKey(value: string): { readonly key: string } | { readonly wrong: string } {
  // Longer than any key can be, with every character escaped: not worth a look.
  if (value.length > 4 * KEY_LENGTH_MAX) return { wrong: tooLong(value.length) };
  const quoted = QUOTED.exec(value);
  const key = quoted === null ? value : (quoted[1] ?? "").replace(/\\(["\\])/g, "$1");
  if (key === "") return { wrong: "the key is empty" };
  if (key.length > KEY_LENGTH_MAX) return { wrong: tooLong(key.length) };
  if (quoted === null && !BARE.test(value)) return { wrong: "it is neither a quoted string nor a key without quotes" };
  return { key };
}

function tooLong(length: number): string {
  return `the key has ${length} characters, and ${KEY_LENGTH_MAX} are allowed`;
}
