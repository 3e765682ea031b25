/**
 * The method as a string. The usual ones are recognised by length and letters and are shared strings, so that
 * a small GET makes no garbage and comparisons elsewhere are comparisons of pointers. Anything else that is a
 * token is a method too (RFC 9110 §9.1), and case matters: `get` is not GET.
 */
const USUAL: readonly (readonly string[])[] = byLength([
  "GET",
  "PUT",
  "POST",
  "HEAD",
  "PATCH",
  "TRACE",
  "DELETE",
  "CONNECT",
  "OPTIONS",
]);
const NONE: readonly string[] = [];

const G = 71;
const E = 69;
const T = 84;

/** The method in `[start, end)`, which the caller knows to be a token. */
export function methodOf(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length === 3 && bytes[start] === G && bytes[start + 1] === E && bytes[start + 2] === T) return "GET";
  for (const method of USUAL[length] ?? NONE) if (spells(method, bytes, start)) return method;
  return bytes.latin1Slice(start, end);
}

function spells(method: string, bytes: Buffer, start: number): boolean {
  for (let at = 0; at < method.length; at += 1) if (bytes[start + at] !== method.charCodeAt(at)) return false;
  return true;
}

function byLength(methods: readonly string[]): string[][] {
  const table: string[][] = [];
  for (const method of methods) (table[method.length] ??= []).push(method);
  return Array.from(table, (list) => list ?? []);
}
