/**
 * Laying out text for a terminal: wrapping, aligned labels, tables. Everything that came from outside (a
 * target, an agent, a file's line) goes through `plain` first, because a request may carry bytes that a
 * terminal takes for commands.
 */
import type { Terminal } from "./ports.ts";

/** Lines longer than this are hard to read, however wide the window is. */
const COLUMNS_MAX = 110;
const COLUMNS_MIN = 40;

export function pageWidth(terminal: Terminal): number {
  return Math.max(COLUMNS_MIN, Math.min(COLUMNS_MAX, terminal.columns));
}

/** Control characters, C0 and C1 alike (a lone 0x9b starts a terminal command), become visible escapes; so do bidirectional overrides. */
export function plain(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** A message may quote what it is about, and a file of the wrong kind has no short lines. */
export function shortened(text: string, most = 240): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}

/** Breaks at spaces; a word longer than the width stays whole, so that it can be copied. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines;
}

/** `  label  text…`, texts wrapped and aligned behind the longest label. A label that repeats is shown once. */
export function labelled(
  rows: readonly { readonly label: string; readonly text: string }[],
  width: number,
  paintLabel: (label: string) => string,
): string[] {
  const labelWidth = Math.max(0, ...rows.map((row) => row.label.length));
  const lines: string[] = [];
  let previous = "";
  for (const row of rows) {
    const label = row.label === previous ? "" : row.label;
    previous = row.label;
    const wrapped = wrap(row.text, width - labelWidth - 4);
    for (const [index, text] of wrapped.entries()) {
      const padding = " ".repeat(labelWidth - (index === 0 ? label.length : 0));
      lines.push(`  ${index === 0 ? paintLabel(label) : ""}${padding}  ${text}`);
    }
  }
  return lines;
}

export interface TableCell {
  readonly text: string;
  /** Applied after the text was padded, so that colour codes do not count as width. */
  readonly paint?: (text: string) => string;
}

/** Columns as wide as their longest cell, two spaces apart; the last column is not padded. */
export function table(
  head: readonly string[],
  rows: readonly (readonly TableCell[])[],
  paintHead: (text: string) => string,
): string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.text.length ?? 0)),
  );
  const lineOf = (cells: readonly TableCell[]): string =>
    cells
      .map((cell, column) => {
        const text = column === cells.length - 1 ? cell.text : cell.text.padEnd(widths[column] ?? 0);
        return cell.paint === undefined ? text : cell.paint(text);
      })
      .join("  ");
  return [lineOf(head.map((text) => ({ text, paint: paintHead }))), ...rows.map(lineOf)].map((line) => `  ${line}`);
}
