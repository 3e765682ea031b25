/**
 * Is it well? One sentence and a tone, from all that is known. The worst wins, and what is not known is never well: a
 * gateway that does not answer is neither well nor ill, and one without its diagnosis is not called well without saying so.
 */
import { gatewayInShort, gatewaySentence, SERVICE_STATES_WORST_FIRST } from "../../src/contract/api-sentence.ts";
import type { Incident } from "../../src/contract/incident.ts";
import type { ServiceHealth } from "../../src/contract/series.ts";
import type { StatusView } from "../../src/contract/view.ts";
import type { Diagnosis, Freshness } from "../state/freshness.ts";
import type { Tone } from "../words/signs.ts";

export interface Verdict {
  readonly tone: Tone;
  readonly sign: string;
  readonly headline: string;
  readonly details: readonly string[];
}

export interface VerdictFacts {
  readonly status: StatusView | null;
  readonly freshness: Freshness;
  readonly diagnosis: Diagnosis;
  readonly health: readonly ServiceHealth[];
  /** Open and recovering. */
  readonly incidents: readonly Incident[];
}

export function verdictOf({ status, freshness, diagnosis, health, incidents }: VerdictFacts): Verdict {
  if (status === null) {
    return { tone: "quiet", sign: "…", headline: "Asking the gateway how it is", details: [] };
  }
  const sentence = gatewaySentence(status);
  if (freshness.kind === "stale") {
    const details = [`Before that: ${sentence}`];
    return { tone: "quiet", sign: "?", headline: "Not known: the gateway does not answer", details };
  }
  const known = diagnosis.kind === "running" ? health : [];
  const going = diagnosis.kind === "running" ? incidents.filter(({ state }) => state === "open") : [];
  const tone = worst([toneOfStatus(status), ...known.map(toneOfHealth), ...going.map(toneOfIncident)]);
  const [first] = going.toSorted((one, other) => RANK[toneOfIncident(other)] - RANK[toneOfIncident(one)]);
  const details: string[] = [];
  if (first !== undefined) {
    details.push(first.summary);
    if (going.length > 1)
      details.push(`${going.length - 1} more ${going.length === 2 ? "incident is" : "incidents are"} open.`);
    if (toneOfStatus(status) !== "good") details.push(sentence);
    return { tone, sign: SIGNS[tone], headline: first.title, details };
  }
  const { head, rest } = gatewayInShort(status);
  // The reasons may be long: below the headline there is room for them.
  if (rest !== "" && toneOfStatus(status) !== "good") details.push(`${rest[0]?.toUpperCase() ?? ""}${rest.slice(1)}.`);
  const troubled = known.filter((one) => toneOfHealth(one) !== "good" && one.state !== "no data");
  for (const one of troubled) details.push(`${one.service} is ${one.state}: ${one.because}`);
  if (diagnosis.kind === "stale" && tone === "good") {
    details.push("Whether there is more to it is not known while the diagnosis is stale.");
    return { tone: "warn", sign: "!", headline: head, details };
  }
  if (tone === "good" && known.some(({ state }) => state === "no data")) {
    details.push("There is no traffic to judge by yet.");
  }
  const isDisturbed = toneOfStatus(status) === "good" && troubled.length > 0;
  const headline = isDisturbed ? `Serving, but ${names(troubled)}` : head;
  return { tone, sign: SIGNS[tone], headline, details };
}

function names(troubled: readonly ServiceHealth[]): string {
  return troubled.map(({ service, state }) => `${service} is ${state}`).join(", ");
}

const RANK: Readonly<Record<Tone, number>> = { good: 0, quiet: 1, info: 1, warn: 2, bad: 3 };
const SIGNS: Readonly<Record<Tone, string>> = { good: "✓", quiet: "?", info: "i", warn: "!", bad: "✕" };

function worst(tones: readonly Tone[]): Tone {
  return tones.reduce((one, other) => (RANK[other] > RANK[one] ? other : one), "good");
}

function toneOfStatus(status: StatusView): Tone {
  const state = SERVICE_STATES_WORST_FIRST.find((word) => status.services.some((service) => service.state === word));
  if (state === "down" || state === "failing open") return "bad";
  return state === "degraded" || status.state === "draining" ? "warn" : "good";
}

function toneOfHealth({ state }: ServiceHealth): Tone {
  switch (state) {
    case "failing":
      return "bad";
    case "disturbed":
    case "silent":
      return "warn";
    case "well":
    case "no data":
      return "good";
  }
}

function toneOfIncident({ severity }: Incident): Tone {
  return severity === "critical" ? "bad" : severity === "warning" ? "warn" : "good";
}
