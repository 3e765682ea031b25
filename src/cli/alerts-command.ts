/**
 * `goodgate alerts`: how the sinks are, what was told to whom and which silences hold; `goodgate alerts test`: a marked
 * message, to see that it arrives. `goodgate silence`: keep messages about something back, with a reason and an end.
 */
import type { AlertsView, Silence } from "../contract/control-port.ts";
import type { AlertsTestedResponse, SilencedResponse } from "../contract/control-responses.ts";
import { complain, sayJson, sayLines } from "./context.ts";
import type { Complaint } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import { adminUrl, askGateway } from "./gateway-client.ts";
import { plain } from "./page.ts";
import type { CliPorts, PaintStyle } from "./ports.ts";

export interface AlertsOptions {
  readonly by?: string;
  readonly admin?: string;
  readonly json?: boolean;
}

export interface SilenceOptions extends AlertsOptions {
  readonly where?: readonly string[];
  readonly for?: string;
  readonly reason?: string;
}

const SENT_SHOWN = 20;
const TONES: Readonly<Record<string, PaintStyle>> = {
  ok: "green",
  delivered: "green",
  failing: "red",
  failed: "red",
  waiting: "yellow",
};

export async function alertsCommand(
  ports: CliPorts,
  [action, sink]: readonly string[],
  options: AlertsOptions,
): Promise<ExitCode> {
  const json = options.json === true;
  if (action !== undefined && action !== "test") {
    return complain(ports, usage(`alerts can be tested, not ${plain(action)}.`, "goodgate alerts test pager"), json);
  }
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  return action === "test" ? test(ports, base.value, sink, options) : show(ports, base.value, json);
}

export async function silenceCommand(
  ports: CliPorts,
  [action, id]: readonly string[],
  options: SilenceOptions,
): Promise<ExitCode> {
  const json = options.json === true;
  const example = 'goodgate silence --where service=shop --for 2h --reason "moving house"';
  if (action !== undefined && action !== "end")
    return complain(ports, usage("a silence is made or ended.", example), json);
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  const by = nameOf(ports, options);
  if (action === "end") {
    if (id === undefined) return complain(ports, usage("say which:", "goodgate silence end sil-1795297646-1"), json);
    const path = `/silences/${encodeURIComponent(id)}/end`;
    const ended = await askGateway<SilencedResponse>(ports, base.value, path, isSilenced, "POST", { by });
    if (!ended.ok) return complain(ports, ended.complaint, json);
    if (json) sayJson(ports, ended.value);
    else sayLines(ports, [`${plain(id)} has ended: what still goes on is told.`]);
    return EXIT.ok;
  }
  const where = whereOf(options.where ?? []);
  if (where === null) return complain(ports, usage("say what it is about, as NAME=VALUE.", example), json);
  if (options.reason === undefined) return complain(ports, usage("say why, with --reason.", example), json);
  const body = { where, by, reason: options.reason, for: options.for ?? "1h" };
  const made = await askGateway<SilencedResponse>(ports, base.value, "/silences", isSilenced, "POST", body);
  if (!made.ok) return complain(ports, made.complaint, json);
  if (json) sayJson(ports, made.value);
  else {
    sayLines(ports, [
      `${plain(made.value.id)}: nothing about ${plain((options.where ?? []).join(", "))} is told until ${new Date(made.value.until).toISOString()}.`,
      `  That something is over is told all the same. Earlier:  goodgate silence end ${plain(made.value.id)}`,
    ]);
  }
  return EXIT.ok;
}

async function test(
  ports: CliPorts,
  base: string,
  sink: string | undefined,
  options: AlertsOptions,
): Promise<ExitCode> {
  const json = options.json === true;
  const body = { by: nameOf(ports, options), ...(sink === undefined ? {} : { sink }) };
  const isAnswer = (answer: Record<string, unknown>): boolean => Array.isArray(answer["tested"]);
  const asked = await askGateway<AlertsTestedResponse>(ports, base, "/alerts/test", isAnswer, "POST", body);
  if (!asked.ok) return complain(ports, asked.complaint, json);
  const { tested } = asked.value;
  if (json) sayJson(ports, asked.value);
  else
    sayLines(
      ports,
      tested.map((one) => line(ports, one.sink, one.outcome, one.detail)),
    );
  return tested.every(({ outcome }) => outcome === "delivered") ? EXIT.ok : EXIT.no;
}

async function show(ports: CliPorts, base: string, json: boolean): Promise<ExitCode> {
  const asked = await askGateway<AlertsView>(ports, base, "/alerts", (answer) => Array.isArray(answer["sinks"]));
  if (!asked.ok) return complain(ports, asked.complaint, json);
  const { sinks, silences, sent } = asked.value;
  const { paint } = ports.terminal;
  if (json) sayJson(ports, asked.value);
  else {
    sayLines(ports, [
      ...(sinks.length === 0
        ? ["Nobody is told of incidents: no sink is configured (alerts.sinks)."]
        : [
            paint("bold", "Sinks"),
            ...sinks.map(({ name, kind, state, because }) => line(ports, `${name} (${kind})`, state, because)),
          ]),
      ...(silences.length === 0 ? [] : ["", paint("bold", "Silences"), ...silences.map(silenceLine)]),
      ...(sent.length === 0 ? [] : ["", paint("bold", "Told, newest first")]),
      ...sent
        .slice(0, SENT_SHOWN)
        .map(({ at, incident, sink, what, outcome, detail }) =>
          line(ports, `${clock(at)} ${what} ${incident} to ${sink}`, outcome, detail),
        ),
      ...(sinks.length + sent.length === 0 ? [] : ["", paint("dim", "Times are UTC.")]),
    ]);
  }
  return sinks.some(({ state }) => state === "failing") ? EXIT.no : EXIT.ok;
}

function line({ terminal }: CliPorts, what: string, state: string, detail: string): string {
  const tone = TONES[state];
  return `  ${plain(what)}: ${tone === undefined ? state : terminal.paint(tone, state)}${detail === "" ? "" : `, ${plain(detail)}`}`;
}

function silenceLine({ id, where, by, reason, until }: Silence): string {
  const about = Object.entries(where).map(([name, value]) => `${name}=${value}`);
  return plain(`  ${id}: ${about.join(", ")} until ${clock(until)}, ${by}: ${reason}`);
}

function whereOf(pairs: readonly string[]): Record<string, string> | null {
  const entries = pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)] as const);
  const isGood = pairs.length > 0 && pairs.every((pair) => /^[^=]+=./.test(pair));
  return isGood ? Object.fromEntries(entries) : null;
}

function nameOf({ env }: CliPorts, { by }: AlertsOptions): string {
  const name = by ?? env["USER"] ?? "";
  return name === "" ? "the command line" : name;
}

function isSilenced(answer: Record<string, unknown>): boolean {
  return "until" in answer;
}

function clock(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace("T", " ");
}

function usage(message: string, hint: string): Complaint {
  return { code: "usage", exit: EXIT.usage, message, hints: [hint] };
}
