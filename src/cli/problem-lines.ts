/**
 * A problem of the configuration as an editor shows it: the place, the line itself, a caret under the
 * column, and what would be right.
 */
import type { ConfigNote, ConfigProblem } from "../config/problems.ts";
import { countText } from "../contract/quantities.ts";
import { pageWidth, plain, shortened, wrap } from "./page.ts";
import type { Terminal } from "./ports.ts";

export function problemLines(problems: readonly ConfigProblem[], text: string, terminal: Terminal): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  const file = problems[0]?.file ?? "";
  return [
    ...problems.flatMap((problem) => [...oneProblem(problem, lines, terminal), ""]),
    terminal.paint("bold", `${countText(problems.length, "problem")} in ${plain(file)}.`),
  ];
}

function oneProblem(problem: ConfigProblem, lines: readonly string[], terminal: Terminal): string[] {
  const { paint } = terminal;
  const place = `${plain(problem.file)}:${problem.line}:${problem.column}`;
  const shown = [
    `${paint("bold", place)}  ${paint("red", plain(shortened(problem.message)))}`,
    ...excerpt(lines, problem.line, problem.column, terminal),
  ];
  if (problem.hint !== "")
    shown.push(...wrap(plain(shortened(problem.hint)), pageWidth(terminal) - 2).map((line) => `  ${line}`));
  return shown;
}

/** The line with a caret. A long line is cut around the column, so that the caret stays under what it means. */
function excerpt(lines: readonly string[], line: number, column: number, terminal: Terminal): string[] {
  const raw = lines[line - 1];
  if (raw === undefined || raw.trim() === "") return [];
  const number = String(line);
  const room = pageWidth(terminal) - number.length - 6;
  const from = Math.max(0, Math.min(column - 1 - Math.floor(room / 2), raw.length - room));
  // One column stays one column: a tab or a control character becomes a single space, so the caret is right.
  const visible = raw.slice(from, from + room).replace(NOT_ONE_COLUMN, " ");
  const { paint } = terminal;
  return [
    `  ${paint("dim", `${number} |`)} ${visible}`,
    `  ${paint("dim", `${" ".repeat(number.length)} |`)} ${" ".repeat(Math.max(0, column - 1 - from))}${paint("red", "^")}`,
  ];
}

// oxlint-disable-next-line no-control-regex -- control characters are what is replaced.
const NOT_ONE_COLUMN = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

export function noteLines(notes: readonly ConfigNote[], terminal: Terminal): string[] {
  return notes.map(
    (note) =>
      `${terminal.paint("yellow", "note")} ${plain(note.file)}:${note.line}:${note.column}  ${plain(note.message)}`,
  );
}
