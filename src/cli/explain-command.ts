/**
 * `goodgate explain`: the story of one exchange, or one row of the tables of causes and conclusions. A row needs no
 * gateway: the tables are part of the program. Codes of other gateways are in explain-code.ts.
 */
import { CAUSES, causeOf, isCauseId } from "../kernel/causes.ts";
import type { Cause } from "../kernel/causes.ts";
import { CONCLUSIONS, isConclusionId } from "../kernel/conclusions.ts";
import type { Conclusion } from "../kernel/conclusions.ts";
import { equivalentsText } from "../contract/foreign-codes.ts";
import { grpcAnswerOf } from "../contract/foreign/grpc.ts";
import { grpcStatusText } from "../kernel/grpc-status.ts";
import { nearest } from "../kernel/nearest.ts";
import { durationText } from "../contract/quantities.ts";
import type { JudgedExchange } from "../contract/api-responses.ts";
import type { ExchangeRecord } from "../contract/record.ts";
import { RETRY_CLASS_WORDS, tellStory } from "../contract/story.ts";
import type { Story } from "../contract/story.ts";
import { PARTY_WORDS } from "../contract/verdict/words.ts";
import { complain, sayJson, sayLines } from "./context.ts";
import { explainCode } from "./explain-code.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import { adminUrl, askGateway } from "./gateway-client.ts";
import { labelled, pageWidth, plain, wrap } from "./page.ts";
import type { CliPorts, PaintStyle, Terminal } from "./ports.ts";

export interface ExplainOptions {
  readonly last?: boolean;
  readonly cause?: string;
  readonly code?: string;
  readonly admin?: string;
  readonly json?: boolean;
}

export async function explainCommand(
  ports: CliPorts,
  id: string | undefined,
  options: ExplainOptions,
): Promise<ExitCode> {
  const json = options.json === true;
  const ways = [id, options.cause, options.code, options.last === true ? "last" : undefined].filter(
    (way) => way !== undefined && way !== "",
  );
  if (ways.length !== 1) {
    return complain(
      ports,
      {
        code: "usage",
        exit: EXIT.usage,
        message: "explain what? Give one of: the id of an exchange, --last, --cause CAUSE, --code CODE.",
        hints: [
          "The id is in the X-Request-Id field of every response, on every error page, and in the access log.",
          "goodgate explain --last   the latest exchange that failed or was rescued",
          "goodgate explain --code UC   a code of another gateway",
        ],
      },
      json,
    );
  }
  if (options.code !== undefined) return explainCode(ports, options.code, options.admin, json);
  if (options.cause !== undefined) return explainCause(ports, options.cause, json);
  if (id !== undefined && looksLikeCause(id)) return explainCause(ports, id, json);
  return explainExchange(ports, id ?? "last", options.admin, json);
}

/** Causes are `party.word`; ids made here are hex, and one taken over from a trusted proxy is asked for unless it has this very form. */
function looksLikeCause(text: string): boolean {
  return (
    isCauseId(text) ||
    isConclusionId(text) ||
    /^(client|front|gw|dns|net|origin|check|provider|sys|change|tls)\.[a-z0-9_]+$/.test(text)
  );
}

function explainCause(ports: CliPorts, name: string, json: boolean): ExitCode {
  if (isConclusionId(name)) {
    if (json) sayJson(ports, CONCLUSIONS[name]);
    else sayLines(ports, conclusionLines(CONCLUSIONS[name], ports.terminal));
    return EXIT.ok;
  }
  if (!isCauseId(name)) {
    const near = nearest(name, [...Object.keys(CAUSES), ...Object.keys(CONCLUSIONS)]);
    return complain(
      ports,
      {
        code: "unknown-cause",
        exit: EXIT.no,
        message: `there is no cause ${plain(name)}.`,
        hints: [
          near === null
            ? "All causes are listed in docs/reference/causes.md."
            : `Did you mean  goodgate explain ${near}`,
        ],
      },
      json,
    );
  }
  const cause = causeOf(name);
  if (json) sayJson(ports, cause);
  else sayLines(ports, causeLines(cause, ports.terminal));
  return EXIT.ok;
}

async function explainExchange(
  ports: CliPorts,
  id: string,
  admin: string | undefined,
  json: boolean,
): Promise<ExitCode> {
  const base = adminUrl(ports, admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  const asked = await askGateway<JudgedExchange>(ports, base.value, `/exchanges/${encodeURIComponent(id)}`, (answer) =>
    Array.isArray(answer["attempts"]),
  );
  if (!asked.ok) {
    const { complaint } = asked;
    if (complaint.code === "gateway-unreachable" && id !== "last") {
      const log =
        "Without it, the access log has the exchange by the same id, if the configuration has one (accessLog).";
      return complain(ports, { ...complaint, hints: [...complaint.hints, log] }, json);
    }
    if (complaint.code !== "unknown-exchange") return complain(ports, complaint, json);
    // The gateway has said which ones are kept.
    return complain(
      ports,
      { ...complaint, hints: ["An older or ordinary one is in the access log, by the same id."] },
      json,
    );
  }
  const { verdict, ...record } = asked.value;
  const story = tellStory(record, verdict);
  if (json) sayJson(ports, { story, record });
  else sayLines(ports, storyLines(story, record, ports.terminal));
  return EXIT.ok;
}

/** The story as a page of text. */
export function storyLines(story: Story, record: ExchangeRecord, terminal: Terminal): string[] {
  const { paint } = terminal;
  const width = pageWidth(terminal);
  const heading = (text: string): string => paint("bold", text);
  const headline = wrap(plain(story.headline), width).map((line) => paint(HEADLINE_STYLES[record.outcome], line));
  const lines = story.lines.map((line) => ({ label: line.label, text: plain(line.text) }));
  const times = story.timeline.map((moment) => ({ label: durationText(moment.atUs), text: plain(moment.text) }));
  const started = new Date(record.startedAt).toISOString().replace("T", " ").replace("Z", " UTC");
  return [
    ...headline,
    "",
    ...labelled(lines, width, (label) => paint("cyan", label)),
    "",
    heading(`Timeline, from ${started}`),
    ...labelled(times, width, (label) => paint("dim", label)),
    "",
    heading("Look first"),
    ...wrap(story.lookFirst, width - 2).map((line) => `  ${line}`),
  ];
}

const HEADLINE_STYLES: Readonly<Record<ExchangeRecord["outcome"], PaintStyle>> = {
  served: "green",
  rescued: "yellow",
  failed: "red",
  refused: "red",
  aborted: "yellow",
};

function conclusionLines(row: Conclusion, terminal: Terminal): string[] {
  const { paint } = terminal;
  const width = pageWidth(terminal);
  const rows = [
    { label: "At fault", text: PARTY_WORDS[row.party] },
    { label: "Means", text: row.means },
    { label: "Evidence", text: row.evidence },
    { label: "Single exchanges show", text: row.showsAs.length === 0 ? "nothing" : row.showsAs.join(", ") },
  ];
  return [
    paint("bold", `${row.id}: ${row.title}`),
    "",
    ...labelled(rows, width, (label) => paint("cyan", label)),
    "",
    paint("bold", "Look first"),
    ...wrap(row.lookFirst, width - 2).map((line) => `  ${line}`),
  ];
}

/** Handshakes of clients that come to nothing. */
const BEFORE_REQUESTS = /^client\.tls_/;

function causeLines(cause: Cause, terminal: Terminal): string[] {
  const { paint } = terminal;
  const width = pageWidth(terminal);
  const elsewhere = equivalentsText(cause.equivalents);
  const status =
    cause.status === 0
      ? BEFORE_REQUESTS.test(cause.id)
        ? "none: it is over before there is a request"
        : "none: the response had begun, or nobody is there to read it"
      : `${cause.status}, a call of gRPC ${grpcStatusText(grpcAnswerOf(cause.id, cause.status))}`;
  const rows = [
    { label: "At fault", text: PARTY_WORDS[cause.party] },
    { label: "Means", text: cause.means },
    { label: "Evidence", text: cause.evidence },
    { label: "Client gets", text: status },
    { label: "Proxy-Status", text: cause.proxyStatus ?? "none" },
    { label: "Retry", text: `${RETRY_CLASS_WORDS[cause.retryClass]} [${cause.retryClass}]` },
    { label: "Elsewhere", text: elsewhere === "" ? "no equivalent" : elsewhere },
  ];
  return [
    paint("bold", `${cause.id}: ${cause.title}`),
    "",
    ...labelled(rows, width, (label) => paint("cyan", label)),
    "",
    paint("bold", "Look first"),
    ...wrap(cause.lookFirst, width - 2).map((line) => `  ${line}`),
  ];
}
