/**
 * `goodgate forecast`: what is going to happen unless somebody acts, with when, how sure that is and what to do. The
 * soonest first; what is so already before all others.
 */
import type { ForecastsResponse } from "../contract/control-responses.ts";
import type { Forecast, Severity } from "../contract/incident.ts";
import { durationText } from "../contract/quantities.ts";
import { complain, sayJson, sayLines } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import { adminUrl, askGateway } from "./gateway-client.ts";
import { pageWidth, plain, wrap } from "./page.ts";
import type { CliPorts, PaintStyle, Terminal } from "./ports.ts";

export interface ForecastOptions {
  readonly admin?: string;
  readonly json?: boolean;
}

const TONES: Readonly<Record<Severity, PaintStyle>> = { critical: "red", warning: "yellow", notice: "cyan" };

export async function forecastCommand(ports: CliPorts, options: ForecastOptions): Promise<ExitCode> {
  const json = options.json === true;
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  const asked = await askGateway<ForecastsResponse>(ports, base.value, "/forecasts", (answer) =>
    Array.isArray(answer["forecasts"]),
  );
  if (!asked.ok) return complain(ports, asked.complaint, json);
  const { forecasts, now } = asked.value;
  if (json) sayJson(ports, asked.value);
  else sayLines(ports, linesOf(forecasts, now, ports.terminal));
  return forecasts.some(({ severity }) => severity === "critical") ? EXIT.no : EXIT.ok;
}

function linesOf(forecasts: readonly Forecast[], now: number, terminal: Terminal): string[] {
  if (forecasts.length === 0) return ["Nothing is foreseen that needs anybody."];
  const { paint } = terminal;
  const width = pageWidth(terminal);
  const soonest = forecasts.toSorted((a, b) => (a.when ?? 0) - (b.when ?? 0));
  return soonest.flatMap(({ severity, title, when, confidence, evidence, advice }, index) => [
    ...(index === 0 ? [] : [""]),
    ...wrap(plain(title), width).map((line) => paint("bold", line)),
    `  ${paint(TONES[severity], severity)}, ${whenText(when, now)}, ${Math.round(confidence * 100)} % sure`,
    ...evidence.flatMap(({ text }) => wrap(plain(text), width - 4)).map((line) => paint("dim", `    ${line}`)),
    ...wrap(plain(advice), width - 2).map((line) => `  ${line}`),
  ]);
}

function whenText(when: number | null, now: number): string {
  if (when === null || when <= now) return "now";
  return `in ${durationText((when - now) * 1000)} (${new Date(when).toISOString().slice(0, 16).replace("T", " ")} UTC)`;
}
