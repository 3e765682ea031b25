/**
 * `goodgate keys`: what is remembered of Idempotency-Keys, and `goodgate keys resolve`, by which a person says what
 * became of a request that was sent and not answered. Only a person can know that: by looking at the origin.
 */
import type { KeysResponse, KeyView } from "../contract/keys.ts";
import type { Complaint } from "./context.ts";
import { complain, sayJson, sayLines } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import { adminUrl, askGateway } from "./gateway-client.ts";
import type { Asked } from "./gateway-client.ts";
import { labelled, pageWidth, plain } from "./page.ts";
import type { CliPorts, PaintStyle, Terminal } from "./ports.ts";

export interface KeysOptions {
  readonly uncertain?: boolean;
  readonly executed?: boolean;
  readonly notExecuted?: boolean;
  readonly admin?: string;
  readonly json?: boolean;
}

export async function keysCommand(ports: CliPorts, args: readonly string[], options: KeysOptions): Promise<ExitCode> {
  const json = options.json === true;
  const [first, second] = args;
  const isResolve = first === "resolve" && second !== undefined;
  const saysHow = options.executed === true || options.notExecuted === true;
  if ((second !== undefined && !isResolve) || (saysHow && !isResolve)) {
    return complain(ports, usage("say which:  goodgate keys resolve KEY --executed, or --not-executed."), json);
  }
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  if (isResolve) return resolveKey(ports, base.value, second, options, json);
  const asked = await askKeys(ports, base.value, { key: first, uncertain: options.uncertain === true });
  if (!asked.ok) return complain(ports, asked.complaint, json);
  if (json) sayJson(ports, asked.value);
  else sayLines(ports, keysLines(asked.value.keys, options.uncertain === true, ports.terminal));
  return EXIT.ok;
}

async function resolveKey(
  ports: CliPorts,
  base: string,
  key: string,
  options: KeysOptions,
  json: boolean,
): Promise<ExitCode> {
  if ((options.executed === true) === (options.notExecuted === true)) {
    return complain(ports, usage("say what became of it: either --executed or --not-executed."), json);
  }
  const found = await entryOf(ports, base, key);
  if (!found.ok) return complain(ports, found.complaint, json);
  const path = `/keys/${encodeURIComponent(found.value)}/settle?executed=${options.executed === true}`;
  const settled = await askGateway<KeyView>(ports, base, path, (answer) => typeof answer["key"] === "string", "POST");
  if (!settled.ok) return complain(ports, settled.complaint, json);
  if (json) {
    sayJson(ports, settled.value);
    return EXIT.ok;
  }
  const next =
    options.executed === true
      ? "A repeat with this key is told that it was carried out; nothing is sent."
      : "A repeat with this key is sent as if it were the first.";
  sayLines(ports, [`${plain(settled.value.method)} ${plain(settled.value.target)} is settled. ${next}`]);
  return EXIT.ok;
}

/** The id of the one use of this key that is meant. */
async function entryOf(ports: CliPorts, base: string, key: string): Promise<Asked<string>> {
  if (/^[0-9a-f]{64}$/.test(key)) return { ok: true, value: key };
  const asked = await askKeys(ports, base, { key, uncertain: false });
  if (!asked.ok) return asked;
  const open = asked.value.keys.filter((one) => one.state !== "answered");
  const [only] = open;
  if (only !== undefined && open.length === 1) return { ok: true, value: only.id };
  const complaint: Complaint =
    only === undefined
      ? {
          code: "nothing-to-resolve",
          exit: EXIT.no,
          message: `there is nothing uncertain about the key ${plain(key)}.`,
          hints: ["What is uncertain:  goodgate keys --uncertain"],
        }
      : {
          code: "several-keys",
          exit: EXIT.no,
          message: `${open.length} requests with the key ${plain(key)} are uncertain; name one by its id.`,
          hints: open.map((one) => `${one.id}  ${plain(one.method)} ${plain(one.target)}`),
        };
  return { ok: false, complaint };
}

function askKeys(
  ports: CliPorts,
  base: string,
  filter: { readonly key: string | undefined; readonly uncertain: boolean },
): Promise<Asked<KeysResponse>> {
  const query = new URLSearchParams();
  if (filter.key !== undefined) query.set("key", filter.key);
  if (filter.uncertain) query.set("uncertain", "true");
  const path = query.size === 0 ? "/keys" : `/keys?${query.toString()}`;
  return askGateway<KeysResponse>(ports, base, path, (answer) => Array.isArray(answer["keys"]));
}

function keysLines(keys: readonly KeyView[], isUncertain: boolean, terminal: Terminal): string[] {
  const { paint } = terminal;
  if (keys.length === 0) return [isUncertain ? "Nothing is uncertain." : "No such key is remembered."];
  const width = pageWidth(terminal);
  return keys.flatMap((key, index) => {
    const rows = [
      { label: "State", text: stateText(key) },
      {
        label: "Request",
        text: `${plain(key.method)} ${plain(key.target)} (${plain(key.service)}, ${plain(key.route)})`,
      },
      { label: "Began", text: `${new Date(key.startedAt).toISOString()}, as ${plain(key.requestId)}` },
      { label: "Forgotten", text: new Date(key.expiresAt).toISOString() },
      { label: "Id", text: key.id },
    ];
    const head = paint(STATE_STYLES[key.state], plain(key.key));
    return [...(index === 0 ? [] : [""]), head, ...labelled(rows, width, (label) => paint("cyan", label))];
  });
}

function stateText(key: KeyView): string {
  switch (key.state) {
    case "started":
      return "under way";
    case "uncertain":
      return `uncertain: ${plain(key.because)}`;
    case "answered":
      if (key.kept) return `answered with ${key.status}; the answer is stored`;
      return `carried out${key.status === 0 ? "" : ` and answered with ${key.status}`}; no answer is stored: ${plain(key.because)}`;
  }
}

function usage(message: string): Complaint {
  return { code: "usage", exit: EXIT.usage, message, hints: ["More:  goodgate keys --help"] };
}

const STATE_STYLES: Readonly<Record<KeyView["state"], PaintStyle>> = {
  started: "cyan",
  answered: "green",
  uncertain: "yellow",
};
