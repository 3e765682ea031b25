/** `goodgate replay FACTS`: the incidents that recorded facts make, told as they were then. Needs no gateway. */
import { durationText } from "../contract/quantities.ts";
import type { Incident } from "../contract/incident.ts";
import { complain, sayJson, sayLines } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import { pageWidth, plain, wrap } from "./page.ts";
import type { CliPorts, PaintStyle, ReplayResult, Terminal } from "./ports.ts";

export interface ReplayOptions {
  readonly json?: boolean;
}

export async function replayCommand(
  ports: CliPorts,
  file: string | undefined,
  options: ReplayOptions,
): Promise<ExitCode> {
  const json = options.json === true;
  const path = file ?? "";
  const replayed = await ports.replayFacts(path);
  if (!replayed.ok) {
    return complain(
      ports,
      {
        code: "file-unreadable",
        exit: EXIT.no,
        message: `${plain(path)} cannot be read (${replayed.code}).`,
        hints: [
          "It has one fact to a line, as JSON, or the same packed with gzip under a name that ends in .gz, or is control.sqlite of a state directory.",
        ],
      },
      json,
    );
  }
  if (replayed.facts === 0) {
    return complain(
      ports,
      {
        code: "no-facts",
        exit: EXIT.no,
        message: `there are no facts in ${plain(path)}${replayed.unread > 0 ? ` (${replayed.unread} lines that are none)` : ""}.`,
        hints: ["It has one fact to a line, as JSON, as the control process records them."],
      },
      json,
    );
  }
  if (json)
    sayJson(ports, {
      facts: replayed.facts,
      unread: replayed.unread,
      from: replayed.from,
      to: replayed.to,
      incidents: replayed.incidents,
    });
  else sayLines(ports, linesOf(replayed, ports.terminal));
  return EXIT.ok;
}

function linesOf(replayed: Extract<ReplayResult, { ok: true }>, terminal: Terminal): string[] {
  const { facts, unread, from, to, incidents } = replayed;
  const lasted = durationText((to - from) * 1000);
  const passed = unread > 0 ? `, ${unread} lines passed over` : "";
  const head = `${facts} facts of ${lasted}, ${timeText(from)} to ${timeText(to)}${passed}: ${incidents.length === 1 ? "1 incident" : `${incidents.length} incidents`}.`;
  return [...wrap(head, pageWidth(terminal)), ...incidents.flatMap((incident) => incidentLines(incident, terminal))];
}

const STYLES: Readonly<Record<Incident["severity"], PaintStyle>> = {
  critical: "red",
  warning: "yellow",
  notice: "dim",
};

function incidentLines(incident: Incident, terminal: Terminal): string[] {
  const { paint } = terminal;
  const width = pageWidth(terminal);
  const indented = (text: string, by: string): string[] =>
    wrap(plain(text), width - by.length).map((line) => by + line);
  const state = incident.state === "closed" ? "closed" : incident.state;
  const lines = [
    "",
    paint(STYLES[incident.severity], plain(incident.title)),
    paint(
      "dim",
      `  ${incident.id} · ${incident.severity} · ${state} · ${incident.party ?? "party unknown"} · ${incident.cause ?? incident.verdict}`,
    ),
    ...indented(incident.summary, "  "),
  ];
  for (const { claim, confidence, for: evidence, against } of incident.hypotheses) {
    lines.push(...indented(`${Math.round(confidence * 100)} % ${claim}`, "  "));
    for (const { text } of evidence) lines.push(...indented(`+ ${text}`, "      "));
    for (const { text } of against) lines.push(...indented(`- ${text}`, "      "));
  }
  for (const { at, kind, text } of incident.timeline) lines.push(...indented(`${timeText(at)} ${kind}: ${text}`, "  "));
  return [...lines, ...indented(`Next: ${incident.nextStep}`, "  ")];
}

/** UTC, since the same facts are to read the same everywhere. */
function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace("T", " ")}Z`;
}
