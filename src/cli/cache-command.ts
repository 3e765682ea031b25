/** `goodgate cache`: what the cache holds and how often it answered; `goodgate cache purge`: what it has to forget. */
import type { CacheResponse } from "../contract/api-responses.ts";
import { countText, sizeText } from "../contract/quantities.ts";
import type { PurgeResult } from "../contract/view.ts";
import { complain, sayJson, sayLines } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import { adminUrl, askGateway } from "./gateway-client.ts";
import { plain, table } from "./page.ts";
import type { TableCell } from "./page.ts";
import type { CliPorts } from "./ports.ts";

export interface CacheOptions {
  readonly url?: string;
  readonly prefix?: string;
  readonly tag?: string;
  readonly admin?: string;
  readonly json?: boolean;
}

export async function cacheCommand(
  ports: CliPorts,
  action: string | undefined,
  options: CacheOptions,
): Promise<ExitCode> {
  const json = options.json === true;
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  const named = (["url", "prefix", "tag"] as const).filter((name) => options[name] !== undefined);
  if (action === undefined && named.length === 0) return show(ports, base.value, json);
  const [name] = named;
  if (action !== "purge" || name === undefined || named.length > 1) {
    const message =
      action !== undefined && action !== "purge"
        ? `there is nothing to do called ${plain(action)}: it is purge, or nothing to look.`
        : "purge what? Give exactly one of --url, --prefix and --tag.";
    const hints = ["goodgate cache purge --url http://shop.example.com/things/42"];
    return complain(ports, { code: "usage", exit: EXIT.usage, message, hints }, json);
  }
  const query = new URLSearchParams({ [name]: options[name] ?? "" });
  const asked = await askGateway<PurgeResult>(
    ports,
    base.value,
    `/cache/purge?${query.toString()}`,
    (answer) => typeof answer["purged"] === "number",
    "POST",
  );
  if (!asked.ok) return complain(ports, asked.complaint, json);
  if (json) sayJson(ports, asked.value);
  else sayLines(ports, [`Removed ${countText(asked.value.purged, "stored response")}.`]);
  return EXIT.ok;
}

async function show(ports: CliPorts, base: string, json: boolean): Promise<ExitCode> {
  const asked = await askGateway<CacheResponse>(ports, base, "/cache", (answer) => Array.isArray(answer["routes"]));
  if (!asked.ok) return complain(ports, asked.complaint, json);
  if (json) sayJson(ports, asked.value);
  else sayLines(ports, cacheLines(asked.value, ports));
  return EXIT.ok;
}

function cacheLines(cache: CacheResponse, ports: CliPorts): string[] {
  const { paint } = ports.terminal;
  const head = ["service", "route", "hit", "stale", "confirmed", "collapsed", "miss", "pass", "last good", "refreshed"];
  const rows: TableCell[][] = cache.routes.map(({ service, route, answers }) =>
    [
      plain(service),
      plain(route),
      ...[
        answers.hit,
        answers.stale,
        answers.revalidated,
        answers.collapsed,
        answers.miss,
        answers.pass,
        answers["last-good"],
        answers.refresh,
      ].map(String),
    ].map((text) => ({ text })),
  );
  return [
    paint(
      "bold",
      `${countText(cache.entries, "stored response")}, ${sizeText(cache.bytes)} of ${sizeText(cache.bytesMax)}`,
    ),
    paint(
      "dim",
      `${cache.stored} stored since the start · ${cache.evicted} evicted · ${cache.purged} purged · ${cache.invalidated} invalidated`,
    ),
    ...(cache.disk.bytesMax === 0 ? [] : [paint("dim", diskLine(cache.disk))]),
    "",
    ...table(head, rows, (text) => paint("dim", text)),
  ];
}

function diskLine({ entries, bytes, bytesMax, damaged, skipped }: CacheResponse["disk"]): string {
  const troubles = damaged + skipped === 0 ? "" : ` · ${damaged} found damaged · ${skipped} not written`;
  return `on disk: ${entries}, ${sizeText(bytes)} of ${sizeText(bytesMax)}${troubles}`;
}
