/**
 * The notation of the wire corpus. A message is written as its lines; each line ends with CRLF, unless it ends
 * with a backslash, which leaves the line end out. Within a line: `\r \n \t \0 \\ \xHH`, and `\{30*ab}` for a
 * text repeated 30 times.
 */

/** The bytes (one character each) of a block or of a table cell without line ends of its own. */
export function bytesOf(lines: readonly string[]): string {
  return lines
    .map((line) => (/(?<!\\)(?:\\\\)*\\$/.test(line) ? unescape(line.slice(0, -1)) : `${unescape(line)}\r\n`))
    .join("");
}

export function unescape(text: string): string {
  return text.replaceAll(
    /\\(?:x([0-9a-f]{2})|\{(\d+)\*((?:[^}\\]|\\.)*)\}|(.))/g,
    (_whole, hex?: string, times?: string, repeated?: string, letter?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (times !== undefined) return unescape(repeated ?? "").repeat(Number(times));
      return plain(letter ?? "");
    },
  );
}

/** Readable again, for event logs. */
export function escaped(text: string): string {
  return text.replaceAll(/[\\"\0-\x1f\x7f-\xff]/g, (character) => {
    const short = { "\r": "\\r", "\n": "\\n", "\t": "\\t", "\0": "\\0", "\\": "\\\\", '"': '\\"' }[character];
    return short ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

function plain(letter: string): string {
  const control = { r: "\r", n: "\n", t: "\t", 0: "\0" }[letter];
  if (control !== undefined) return control;
  if (/[a-z0-9]/i.test(letter)) throw new Error(`the corpus has no escape \\${letter}`);
  return letter;
}
