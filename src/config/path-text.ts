/**
 * One spelling for paths that mean the same, and all the spellings of a path that can be read in two ways.
 *
 * RFC 3986 §6.2.2 calls some paths equivalent: `%7Euser` and `~user`, `%c3` and `%C3`, `/a/./b` and `/a/b`.
 * Those get one canonical form. Others are equivalent to some origins only: `/a%2Fb` is one segment to the
 * RFC and two to many servers, and `/public/..;/admin` is `/admin` to a servlet container. A gateway that
 * settles for one reading can be led past its own routes, so every plausible reading is produced here and
 * the route table insists that all of them lead to the same route. Nothing here is ever sent.
 *
 * Not considered: origins that decode twice (`%252e`). That is a fault of theirs in front of any gateway.
 */

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;

/** What a character code needs: 0 nothing, 1 a look at what follows, 2 (and all codes beyond the table) doubt. */
const CLASS: Uint8Array = new Uint8Array(128).fill(2);
for (const character of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,=:@") {
  CLASS[character.charCodeAt(0)] = 0;
}
CLASS[SLASH] = 1;
CLASS[PERCENT] = 1;

/**
 * The number of slashes in a path that has exactly one reading, its own text; -1 for one that needs
 * `readingsOf` (the empty path, which is `/`, too). On the way of every request: one pass, nothing allocated.
 */
export function plainSlashes(path: string): number {
  if (path.length === 0) return -1;
  let slashes = 0;
  for (let index = 0; index < path.length; index += 1) {
    const code = path.charCodeAt(index);
    const kind = CLASS[code];
    if (kind === 0) continue;
    if (code === SLASH) {
      slashes += 1;
      if (!isPlainSegmentAt(path, index + 1)) return -1;
    } else if (kind !== 1 || !isPlainTripletAt(path, index)) {
      return -1;
    }
  }
  return slashes;
}

/** Neither `//` nor a segment `.` or `..`; a dot file is plain. */
function isPlainSegmentAt(path: string, start: number): boolean {
  const first = path.charCodeAt(start);
  if (first === SLASH) return false;
  if (first !== DOT) return true;
  const second = start + 1 < path.length ? path.charCodeAt(start + 1) : SLASH;
  const third = start + 2 < path.length ? path.charCodeAt(start + 2) : SLASH;
  return second !== SLASH && (second !== DOT || third !== SLASH);
}

/** An encoded byte that every origin reads alike and that is spelled in the canonical way. */
function isPlainTripletAt(path: string, index: number): boolean {
  const high = HEX.indexOf(path.charAt(index + 1));
  const low = HEX.indexOf(path.charAt(index + 2));
  if (index + 2 >= path.length || high < 0 || low < 0) return false;
  const code = high * 16 + low;
  return CLASS[code] !== 0 && code !== SLASH && code !== BACKSLASH;
}

const HEX = "0123456789ABCDEF";
const BACKSLASH = 0x5c;

/** Longer paths are read when there is one way to do it. Comparing costs by length, and a client chooses the length. */
const READ_LENGTH_MAX = 2048;

/**
 * Every way in which an origin may read this path, the one of RFC 3986 first, without repetition: one for
 * nearly all paths that honest clients send, and never more than 12. Null: too many to compare, because the
 * path is too long or has encoded slashes, backslashes and parameters all at once.
 */
export function readingsOf(path: string): readonly string[] | null {
  const written = path.replace(/[?#].*$/s, "");
  if (written.length > READ_LENGTH_MAX && /\/\/|[;\\]|%2f|%5c/i.test(written)) return null;
  const text = canonicalText(written);
  if (text.includes("%2F") && text.includes("%5C") && text.includes(";")) return null;
  const readings = new Set<string>([withoutDots(text)]);
  const slashes = text.includes("%2F") ? [false, true] : [false];
  const backslashes = text.includes("%5C") ? [false, true] : [false];
  const parameters: readonly ("keep" | "cut first" | "cut last")[] = text.includes(";")
    ? ["keep", "cut first", "cut last"]
    : ["keep"];
  for (const cut of parameters) {
    for (const hasSlashes of slashes) {
      for (const hasBackslashes of backslashes) {
        let reading = cut === "cut first" ? withoutParameters(text) : text;
        if (hasSlashes) reading = reading.replaceAll("%2F", "/");
        if (hasBackslashes) reading = reading.replaceAll("%5C", "/");
        if (cut === "cut last") reading = withoutParameters(reading);
        readings.add(withoutDots(reading));
        if (reading.includes("//")) readings.add(withoutDots(reading.replaceAll(/\/{2,}/g, "/")));
      }
    }
  }
  return [...readings];
}

/**
 * One spelling of the bytes: hexadecimal digits in upper case, unreserved characters decoded, characters
 * that may not stand in a path encoded (RFC 3986 §6.2.2.1 and §6.2.2.2). Beyond the RFC, `: @ ! $ & ' ( ) *
 * + , =` are decoded too: they delimit nothing in a path, every origin treats both spellings alike, and
 * clients send both (`/@scope` and `/%40scope`). `;`, `/`, `\` and `%` keep their encoding: it matters.
 */
export function canonicalText(text: string): string {
  // A percent sign alone is encoded like any byte that may not stand there. Left as it is, it would join
  // with what is decoded behind it: `%2%46` would become an encoded slash that nobody sent.
  return text.replaceAll(/%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~!$&'()*+,=:@/;]/gu, (piece) =>
    piece.length === 3 ? canonicalTriplet(piece) : encoded(piece),
  );
}

function canonicalTriplet(triplet: string): string {
  const code = Number.parseInt(triplet.slice(1), 16);
  return CLASS[code] === 0 ? String.fromCharCode(code) : triplet.toUpperCase();
}

/** The same for a path that a person wrote: letters beyond ASCII are UTF-8, as in every URL. */
export function canonicalWritten(text: string): string {
  return canonicalText(text.replaceAll(/[\u{80}-\u{10ffff}]/gu, inUtf8));
}

/** Bytes as the wire gave them (latin1) stay bytes. */
function encoded(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code <= 0xff ? `%${code.toString(16).toUpperCase().padStart(2, "0")}` : inUtf8(character);
}

function inUtf8(character: string): string {
  return Array.from(new TextEncoder().encode(character), (byte) => `%${byte.toString(16).toUpperCase()}`).join("");
}

/** RFC 3986 §5.2.4. `..` above the root stays at the root, and a last `.` or `..` leaves a slash behind. */
function withoutDots(path: string): string {
  if (!path.startsWith("/")) return path === "" ? "/" : path;
  if (!path.includes("/.")) return path;
  const kept: string[] = [];
  for (const segment of path.slice(1).split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== ".") kept.push(segment);
  }
  const endsInDots = path.endsWith("/.") || path.endsWith("/..");
  return `/${kept.join("/")}${endsInDots && kept.length > 0 ? "/" : ""}`;
}

/** `/a;v=1/..;/b` to `/a/../b`: what servlet containers do with a segment before they look at it. */
function withoutParameters(path: string): string {
  return path.replaceAll(/;[^/]*/g, "");
}
