/** A verdict in words, the same for the CLI, the API and the pages. */
import type { Party } from "../../kernel/causes.ts";
import type { Citation, Evidence } from "../evidence.ts";
import { partyOf, titleOf } from "./case.ts";
import type { ExchangeVerdict, Finding } from "./case.ts";

/** Who is at fault, as a sentence can name it. */
export const PARTY_WORDS: Readonly<Record<Party, string>> = {
  client: "the client",
  gateway: "the gateway itself",
  network: "the network between gateway and origin",
  dns: "name resolution (DNS)",
  origin: "the origin",
  configuration: "the configuration",
  overload: "overload: more work than there is room for",
  provider: "the provider of several origins",
  change: "a change that was made",
};

/** One sentence. What was seen at once stands beside it in a story, so it tells what else decides, or does not. */
export function verdictSentence(verdict: ExchangeVerdict): string {
  const [seen, ...more] = verdict.because;
  const reasons = (more.length === 0 ? [seen] : more).map(({ text }) => text).join("; ");
  switch (verdict.kind) {
    case "decided":
      return `${named(verdict.cause)}, because ${reasons}.`;
    case "undecided": {
      const last = verdict.between.at(-1);
      const others = verdict.between.slice(0, -1).map(named).join(", ");
      return `Undecided between ${others} and ${last === undefined ? "" : named(last)}, because ${reasons}.`;
    }
  }
}

/** For the line that says who is at fault. */
export function faultText(verdict: ExchangeVerdict): string {
  if (verdict.kind === "decided") return PARTY_WORDS[verdict.party];
  if (verdict.party !== null) return PARTY_WORDS[verdict.party];
  const parties = new Set(verdict.between.map(partyOf));
  return `undecided: ${[...parties].map((party) => PARTY_WORDS[party]).join(", or ")}`;
}

/** What an evidence stands on, short enough for brackets. `id`: of the exchange that is told of. */
export function citationText({ cites }: Evidence, id: string): string {
  return cites.map((citation) => oneText(citation, id)).join("; ");
}

function oneText(citation: Citation, id: string): string {
  switch (citation.kind) {
    case "exchange": {
      const fields = Object.entries(citation.fields).filter(([name]) => !name.endsWith("evidence"));
      const said = fields.map(([name, value]) => `${name} ${value === "" ? '""' : value}`).join(", ");
      return citation.id === id ? said : `exchange ${citation.id}: ${said}`;
    }
    case "figure":
      return `${citation.figure} ${Math.round(citation.value * 10) / 10} ${citation.unit}`;
    case "change":
    case "event":
      return `${"code" in citation ? citation.code : citation.id} at ${new Date(citation.at).toISOString()}`;
    case "probe":
      return `probe ${citation.id}, ${citation.rung} ${citation.result}`;
  }
}

function named(finding: Finding): string {
  return `${titleOf(finding)} (${finding})`;
}
