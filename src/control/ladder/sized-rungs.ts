/**
 * Whether size matters: what a link that drops large packets looks like is an origin that answers small requests and
 * stands still at others (`net.mtu_blackhole`). Beside the minimal request, which fits into a packet and whose answer does,
 * a request whose head does not, and an answer that does not. Each differs from one that holds in nothing but its
 * size, and where that cannot be brought about the rung says so.
 */
import type { ProbeRung } from "../../contract/facts.ts";
import type { Answered, Endpoint, ProbeRequest, Rungs } from "../../contract/rungs.ts";
import { padded } from "./same-request.ts";

export const LARGE_REQUEST = "large request";
export const LARGE_RESPONSE = "large response";

/** Two packets of Ethernet and a bit, and less than any server's limit of heads. */
const HEAD_BYTES = 3_500;
/** An answer of more is not in one packet, whatever its head. */
const PACKET_BYTES = 1_460;
const BODY_BYTES = 8 * PACKET_BYTES;

export interface SizedRungs {
  readonly request: Pick<ProbeRung, "result" | "ms" | "text">;
  readonly response: Pick<ProbeRung, "result" | "ms" | "text">;
}

/** `small`: a request that holds there; `large`: a GET whose answer may be long. */
export async function climbSizes(
  rungs: Rungs,
  to: Endpoint,
  small: ProbeRequest,
  large: ProbeRequest,
  ms: number,
): Promise<SizedRungs> {
  const whole: ProbeRequest = { ...large, bodyBytes: BODY_BYTES };
  const part: ProbeRequest = { ...whole, fields: { ...large.fields, range: "bytes=0-0" } };
  const [padding, answer, one] = await Promise.all([
    rungs.request(to, padded(small, HEAD_BYTES), ms),
    rungs.request(to, whole, ms),
    rungs.request(to, part, ms),
  ]);
  return { request: requestRung(padding), response: responseRung(answer, one) };
}

function requestRung(seen: Answered): SizedRungs["request"] {
  const { ok, ms, text, failure } = seen;
  const size = `a head of ${HEAD_BYTES} bytes`;
  if (ok) return { result: "holds", ms, text: `${text}, to ${size}` };
  // An end is an answer to the packets that came.
  return { result: failure === "silent" ? "breaks" : "unknown", ms, text: `${text}, to ${size}` };
}

function responseRung(whole: Answered, one: Answered): SizedRungs["response"] {
  const { ms, text } = whole;
  if (whole.ok && whole.bodyBytes > PACKET_BYTES) return { result: "holds", ms, text };
  if (whole.ok) return { result: "unknown", ms, text: `${text}, which fits into a packet` };
  if (whole.failure !== "silent") return { result: "unknown", ms, text };
  const isSmall = one.ok && one.bodyBytes <= PACKET_BYTES;
  return isSmall
    ? { result: "breaks", ms, text: `${text}; a part of one byte was answered (${one.text})` }
    : { result: "unknown", ms, text: `${text}; a part of one byte was not answered either, or is not given` };
}
