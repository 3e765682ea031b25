/**
 * `goodgate demo`: a gateway in front of bundled sample origins with a little traffic, to see it at work in a minute;
 * and `goodgate demo outage`, which breaks one of their pools for a while and says where to look.
 */
import { OUTAGE_KINDS, OUTAGE_WORDS } from "../contract/samples.ts";
import type { OutageKind, SampleBreakBody, SampleBroken } from "../contract/samples.ts";
import { durationText } from "../contract/quantities.ts";
import { nearest } from "../kernel/nearest.ts";
import { complain, sayJson, sayLines } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { adminUrl, askGateway } from "./gateway-client.ts";
import { plain } from "./page.ts";
import type { CliPorts } from "./ports.ts";
import { runSamples } from "./start-command.ts";

export interface DemoOptions {
  readonly bind?: string;
  readonly admin?: string;
  readonly kind?: string;
  readonly pool?: string;
  readonly for?: string;
  readonly json?: boolean;
}

export async function demoCommand(ports: CliPorts, action: string | undefined, options: DemoOptions): Promise<number> {
  const json = options.json === true;
  if (action === undefined) {
    if (options.kind !== undefined || options.pool !== undefined || options.for !== undefined) {
      return complain(ports, usage("--kind, --pool and --for belong to  goodgate demo outage."), json);
    }
    return runSamples(ports, options, json);
  }
  if (action !== "outage")
    return complain(ports, usage(`there is no demo ${plain(action)}; there is  goodgate demo outage.`), json);
  if (options.bind !== undefined) {
    return complain(
      ports,
      usage("--bind is for the start of a demo; an outage is asked for at its --admin address."),
      json,
    );
  }
  return breakSamples(ports, options, json);
}

async function breakSamples(ports: CliPorts, options: DemoOptions, json: boolean): Promise<number> {
  const word = options.kind ?? "crash";
  const kind = OUTAGE_KINDS.find((known) => known === word);
  if (kind === undefined) {
    const near = nearest(word, OUTAGE_KINDS);
    const hints = [near === null ? "" : `Did you mean  --kind ${near}`, ...OUTAGE_KINDS.map(kindLine)];
    return complain(
      ports,
      { ...usage(`there is no outage of kind ${plain(word)}.`), hints: hints.filter((hint) => hint !== "") },
      json,
    );
  }
  const base = adminUrl(ports, options.admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  const body: SampleBreakBody = {
    kind,
    ...(options.pool === undefined ? {} : { pool: options.pool }),
    ...(options.for === undefined ? {} : { for: options.for }),
  };
  const isAnswer = (answer: Record<string, unknown>): boolean => typeof answer["until"] === "number";
  const asked = await askGateway<SampleBroken>(ports, base.value, "/samples/break", isAnswer, "POST", body);
  if (!asked.ok) return complain(ports, asked.complaint, json);
  const broken = asked.value;
  if (json) sayJson(ports, broken);
  else {
    const left = durationText(Math.max(1, Math.round((broken.until - ports.wall()) / 1000)) * 1_000_000);
    sayLines(ports, [
      `Pool ${plain(broken.pool)} is broken for ${left}: ${OUTAGE_WORDS[broken.kind]}.`,
      `Watch it:  ${base.value}/  or  goodgate incidents --watch`,
    ]);
  }
  return EXIT.ok;
}

function kindLine(kind: OutageKind): string {
  return `--kind ${kind}: ${OUTAGE_WORDS[kind]}`;
}

function usage(message: string): Parameters<typeof complain>[1] {
  return { code: "usage", exit: EXIT.usage, message, hints: ["All of it:  goodgate demo --help"] };
}
