/** `goodgate probe ORIGIN`: has the gateway climb the probe ladder at an origin, and says which rung holds and which breaks. */
import type { ProbeFact, ProbeRung } from "../contract/facts.ts";
import { answersErrorsOnly } from "../contract/probe-answers.ts";
import { complain, sayJson, sayLines } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import { adminUrl, askGateway } from "./gateway-client.ts";
import { placeOf } from "./origin-service.ts";
import { pageWidth, plain, wrap } from "./page.ts";
import type { CliPorts, PaintStyle, Terminal } from "./ports.ts";

export interface ProbeOptions {
  readonly service?: string;
  readonly by?: string;
  readonly admin?: string;
  readonly json?: boolean;
}

/** A climb takes 13 s at most, and the gateway waits for it for 20. */
const CLIMB_MS = 22_000;

const TONES: Readonly<Record<ProbeRung["result"], PaintStyle>> = { holds: "green", breaks: "red", unknown: "yellow" };

export async function probeCommand(
  ports: CliPorts,
  origin: string | undefined,
  options: ProbeOptions,
): Promise<ExitCode> {
  const json = options.json === true;
  if (origin === undefined) {
    const hints = ["goodgate probe http://10.0.0.7:3000"];
    return complain(ports, { code: "usage", exit: EXIT.usage, message: "say which origin.", hints }, json);
  }
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  const place = await placeOf(ports, base.value, origin, options.service);
  if (!place.ok) return complain(ports, place.complaint, json);
  const by = options.by ?? ports.env["USER"] ?? "";
  const body = { ...place.value, by: by === "" ? "the command line" : by };
  const isAnswer = (answer: Record<string, unknown>): boolean => Array.isArray(answer["rungs"]);
  const asked = await askGateway<ProbeFact>(ports, base.value, "/probes", isAnswer, "POST", body, CLIMB_MS);
  if (!asked.ok) return complain(ports, asked.complaint, json);
  if (json) sayJson(ports, asked.value);
  else sayLines(ports, linesOf(asked.value, ports.terminal));
  return isBroken(asked.value) ? EXIT.no : EXIT.ok;
}

function linesOf({ rungs, located }: ProbeFact, terminal: Terminal): string[] {
  const { paint } = terminal;
  const width = pageWidth(terminal);
  return [
    ...rungs.flatMap(({ rung, at, result, ms, text }) => [
      `${paint(TONES[result], result.padEnd(7))}  ${paint("bold", plain(rung))}  ${plain(at)}`,
      ...wrap(plain(`${text}, after ${ms} ms`), width - 9).map((line) => `         ${line}`),
    ]),
    "",
    ...wrap(plain(located), width),
  ];
}

/** Of the ladder itself; what is beside it says where to look and not whether the origin is well. */
function isBroken({ rungs }: ProbeFact): boolean {
  const breaks = rungs.some(
    ({ rung, result }) => result === "breaks" && !rung.startsWith("control: ") && rung !== "other port",
  );
  return breaks || answersErrorsOnly(rungs);
}
