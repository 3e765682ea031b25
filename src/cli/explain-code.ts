/**
 * `goodgate explain --code CODE`: what a code of another gateway means there, what it can be here, how to tell that
 * apart, and the latest exchanges of the running gateway that may be it. Only the last needs a gateway.
 */
import type { CodeResponse } from "../contract/api-responses.ts";
import { allCodes, translateCode } from "../contract/foreign-codes.ts";
import { hintFor } from "../contract/foreign/grpc.ts";
import { tellCode } from "../contract/told-code.ts";
import type { ToldCode, ToldFinding } from "../contract/told-code.ts";
import { PARTY_WORDS } from "../contract/verdict/words.ts";
import { nearest } from "../kernel/nearest.ts";
import { complain, sayJson, sayLines } from "./context.ts";
import type { ExitCode } from "./exit-codes.ts";
import { EXIT } from "./exit-codes.ts";
import type { Asked } from "./gateway-client.ts";
import { adminUrl, askGateway } from "./gateway-client.ts";
import { labelled, pageWidth, plain, shortened, wrap } from "./page.ts";
import type { CliPorts, Terminal } from "./ports.ts";

/** More causes than these are listed without how each is told. */
const FINDINGS_IN_FULL = 12;

export async function explainCode(
  ports: CliPorts,
  text: string,
  admin: string | undefined,
  json: boolean,
): Promise<ExitCode> {
  const meanings = translateCode(text).map(tellCode);
  if (meanings.length === 0) {
    const near = nearest(text, allCodes());
    return complain(
      ports,
      {
        code: "unknown-code",
        exit: EXIT.no,
        message: `nobody knows the code ${plain(shortened(text))}.`,
        hints: [
          near === null
            ? "All codes are listed in docs/reference/translations.md."
            : `Did you mean  goodgate explain --code ${/[^\w.-]/.test(near) ? `'${near}'` : near}`,
        ],
      },
      json,
    );
  }
  const base = adminUrl(ports, admin);
  if (!base.ok) return complain(ports, base.complaint, json);
  const asked = await askGateway<CodeResponse>(ports, base.value, `/codes/${encodeURIComponent(text)}`, (answer) =>
    Array.isArray(answer["latest"]),
  );
  const hint = hintFor(text);
  if (json) sayJson(ports, { code: text, meanings, hint, latest: asked.ok ? asked.value.latest : null });
  else sayLines(ports, codeLines(meanings, hint, latestLines(asked, ports.terminal), ports.terminal));
  return EXIT.ok;
}

function codeLines(
  meanings: readonly ToldCode[],
  hint: string,
  latest: readonly string[],
  terminal: Terminal,
): string[] {
  const { paint } = terminal;
  const width = pageWidth(terminal);
  const there = meanings.map(({ name, code, means }) => ({ label: name, text: `${code}: ${means}` }));
  const here = [...new Map(meanings.flatMap((meaning) => meaning.here).map((each) => [each.id, each])).values()];
  return [
    paint("bold", "What it means there"),
    ...labelled(there, width, (label) => paint("cyan", label)),
    ...(hint === "" ? [] : wrap(hint, width - 2).map((line) => paint("dim", `  ${line}`))),
    "",
    paint("bold", "What it can be here"),
    ...(here.length === 0
      ? wrap("Nothing: this gateway has no such failure, or cannot see it.", width - 2).map((line) => `  ${line}`)
      : here.length > FINDINGS_IN_FULL
        ? briefLines(here, terminal)
        : here.flatMap((finding) => findingLines(finding, width, terminal))),
    "",
    paint("bold", "The latest here"),
    ...latest,
  ];
}

/** A list that nobody reads to its end is told by names alone. */
function briefLines(findings: readonly ToldFinding[], terminal: Terminal): string[] {
  const width = pageWidth(terminal);
  const byParty = new Map<ToldFinding["party"], ToldFinding[]>();
  for (const finding of findings) byParty.set(finding.party, [...(byParty.get(finding.party) ?? []), finding]);
  return [
    ...wrap(
      `${findings.length} causes, by whose fault they are. How one is told from the others:  goodgate explain --cause ${findings[0]?.id ?? ""}`,
      width - 2,
    ).map((line) => `  ${terminal.paint("dim", line)}`),
    ...[...byParty].flatMap(([party, those]) => [
      `  ${PARTY_WORDS[party]}`,
      ...those.flatMap(({ id, title }) =>
        wrap(`${id}: ${title}`, width - 4).map(
          (line, index) => `    ${index === 0 ? line.replace(id, terminal.paint("bold", id)) : line}`,
        ),
      ),
    ]),
  ];
}

function findingLines(finding: ToldFinding, width: number, { paint }: Terminal): string[] {
  return [
    `  ${paint("bold", finding.id)}: ${finding.title}, the fault of ${PARTY_WORDS[finding.party]}`,
    ...labelled([{ label: "Told by", text: finding.evidence }], width - 2, (label) => paint("dim", label)).map(
      (line) => `  ${line}`,
    ),
  ];
}

function latestLines(asked: Asked<CodeResponse>, terminal: Terminal): string[] {
  const width = pageWidth(terminal);
  const said = (text: string): string[] => wrap(text, width - 2).map((line) => `  ${line}`);
  if (!asked.ok) return said(`No exchanges are shown: ${asked.complaint.message}`);
  const { latest } = asked.value;
  if (latest.length === 0) return said("The running gateway has kept no such exchange.");
  const rows = latest.map(({ id, startedAt, cause, headline }) => ({
    label: new Date(startedAt).toISOString().slice(11, 19),
    text: plain(`${headline} [${cause}] goodgate explain ${id}`),
  }));
  return labelled(rows, width, (label) => terminal.paint("dim", label));
}
