/**
 * The pages of docs/reference/ that are made from the program's own tables. Each function takes a table and
 * gives Markdown; docs.ts says which page comes from which table. The page of causes is written for somebody
 * who was woken up: first the way from a party to a cause, then what to do.
 */
import { SYSTEM_NAMES } from "../src/contract/foreign-codes.ts";
import type { ForeignCode } from "../src/contract/foreign-codes.ts";
import { grpcAnswerOf } from "../src/contract/foreign/grpc.ts";
import { isCauseId } from "../src/kernel/causes.ts";
import type { Cause, Party, PeerName, RetryClass } from "../src/kernel/causes.ts";
import { grpcStatusText } from "../src/kernel/grpc-status.ts";
import type { Conclusion } from "../src/kernel/conclusions.ts";

export interface DecisionRow {
  readonly code: string;
  readonly step: string;
  readonly meaning: string;
}

export interface RefusalRow {
  readonly id: string;
  readonly status: number;
  readonly kind: string;
  readonly meaning: string;
  readonly source: string;
}

export interface MetricRow {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** In the order in which a request meets them; a party that is missing here does not compile. */
const PARTIES: Readonly<Record<Party, string>> = {
  client: "Whoever sent the request. Nothing behind the gateway needs repair.",
  configuration: "Settings that contradict each other or the world, here or at the origin. A restart does not help.",
  gateway: "This process or the machine under it. The origins are not to blame, whatever it looked like.",
  overload: "Nothing is broken; there is more work than room for it.",
  dns: "Name resolution: the zone, its servers, or the resolver that was asked.",
  network: "The path between the gateway and the origin.",
  origin: "The process that answers, or its machine.",
  provider: "Whoever runs what several origins share: machines, a network, a service.",
  change: "Something that was changed on purpose: a version, a configuration, a set of origins.",
};

const RETRY_CLASSES: Readonly<Record<RetryClass, string>> = {
  R0: "the origin provably saw nothing of the request; any method may go to another origin",
  R1: "the origin may have run it, no response byte came; only idempotent requests are repeated",
  R2: "a response had begun; only idempotent requests of which nothing has reached the client are repeated",
  RX: "never repeated by the gateway",
};

export function causesPage(causes: readonly Cause[], madeBy: string): string {
  const parties = Object.entries(PARTIES)
    .filter(([party]) => causes.some((cause) => cause.party === party))
    .map(([party, who]) => partyIndex(party, who, causes));
  return page(
    "Causes",
    madeBy,
    "Why an exchange failed, or had to be rescued. Error pages and the `X-Request-Id` field carry a reference:",
    "`goodgate explain REFERENCE` tells the cause and the evidence of that one exchange, and the access log has it, too.",
    "`goodgate explain CAUSE` shows a section of this page.",
    "",
    "A cause is not a status: one 502 stands for many of these. *Status* is what the client gets when the gateway has",
    "to answer and nothing of a response has been sent yet; afterwards the connection is cut instead. Where it says",
    "\"the origin's own\", the origin's response is passed on untouched.",
    "",
    "Whether a request is repeated at another origin depends on the *retry class*, and each repeat needs room in the",
    "retry budget:",
    "",
    ...Object.entries(RETRY_CLASSES).map(([name, meaning]) => `- **${name}**: ${meaning}.`),
    "",
    "## Who is at fault?",
    "",
    ...parties.flat(),
    "## Every cause",
    "",
    ...causes.flatMap(causeSection),
  );
}

export function conclusionsPage(conclusions: readonly Conclusion[], madeBy: string): string {
  const parties = Object.entries(PARTIES).filter(([party]) => conclusions.some((row) => row.party === party));
  return page(
    "Conclusions",
    madeBy,
    "Why something goes wrong with several exchanges. One exchange shows a [cause](causes.md) and never one of these by",
    "itself: each needs facts about other exchanges, other places or changes, which its *evidence* names. Incidents cite",
    "them as hypotheses, and a verdict on one exchange names those between which it cannot decide.",
    "",
    "## Who is at fault?",
    "",
    ...parties.flatMap(([party, who]) => [
      `### ${party}`,
      "",
      who,
      "",
      ...table(
        ["conclusion", "what"],
        conclusions
          .filter((row) => row.party === party)
          .map((row) => [`[\`${row.id}\`](#${anchor(row.id)})`, row.title]),
      ),
      "",
    ]),
    "## Every conclusion",
    "",
    ...conclusions.flatMap(conclusionSection),
  );
}

function conclusionSection(row: Conclusion): string[] {
  const shows = row.showsAs.map((id) => `[\`${id}\`](causes.md#${anchor(id)})`).join(", ");
  return [
    `### ${row.id}`,
    "",
    `**${row.title}** · ${row.party}`,
    "",
    row.means,
    "",
    `- **Look first:** ${row.lookFirst}`,
    `- **Evidence:** ${row.evidence}`,
    ...(shows === "" ? [] : [`- **Single exchanges show:** ${shows}`]),
    "",
  ];
}

export function translationsPage(codes: readonly ForeignCode[], madeBy: string): string {
  const systems = [...new Set(codes.map(({ system }) => system))];
  return page(
    "Translations",
    madeBy,
    "What codes of other gateways, load balancers and libraries mean there, and what they can be here.",
    "`goodgate explain --code CODE` tells it for one, with how to tell apart what it can be and the latest exchanges of the",
    "running gateway; it takes a line of a log as well. The way from a cause to these codes stands with",
    "[each cause](causes.md).",
    "",
    ...systems.map((system) => `- [${SYSTEM_NAMES[system]}](#${anchor(SYSTEM_NAMES[system])})`),
    "",
    ...systems.flatMap((system) => [
      `## ${SYSTEM_NAMES[system]}`,
      "",
      ...table(
        ["code", "there", "here"],
        codes
          .filter((code) => code.system === system)
          .map(({ code, also, means, here }) => [
            [code, ...also].map((each) => `\`${each}\``).join(", "),
            means,
            here.map((id) => `[\`${id}\`](${isCauseId(id) ? "causes" : "conclusions"}.md#${anchor(id)})`).join(", "),
          ]),
      ),
      "",
    ]),
  );
}

function partyIndex(party: string, who: string, causes: readonly Cause[]): string[] {
  const rows = causes
    .filter((cause) => cause.party === party)
    .map((cause) => [`[\`${cause.id}\`](#${anchor(cause.id)})`, cause.title, statusText(cause), cause.retryClass]);
  return [`### ${party}`, "", who, "", ...table(["cause", "what", "status", "retry class"], rows), ""];
}

function causeSection(cause: Cause): string[] {
  const elsewhere = Object.entries(cause.equivalents)
    .filter(([, codes]) => codes.length > 0)
    .map(([system, codes]) => `${SYSTEM_NAMES[system as PeerName]} ${codes.map((code) => `\`${code}\``).join(", ")}`);
  const call = cause.status === 0 ? "" : ` · gRPC ${grpcStatusText(grpcAnswerOf(cause.id, cause.status))}`;
  const type = cause.proxyStatus === null ? "" : ` · Proxy-Status \`${cause.proxyStatus}\``;
  return [
    `### ${cause.id}`,
    "",
    `**${cause.title}** · ${cause.party} · ${statusText(cause)}${call}${type} · ${cause.retryClass}`,
    "",
    cause.means,
    "",
    `- **Look first:** ${cause.lookFirst}`,
    `- **Evidence:** ${cause.evidence}`,
    ...(elsewhere.length === 0 ? [] : [`- **Elsewhere:** ${elsewhere.join(" · ")}`]),
    "",
  ];
}

function statusText(cause: Cause): string {
  if (cause.status !== 0) return String(cause.status);
  return cause.party === "client" ? "nothing to send" : "the origin's own";
}

/** How GitHub and most renderers name a heading: lower case, only letters, digits, `-` and `_`. */
export function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9_ -]/g, "")
    .replaceAll(" ", "-");
}

export function refusalsPage(refusals: readonly RefusalRow[], madeBy: string): string {
  return page(
    "Refusals",
    madeBy,
    "Messages that the gateway does not read on. From a client they end in the status below and a closed connection",
    "(cause `client.bad_request`); from an origin in a 502 and a closed connection (cause `origin.malformed`,",
    "`origin.framing` or `origin.header_too_big`). Nothing is ever repaired and passed on: two programs that read one",
    "message differently are how requests are smuggled.",
    "",
    "The id stands in the `reason` of the record and of the access log.",
    "",
    ...table(
      ["id", "status", "kind", "what was wrong", "source"],
      refusals.map((refusal) => [
        `\`${refusal.id}\``,
        String(refusal.status),
        refusal.kind,
        refusal.meaning,
        refusal.source,
      ]),
    ),
  );
}

export function metricsPage(metrics: readonly MetricRow[], madeBy: string): string {
  return page(
    "Metrics",
    madeBy,
    "What `/metrics` of the admin listener offers to Prometheus. Labels are bounded by the configuration and by the",
    "tables of causes and refusals; nothing that a client sends becomes a label.",
    "",
    ...table(
      ["name", "type", "labels", "what it counts"],
      metrics.map((metric) => [
        `\`${metric.name}\``,
        metric.type,
        metric.labels.map((label) => `\`${label}\``).join(", "),
        metric.help,
      ]),
    ),
  );
}

export function decisionsPage(decisions: readonly DecisionRow[], madeBy: string): string {
  return page(
    "Decisions",
    madeBy,
    "What the gateway decided about an exchange, beyond the usual way. Each record lists its decisions with the step,",
    "the code and a sentence with the figures of that case; this is what the codes mean in general.",
    "",
    ...table(
      ["code", "step", "meaning"],
      decisions.map((decision) => [`\`${decision.code}\``, decision.step, decision.meaning]),
    ),
  );
}

function page(title: string, madeBy: string, ...lines: readonly string[]): string {
  const text = [`# ${title}`, "", `<!-- Made by \`npm run docs\` from ${madeBy}. Change it there. -->`, "", ...lines];
  return `${text.join("\n").trimEnd()}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return ["None."];
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
