/**
 * `goodgate check`: is the file right, and with `--explain`, which route would take this request and why
 * not the others. It needs no gateway and changes nothing. Exit code 1 when the file has problems, or
 * when no route takes an explained request.
 */
import type { RouteExplanation } from "../config/route-explain.ts";
import { compileRoutes } from "../config/route-table.ts";
import type { Settings } from "../config/settings.ts";
import { countText } from "../contract/quantities.ts";
import { certificateProblemLines, certificateProblems } from "./certificate-problems.ts";
import { CONFIG_FILE, loadFile } from "./config-file.ts";
import { complain, sayJson, sayLines } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import type { ExplainedRequest } from "./explained-request.ts";
import { parseExplained, parseFields } from "./explained-request.ts";
import { pageWidth, plain, wrap } from "./page.ts";
import type { CliPorts, PaintStyle, Terminal } from "./ports.ts";
import { noteLines } from "./problem-lines.ts";

export interface CheckOptions {
  readonly explain?: readonly string[];
  readonly header?: readonly string[];
  readonly json?: boolean;
}

export async function checkCommand(
  ports: CliPorts,
  file: string | undefined,
  options: CheckOptions,
): Promise<ExitCode> {
  const json = options.json === true;
  const misuse = (message: string, hint: string): ExitCode =>
    complain(ports, { code: "usage", exit: EXIT.usage, message: plain(message), hints: [plain(hint)] }, json);
  if (options.header !== undefined && options.explain === undefined) {
    return misuse("-H describes the request of --explain, and there is none.", "Add  --explain GET https://host/path");
  }
  const requests = options.explain === undefined ? null : parseExplained(options.explain);
  if (requests !== null && !requests.ok) return misuse(requests.message, requests.hint);
  const fields = parseFields(options.header ?? []);
  if (!fields.ok) return misuse(fields.message, fields.hint);

  const name = file ?? CONFIG_FILE;
  const loaded = await loadFile(ports, name, json);
  if (!loaded.ok) return loaded.exit;
  if (requests === null) {
    const problems = await certificateProblems(ports, loaded.settings);
    if (problems.length > 0) {
      if (json) sayJson(ports, { ok: false, file: name, problems });
      else ports.stderr(certificateProblemLines(problems, ports.errorTerminal).join("\n"));
      return EXIT.no;
    }
    if (json) sayJson(ports, { ok: true, file: name, notes: loaded.notes, summary: counts(loaded.settings) });
    else
      sayLines(ports, [
        ...noteLines(loaded.notes, ports.terminal),
        ports.terminal.paint("green", summary(name, loaded.settings)),
      ]);
    return EXIT.ok;
  }
  const table = compileRoutes(loaded.settings.services);
  const explanations = requests.value.map((request) => ({
    url: request.url,
    ...table.explain(request.host, request.method, request.path, (lowerName) => fields.value.get(lowerName) ?? null),
  }));
  if (json) sayJson(ports, { ok: explanations.every((one) => one.chosen !== null), file: name, explanations });
  else
    sayLines(
      ports,
      explanations.flatMap((one, index) => [...(index === 0 ? [] : [""]), ...explanationLines(one, ports.terminal)]),
    );
  return explanations.every((one) => one.chosen !== null) ? EXIT.ok : EXIT.no;
}

interface Counts {
  readonly listeners: number;
  readonly services: number;
  readonly pools: number;
  readonly origins: number;
  readonly routes: number;
}

function counts(settings: Settings): Counts {
  const pools = settings.services.flatMap((service) => service.pools);
  return {
    listeners: settings.listeners.length,
    services: settings.services.length,
    pools: pools.length,
    origins: pools.reduce((sum, pool) => sum + pool.origins.length, 0),
    routes: settings.services.reduce((sum, service) => sum + service.routes.length, 0),
  };
}

function summary(file: string, settings: Settings): string {
  const { listeners, services, pools, origins, routes } = counts(settings);
  return (
    `${plain(file)} is right: ${countText(listeners, "listener")}, ${countText(services, "service")}, ` +
    `${countText(origins, "origin")} in ${countText(pools, "pool")}, ${countText(routes, "route")}.`
  );
}

function explanationLines(explanation: RouteExplanation & Pick<ExplainedRequest, "url">, terminal: Terminal): string[] {
  const { paint } = terminal;
  const width = pageWidth(terminal);
  const { chosen, hostPattern, candidates, otherServices, readings, policies, limits } = explanation;
  const request = `${explanation.method} ${explanation.url}`;
  const verdict =
    chosen === null ? `${request} takes no route.` : `${request} → service ${chosen.service}, route ${chosen.route}`;
  const lines = [
    ...wrap(plain(verdict), width).map((line) => paint(chosen === null ? "red" : "green", line)),
    ...wrap(plain(explanation.because), width - 2).map((line) => `  ${line}`),
  ];
  lines.push(...[...policies, ...limits].flatMap((text) => wrap(plain(text), width - 2).map((line) => `  ${line}`)));
  if (readings.length > 1) {
    lines.push(
      `  Origins may read this path in ${readings.length} ways:`,
      ...readings.map((reading) => `    ${plain(reading)}`),
    );
  }
  if (candidates.length > 0) {
    lines.push(
      "",
      paint("bold", `Routes under host ${plain(hostPattern ?? "")}, in the order in which they are asked`),
    );
    for (const candidate of candidates) {
      const title = `${candidate.service} / ${candidate.route}  ${candidate.match}`;
      lines.push(
        `  ${paint(VERDICT_STYLES[candidate.verdict], candidate.verdict.padEnd(VERDICT_WIDTH))}  ${plain(title)}`,
      );
      const indent = " ".repeat(VERDICT_WIDTH + 4);
      lines.push(...wrap(plain(candidate.because), width - indent.length).map((line) => indent + line));
    }
  }
  if (otherServices.length > 0) {
    lines.push("", paint("bold", "Services that were not asked"));
    for (const other of otherServices) {
      const text = `${other.service} (${other.hosts.join(", ")}): ${other.because}`;
      lines.push(...wrap(plain(text), width - 2).map((line) => `  ${line}`));
    }
  }
  return lines;
}

type Verdict = RouteExplanation["candidates"][number]["verdict"];

const VERDICT_WIDTH = "outranked".length;
const VERDICT_STYLES: Readonly<Record<Verdict, PaintStyle>> = {
  chosen: "green",
  outranked: "yellow",
  "no match": "dim",
  ambiguous: "red",
};
