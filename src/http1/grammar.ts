/**
 * The character classes of RFC 9110 and RFC 9112 as lookup tables: one load per byte instead of a chain of
 * comparisons. The string predicates below serve the serialiser and the configuration; the parser uses the
 * tables itself.
 */

export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const SPACE = 32;
export const COLON = 58;

const ALPHANUMERIC = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** RFC 9110 §5.6.2: tchar. */
export const TOKEN: Uint8Array = allow(`${ALPHANUMERIC}!#$%&'*+-.^_\`|~`);

/** RFC 9110 §5.5: field content with inner whitespace. obs-text is opaque but allowed; control bytes are not. */
export const VALUE: Uint8Array = allowRange(allow("\t"), 0x20, 0xff, [0x7f]);

/**
 * A path, an authority or a scheme within a request target. More than RFC 3986 allows: `[ ] { } | ^` and the
 * backtick reach servers from every browser and split no message. Less than a byte: a backslash is a second
 * slash to some servers, `" < >` end up in logs and pages, and bytes above 0x7f have no agreed encoding.
 */
export const PATH: Uint8Array = allow(`${ALPHANUMERIC}-._~%!$&'()*+,;=:@/[]{}|^\``);

/** A query: every visible ASCII character but `#`. Scripts and browsers send all of them unencoded. */
export const QUERY: Uint8Array = allowRange(new Uint8Array(256), 0x21, 0x7e, [0x23]);

/**
 * RFC 3986 §3.2.2: reg-name, without the comma. A comma is legal there, but no host name has one, and it is
 * what two Host fields look like after somebody joined them.
 */
export const REG_NAME: Uint8Array = allow(`${ALPHANUMERIC}-._~%!$&'()*+;=`);

/** The value of a hexadecimal digit, or 255. */
export const HEX: Uint8Array = hexadecimal();

/** RFC 9110 §5.6.2. */
export function isToken(text: string): boolean {
  return text.length > 0 && all(TOKEN, text);
}

/** A field value as it may be sent: no control bytes, no whitespace at either end (RFC 9110 §5.5). */
export function isFieldValue(text: string): boolean {
  return all(VALUE, text) && !/^[ \t]|[ \t]$/.test(text);
}

/** A request target as it may be sent, in any of the four forms; says nothing about which one. */
export function isTarget(text: string): boolean {
  const query = text.indexOf("?");
  if (query < 0) return text.length > 0 && all(PATH, text);
  return query > 0 && all(PATH, text.slice(0, query)) && all(QUERY, text.slice(query + 1));
}

function all(table: Uint8Array, text: string): boolean {
  for (let index = 0; index < text.length; index += 1) if (!table[text.charCodeAt(index)]) return false;
  return true;
}

function allow(characters: string): Uint8Array {
  const table = new Uint8Array(256);
  for (let index = 0; index < characters.length; index += 1) table[characters.charCodeAt(index)] = 1;
  return table;
}

function allowRange(table: Uint8Array, from: number, to: number, except: readonly number[]): Uint8Array {
  for (let byte = from; byte <= to; byte += 1) if (!except.includes(byte)) table[byte] = 1;
  return table;
}

function hexadecimal(): Uint8Array {
  const table = new Uint8Array(256).fill(255);
  for (let digit = 0; digit < 16; digit += 1) {
    const character = digit.toString(16);
    table[character.charCodeAt(0)] = digit;
    table[character.toUpperCase().charCodeAt(0)] = digit;
  }
  return table;
}
