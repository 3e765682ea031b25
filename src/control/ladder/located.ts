/** What the rungs of a climb say together, in a sentence or two: the first that breaks everywhere, or in part, and what the controls make of it. */
import type { ProbeRung } from "../../contract/facts.ts";
import { answersErrorsOnly } from "../../contract/probe-answers.ts";
import { LARGE_REQUEST, LARGE_RESPONSE } from "./sized-rungs.ts";

export const SAME_REQUEST = "same request";
const LADDER = [
  "resolve",
  "connect",
  "TLS",
  "request",
  "health path",
  SAME_REQUEST,
  LARGE_REQUEST,
  LARGE_RESPONSE,
] as const;
/** From here on nothing stands on the rung before. */
const TOP: ReadonlySet<string> = new Set(["health path", SAME_REQUEST, LARGE_REQUEST, LARGE_RESPONSE]);
/** Beside a broken `TLS`: the same with any certificate, and a request without TLS. */
export const UNVERIFIED = "TLS unverified";
export const IN_THE_CLEAR = "request in the clear";
type Step = (typeof LADDER)[number];

const EVERYWHERE: Readonly<Record<Step, string>> = {
  resolve: "No resolver gives an address for it",
  connect: "No connection to it can be made",
  TLS: "It takes connections and no TLS can be agreed on that the gateway accepts",
  request: "It takes connections and does not answer a request in HTTP",
  "health path": "It answers requests, and its health path is not well",
  [SAME_REQUEST]: "It answers requests, and one like that which failed fails again",
  [LARGE_REQUEST]:
    "Small requests are answered and large ones are not: packets of full size seem to be lost on the way to it",
  [LARGE_RESPONSE]: "Short answers come and long ones do not: packets of full size seem to be lost on the way from it",
};

const IN_PART: Readonly<Record<Step, string>> = {
  resolve: "Resolvers differ about it",
  connect: "Only some of its addresses take connections",
  TLS: "Only some of its addresses speak TLS that the gateway accepts",
  request: "Only some of its addresses answer requests",
  "health path": "Its health path is well only at some of its addresses",
  [SAME_REQUEST]: "A request like that which failed fails at some of its addresses",
  [LARGE_REQUEST]: "Large requests are answered only at some of its addresses",
  [LARGE_RESPONSE]: "Long answers come only from some of its addresses",
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
    parts.push(
      `${isAll ? EVERYWHERE[step] : IN_PART[step]} (${first.at}: ${first.text}).${besideText(rungs, step, first.at)}`,
    );
    if (isAll && !TOP.has(step)) break;
  }
  if (parts.length === 0 && answersErrorsOnly(climbed))
    return `${origin}: It answers in HTTP, and every answer is an error of its own (${climbed.find(({ rung }) => rung === "request")?.text ?? ""}).${controlText(rungs)}`;
  if (parts.length === 0) return `${origin}: all rungs hold from here, now (${heldOf(climbed)}).${controlText(rungs)}`;
  return `${origin}: ${parts.join(" ")}${controlText(rungs)}`;
}

/** What a broken handshake leaves open is told by what holds beside it. */
function besideText(rungs: readonly ProbeRung[], step: Step, at: string): string {
  if (step !== "TLS") return "";
  const holds = (name: string): boolean =>
    rungs.some(({ rung, at: place, result }) => rung === name && place === at && result === "holds");
  if (holds(UNVERIFIED)) return " With any certificate it speaks TLS: the certificate is what is wrong.";
  return holds(IN_THE_CLEAR) ? " It answers HTTP without TLS." : "";
}

function heldOf(climbed: readonly ProbeRung[]): string {
  return LADDER.filter((step) => climbed.some(({ rung, result }) => rung === step && result === "holds")).join(", ");
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
