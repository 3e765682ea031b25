/**
 * The story of one exchange, as a person would tell it: what happened, who is at fault, on what evidence,
 * which origins were tried, why it was or was not tried again, and what to look at first. `goodgate explain`
 * and the admin pages show the same story, so it is made here, from the record and what was around it.
 *
 * It tells only what the record holds: where the gateway recorded no decision, none is invented. Texts come
 * from the wire (targets, agents) as they are; whoever shows them escapes them for its own medium.
 */
import { hostPort } from "../kernel/ip-text.ts";
import { causeOf } from "../kernel/causes.ts";
import { grpcMeaning, grpcStatusText } from "../kernel/grpc-status.ts";
import type { Cause, CauseId, RetryClass } from "../kernel/causes.ts";
import { countText, durationText, ordinalText, sizeText } from "./quantities.ts";
import type { AttemptRecord, CacheWord, ClientTls, ExchangeRecord } from "./record.ts";
import { lookFirstOf } from "./verdict/case.ts";
import type { ExchangeVerdict } from "./verdict/case.ts";
import { verdictOn } from "./verdict/verdict.ts";
import { citationText, faultText, verdictSentence } from "./verdict/words.ts";

export interface Story {
  /** One sentence: the request, how it ended, and why. */
  readonly headline: string;
  /** Null: nothing went wrong. */
  readonly verdict: ToldVerdict | null;
  /** The facts, most important first. Labels repeat (one line for each decision). */
  readonly lines: readonly StoryLine[];
  /** Everything that has a time, in order. */
  readonly timeline: readonly StoryMoment[];
  /** The first thing to do, one or two sentences. */
  readonly lookFirst: string;
}

/** A verdict with the sentence that says it. */
export type ToldVerdict = ExchangeVerdict & { readonly sentence: string };

export interface StoryLine {
  readonly label: string;
  readonly text: string;
}

export interface StoryMoment {
  /** µs since the first byte of the request. */
  readonly atUs: number;
  readonly text: string;
}

/** Without a verdict of somebody who knows what was around it, that on the record alone is told. */
export function tellStory(record: ExchangeRecord, verdict: ExchangeVerdict | null = verdictOn(record)): Story {
  return {
    headline: headline(record),
    verdict: toldVerdict(verdict),
    lines: storyLines(record, verdict),
    timeline: timeline(record),
    lookFirst: lookFirst(record, verdict),
  };
}

export function toldVerdict(verdict: ExchangeVerdict | null): ToldVerdict | null {
  return verdict === null ? null : { ...verdict, sentence: verdictSentence(verdict) };
}

/** What a retry class means, for a reader who has never seen the letters. */
export const RETRY_CLASS_WORDS: Readonly<Record<RetryClass, string>> = {
  R0: "the origin saw nothing of the request, so any method may go to another origin",
  R1: "the origin may have run the request, so only an idempotent one may be sent again",
  R2: "a response had begun, so only an idempotent request of which the client got nothing yet may be sent again",
  RX: "the request is not sent again",
};

const CACHE_TEXTS: Readonly<Record<Exclude<CacheWord, "">, string>> = {
  hit: "a stored response answered, and was fresh",
  stale: "a stored response answered although it was stale",
  revalidated: "a stored response answered after an origin had confirmed it",
  collapsed: "it shared the response to another request for the same",
  miss: "no stored response could answer",
  pass: "it was none of the cache's business",
  "last-good": "a stored response answered because no origin could",
  refresh: "no client asked: a stored response that had been given away stale was fetched anew",
};

function headline(record: ExchangeRecord): string {
  const request = requestText(record);
  const took = durationText(record.doneUs);
  const cause = causeFor(record);
  switch (record.outcome) {
    case "served":
      if (record.tunnel) return `${request} became a tunnel to ${record.origin}, open for ${took}.`;
      return `${request} was answered with ${answerText(record, record.status)} by ${answererText(record)} in ${took}.`;
    case "rescued": {
      if (record.cache === "last-good") return `${request} was rescued in ${took}: ${lastGoodText(record)}.`;
      const failed = countText(failedAttempts(record).length, "attempt");
      const went = wasResumed(record) ? "went on with the body" : `answered with ${record.status}`;
      return `${request} was rescued in ${took}: ${failed} failed, then ${record.origin} ${went}.`;
    }
    case "failed":
      if (cause === null) return `${request} failed after ${took}${statusClause(record)}.`;
      if (isOriginsOwn(record)) {
        return `${request} got ${answerText(record, record.originStatus)} from ${record.origin} and the client got that answer untouched: ${lowerFirst(cause.title)}.`;
      }
      if (record.replyUs >= 0 && record.originStatus > 0 && record.status === record.originStatus) {
        const came = sizeText(record.responseBytes);
        return `${request} got ${record.status} from ${record.origin} and was cut after ${came} of the body: ${lowerFirst(cause.title)}.`;
      }
      return `${request} failed after ${took}${statusClause(record)}: ${lowerFirst(cause.title)}.`;
    case "refused": {
      const why = cause === null ? record.reason : lowerFirst(cause.title);
      const reason = record.reason === "" || record.reason === why ? "" : ` (${record.reason})`;
      return `${request} was refused${statusClause(record)}: ${why}${reason}.`;
    }
    case "aborted":
      if (record.cause === "client.slow") return `${request} was cut after ${took}: ${record.evidence}.`;
      return record.replyUs >= 0
        ? `${request}: the client left after ${took}, having taken ${sizeText(record.responseBytes)} of the response.`
        : `${request}: the client left after ${took}, before there was an answer.`;
  }
}

/** Whose response it was. */
function answererText(record: ExchangeRecord): string {
  switch (record.cache) {
    case "hit":
      return "the cache";
    case "stale":
      return "the cache, with a stale response,";
    case "revalidated":
      return `the cache, after ${record.origin} had said that the stored response still holds,`;
    case "collapsed":
      return "the response to another request for the same";
    case "":
    case "miss":
    case "pass":
    case "refresh":
    case "last-good":
      return record.origin;
  }
}

/** Another attempt went on where one had broken in the body. */
function wasResumed(record: ExchangeRecord): boolean {
  return record.decisions.some((decision) => decision.code === "resume.continued");
}

function lastGoodText(record: ExchangeRecord): string {
  const failed = failedAttempts(record).length;
  const why = failed === 0 ? "no origin could be asked" : `${countText(failed, "attempt")} failed`;
  return `${why}, and a stored response with ${record.status} was given instead`;
}

/** True when the failure is the origin's own complete 5xx, which the client got as it was. */
function isOriginsOwn(record: ExchangeRecord): boolean {
  return (
    record.cause === "origin.app_5xx" ||
    record.cause === "origin.nested_gw_5xx" ||
    record.cause === "origin.overload_reply" ||
    // A call whose outcome came from the origin: HTTP's status is 200, and nothing was cut.
    record.cause === "origin.grpc_error" ||
    (record.cause === "origin.deadline" && record.grpcStatus >= 0 && record.originStatus > 0)
  );
}

/** What counts of an answer: of a call of gRPC that is not HTTP's status. */
function answerText({ cause, grpcStatus }: ExchangeRecord, status: number): string {
  if (grpcStatus > 0) return `grpc-status ${grpcStatusText(grpcStatus)}`;
  return cause === "origin.grpc_error" && grpcStatus === -1 ? `${status} without a grpc-status` : String(status);
}

/** Who said it is told by the rest. Empty: it was no call. */
function grpcText({ grpcStatus, originStatus }: ExchangeRecord): string {
  if (grpcStatus < 0) return "";
  const by = originStatus > 0 ? "the origin" : "the gateway";
  const meaning = grpcMeaning(grpcStatus);
  return `${grpcStatusText(grpcStatus)}, said by ${by}${meaning === "" ? "" : `: ${meaning}`}`;
}

function requestText(record: ExchangeRecord): string {
  if (record.method === "") return `A message from ${record.clientAddress}`;
  return `${record.method} ${record.host}${record.target}`;
}

function statusClause(record: ExchangeRecord): string {
  return record.status === 0 ? " with no answer to the client" : ` with ${answerText(record, record.status)}`;
}

function storyLines(record: ExchangeRecord, verdict: ExchangeVerdict | null): StoryLine[] {
  const lines: StoryLine[] = [];
  const cause = causeFor(record);
  const add = (label: string, text: string): void => {
    if (text !== "") lines.push({ label, text });
  };
  if (cause !== null && verdict !== null) {
    const unnoticed = record.outcome === "rescued" ? "; the client did not notice" : "";
    add("At fault", `${faultText(verdict)}${unnoticed}`);
    add("Cause", `${cause.id}: ${cause.means}`);
    add("Evidence", record.evidence === "" ? (failedAttempts(record)[0]?.evidence ?? "") : record.evidence);
    addVerdict(record, verdict, add);
  }
  add("grpc-status", grpcText(record));
  if (record.reason !== "") add("Reason", `${record.reason} (see docs/reference/refusals.md)`);
  if (record.outcome !== "served" && record.outcome !== "rescued") add("Ended in step", record.step);
  for (const attempt of record.attempts) add(`Attempt ${attempt.number}`, attemptText(attempt, record.evidence));
  if (record.attempts.length === 0 && record.outcome !== "served") add("Attempts", "none: no origin was contacted");
  addDecisions(record, cause, add);
  add("Cache", record.cache === "" ? "" : CACHE_TEXTS[record.cache]);
  add("Client", clientText(record));
  if (record.tls !== null) add("TLS", tlsText(record.tls));
  add("Way", wayText(record));
  add("Bodies", `${sizeText(record.requestBytes)} from the client, ${sizeText(record.responseBytes)} to it`);
  add("Id", record.traceId === "" ? record.id : `${record.id}, trace ${record.traceId}`);
  return lines;
}

/**
 * What the gateway saw at once is told as evidence already; here is what else speaks for the verdict or against it. What
 * would tell an undecided one is what to look at first.
 */
function addVerdict(
  record: ExchangeRecord,
  verdict: ExchangeVerdict,
  add: (label: string, text: string) => void,
): void {
  const [, ...more] = verdict.because;
  if (more.length === 0 && verdict.kind === "decided") return;
  add("Verdict", verdictSentence(verdict));
  for (const evidence of more) add("Stands on", citationText(evidence, record.id));
}

function addDecisions(record: ExchangeRecord, cause: Cause | null, add: (label: string, text: string) => void): void {
  for (const decision of record.decisions) {
    const isRetry = decision.code.startsWith("retry.");
    const isResume = decision.code.startsWith("resume.");
    add(isRetry ? "Retry" : isResume ? "Resume" : `Step ${decision.step}`, `${decision.reason} [${decision.code}]`);
  }
  const explained = record.decisions.some(({ code }) => code.startsWith("retry.") || code.startsWith("resume."));
  if (!explained && cause !== null && record.attempts.length > 0 && record.outcome === "failed") {
    add(
      "Retry",
      `no decision was recorded; the rule for this cause: ${RETRY_CLASS_WORDS[cause.retryClass]} [${cause.retryClass}]`,
    );
  }
}

/** `told`: the evidence that the story has given already, which need not be said twice. */
function attemptText(attempt: AttemptRecord, told: string): string {
  const where = attempt.origin.endsWith(`//${attempt.address}`)
    ? attempt.origin
    : `${attempt.origin} at ${attempt.address}`;
  const evidence =
    attempt.evidence === "" ? "" : attempt.evidence === told ? " (evidence above)" : `: ${attempt.evidence}`;
  const took = durationText(attempt.endedUs - attempt.startedUs);
  const parts = [`${where} (pool ${attempt.pool}) ${attemptResult(attempt)}${evidence}`];
  const connection = connectionText(attempt);
  // The judge's evidence says it too where it matters for the cause.
  if (evidence === "" || !attempt.evidence.includes(connection)) parts.push(connection);
  parts.push(`took ${took}`);
  if (attempt.connectedUs >= 0) {
    parts.push(`${sizeText(attempt.sentBytes)} handed over, ${sizeText(attempt.receivedBytes)} came back`);
  }
  return parts.join("; ");
}

function attemptResult(attempt: AttemptRecord): string {
  const answered = attempt.status > 0;
  if (attempt.cause !== null) return `failed with ${attempt.cause}${answered ? ` after status ${attempt.status}` : ""}`;
  return answered ? `answered ${attempt.status}` : "was given up before a response came";
}

function connectionText(attempt: AttemptRecord): string {
  if (attempt.reused) {
    const age = durationText(attempt.connectionAgeMs * 1000);
    const idle = durationText(attempt.connectionIdleMs * 1000);
    return `on a connection ${age} old and idle for ${idle}, which had carried ${countText(attempt.connectionUses, "exchange")}`;
  }
  if (attempt.connectedUs < 0) return "never connected, so nothing was sent";
  const { tls } = attempt;
  if (tls !== null)
    return `on a new connection with ${tls.version.replace("TLSv", "TLS ")}${tls.resumed ? " (resumed)" : ""}`;
  // With TLS a connection of TCP is not enough.
  return attempt.cause?.startsWith("tls.") === true && attempt.sentUs < 0
    ? "connected, and nothing of the request was sent"
    : "on a new connection";
}

function clientText(record: ExchangeRecord): string {
  const proxied = record.proxiedBy === "" ? "" : `, by the PROXY protocol of ${record.proxiedBy}`;
  const peer = `${hostPort(record.peerAddress, record.peerPort)}${proxied}`;
  const client = record.clientAddress === record.peerAddress ? peer : `${record.clientAddress}, through ${peer}`;
  const agent = record.userAgent === "" ? "" : `, ${record.userAgent}`;
  return `${client}${agent}, ${ordinalText(record.connectionUses + 1)} exchange on its connection`;
}

function tlsText(tls: ClientTls): string {
  const parts = [`${tls.version.replace("TLSv", "TLS ")}, ${tls.cipher}`];
  if (tls.serverName !== "") parts.push(`for ${tls.serverName}`);
  if (tls.alpn !== "") parts.push(`ALPN ${tls.alpn}`);
  if (tls.resumed) parts.push("session resumed");
  if (tls.clientSubject !== "") parts.push(`client certificate ${tls.clientSubject}`);
  return parts.join(", ");
}

function wayText(record: ExchangeRecord): string {
  const steps = [`listener ${record.listener}`];
  if (record.service !== "") steps.push(`service ${record.service}`);
  if (record.route !== "") steps.push(`route ${record.route}`);
  if (record.pool !== "") steps.push(`pool ${record.pool}`);
  if (record.origin !== "") steps.push(`origin ${record.origin}`);
  return steps.join(" → ");
}

function timeline(record: ExchangeRecord): StoryMoment[] {
  const moments: StoryMoment[] = [{ atUs: 0, text: "first byte of the request" }];
  const at = (atUs: number, text: string): void => {
    if (atUs >= 0) moments.push({ atUs, text });
  };
  at(record.headUs, "request head complete");
  if (record.route !== "") at(record.routedUs, `routed to ${record.service} / ${record.route}`);
  for (const attempt of record.attempts) addAttemptMoments(attempt, at);
  if (record.requestBytes > 0) at(record.requestEndUs, `request body complete (${sizeText(record.requestBytes)})`);
  at(record.replyUs, record.status === 0 ? "reply began" : `reply ${record.status} began`);
  at(record.doneUs, endText(record));
  // Array.prototype.sort is stable, so moments of the same µs stay in the order of the steps.
  return moments.sort((one, other) => one.atUs - other.atUs);
}

function addAttemptMoments(attempt: AttemptRecord, at: (atUs: number, text: string) => void): void {
  const name = `attempt ${attempt.number}`;
  at(
    attempt.startedUs,
    attempt.reused ? `${name}: reuses a connection to ${attempt.address}` : `${name}: dials ${attempt.address}`,
  );
  if (!attempt.reused) at(attempt.connectedUs, `${name}: connected`);
  if (!attempt.reused) at(attempt.securedUs, `${name}: TLS agreed on, certificate found good`);
  at(attempt.sentUs, `${name}: request head handed to the socket`);
  at(attempt.firstByteUs, `${name}: first byte of the response`);
  at(attempt.headUs, `${name}: response head complete, status ${attempt.status}`);
  at(attempt.endedUs, attempt.cause === null ? `${name}: ended` : `${name}: failed, ${attempt.cause}`);
}

function endText(record: ExchangeRecord): string {
  switch (record.outcome) {
    case "aborted":
      return "the client was gone";
    case "refused":
      return "refused";
    case "failed":
      return "ended in failure";
    case "rescued":
    case "served":
      return record.tunnel ? "the tunnel closed" : "all sent";
  }
}

function lookFirst(record: ExchangeRecord, verdict: ExchangeVerdict | null): string {
  if (verdict !== null) return verdict.kind === "undecided" ? verdict.tellApart : lookFirstOf(verdict.cause);
  if (record.outcome === "served") return "Nothing to do: the exchange went as it should.";
  return "No cause was recorded. Look at the decisions above, and at other exchanges of the same route at the same time.";
}

/** The cause to explain: the exchange's own, or that of the attempt from which it was rescued. */
function causeFor(record: ExchangeRecord): Cause | null {
  const id: CauseId | null = record.cause ?? failedAttempts(record)[0]?.cause ?? null;
  return id === null ? null : causeOf(id);
}

function failedAttempts(record: ExchangeRecord): AttemptRecord[] {
  return record.attempts.filter((attempt) => attempt.cause !== null);
}

/** Titles start a line elsewhere; inside a sentence an initial capital goes, but not that of an acronym. */
function lowerFirst(text: string): string {
  const second = text.charAt(1);
  return second !== second.toLowerCase() ? text : text.charAt(0).toLowerCase() + text.slice(1);
}
