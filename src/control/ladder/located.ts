/** What the rungs of a climb say together, in a sentence or two: the first that breaks everywhere, or in part, and what the controls make of it. */
import type { ProbeRung } from "../../contract/facts.ts";

const LADDER = ["resolve", "connect", "request", "health path"] as const;
type Step = (typeof LADDER)[number];

const EVERYWHERE: Readonly<Record<Step, string>> = {
  resolve: "No resolver gives an address for it",
  connect: "No connection to it can be made",
  request: "It takes connections and does not answer a request as HTTP/1.1",
  "health path": "It answers requests, and its health path is not well",
};

const IN_PART: Readonly<Record<Step, string>> = {
  resolve: "Resolvers differ about it",
  connect: "Only some of its addresses take connections",
  request: "Only some of its addresses answer requests",
  "health path": "Its health path is well only at some of its addresses",
};

/** Empty when nothing was climbed. */
export function locate(origin: string, rungs: readonly ProbeRung[]): string {
  const climbed = rungs.filter(({ rung }) => LADDER.some((one) => one === rung));
  if (climbed.length === 0) return "";
  const parts: string[] = [];
  for (const step of LADDER) {
    const here = climbed.filter(({ rung }) => rung === step);
    const broken = here.filter(({ result }) => result === "breaks");
    const [first] = broken;
    if (first === undefined) continue;
    const isAll = broken.length === here.length;
    parts.push(`${isAll ? EVERYWHERE[step] : IN_PART[step]} (${first.at}: ${first.text}).`);
    if (isAll) break;
  }
  if (parts.length === 0) return `${origin}: all rungs hold from here, now (${heldOf(climbed)}).${controlText(rungs)}`;
  return `${origin}: ${parts.join(" ")}${controlText(rungs)}`;
}

function heldOf(climbed: readonly ProbeRung[]): string {
  return LADDER.filter((step) => climbed.some(({ rung }) => rung === step)).join(", ");
}

function controlText(rungs: readonly ProbeRung[]): string {
  const of = (name: string): ProbeRung["result"] | null => rungs.find(({ rung }) => rung === name)?.result ?? null;
  const own = of("control: gateway itself");
  const other = of("control: other origin");
  const port = of("other port");
  const provider = of("control: same provider");
  return [
    own === "breaks" ? " The gateway does not answer itself either: look at this machine first." : "",
    other === "breaks" ? " An origin that was well does not answer either: look at this machine and its network." : "",
    other === "holds" ? " Another origin that is well answers from here." : "",
    provider === "breaks" ? " Another origin of the same provider does not answer either." : "",
    port === "holds" ? " The same host answers at another port." : "",
    port === "breaks" ? " The same host is silent at another port too." : "",
  ].join("");
}
