/**
 * How every command ends: with something said, as words or as JSON, and an exit code. A failure that a
 * person can act on is a value with what happened and what to do, never a stack.
 */
import type { ExitCode } from "./exit-codes.ts";
import type { CliPorts } from "./ports.ts";
import { pageWidth, wrap } from "./page.ts";

export interface Complaint {
  /** Stable, for programs: `gateway-unreachable`. */
  readonly code: string;
  readonly exit: ExitCode;
  /** One sentence. */
  readonly message: string;
  /** What to do about it; each entry a line of its own. */
  readonly hints: readonly string[];
}

export function sayJson(ports: CliPorts, value: unknown): void {
  ports.stdout(`${JSON.stringify(value, null, 2)}\n`);
}

export function sayLines(ports: CliPorts, lines: readonly string[]): void {
  ports.stdout(`${lines.join("\n")}\n`);
}

/** Says what is wrong: words on stderr, or with `--json` an object on stdout, where a program reads. Returns the exit code. */
export function complain(ports: CliPorts, complaint: Complaint, json: boolean): ExitCode {
  if (json) {
    sayJson(ports, { error: { code: complaint.code, message: complaint.message, hints: complaint.hints } });
    return complaint.exit;
  }
  const { paint } = ports.errorTerminal;
  const width = pageWidth(ports.errorTerminal);
  const head = wrap(`goodgate: ${complaint.message}`, width).map((line, index) =>
    index === 0 ? paint("red", line) : line,
  );
  const hints = complaint.hints.flatMap((hint) => wrap(hint, width - 2).map((line) => `  ${line}`));
  ports.stderr(`${[...head, ...hints].join("\n")}\n`);
  return complaint.exit;
}
