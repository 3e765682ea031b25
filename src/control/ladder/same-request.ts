/**
 * The rung above the health path: a request of the shape of one that failed at this origin, where that is safe
 * (repeatable.ts). It has its method, path, size of head and what it accepts; it has none of its other fields, so that
 * nothing of whoever asked goes along. What an origin answers to that without knowing who asks may tell nothing, and
 * then the rung says so.
 */
import type { RouteSettings, ServiceSettings } from "../../config/settings.ts";
import type { Answered, ProbeRequest } from "../../contract/rungs.ts";
import type { CauseId } from "../../kernel/causes.ts";
import type { FailedRequest } from "./failed-requests.ts";
import type { Target } from "./ladder-plan.ts";
import { isRepeatableMethod } from "./repeatable.ts";

export interface FailedStep {
  /** Null: it is not sent. */
  readonly request: ProbeRequest | null;
  /** `GET /cart`, and why it is not sent. */
  readonly text: string;
  /** The address that it failed at. */
  readonly address: string;
  /** It met silence: the size of what was said may matter. */
  readonly isSilence: boolean;
}

/** Of the response's body: as much as shows that it does not break at once. */
const BODY_BYTES = 65_536;
/** Whatever the client's head was: more is no origin's usual limit. */
const HEAD_MAX = 16_384;
/** Marks a probe, and makes it as large as it has to be. */
const PADDING = "x-goodgate-probe";

export function failedStepOf(
  { record, attempt, cause, whyNot }: FailedRequest,
  { routes }: ServiceSettings,
  target: Target,
): FailedStep {
  const route = routes.find(({ name }) => name === record.route);
  const [path = ""] = record.target.split("?", 1);
  const { method } = record;
  const isSilence = SILENCE.has(cause);
  const { address } = attempt;
  const because = whyNot ?? whyNotByRoute(route);
  if (because !== null || !isRepeatableMethod(method)) {
    // What is not sent for what is in it is not shown here either.
    return { request: null, text: `${method} not sent, because ${because ?? "of its method"}`, address, isSilence };
  }
  const asked = attempt.signs?.asked ?? null;
  const host = route?.hostHeader === "origin" || record.host === "" ? target.hostField : record.host;
  const bare: ProbeRequest = {
    method,
    target: `${target.basePath}${record.target}`,
    host,
    way: target.way,
    fields: {
      accept: asked === null || asked.accept === "" ? "*/*" : asked.accept,
      ...(asked === null || asked.acceptEncoding === "" ? {} : { "accept-encoding": asked.acceptEncoding }),
      ...(asked === null || asked.range === "" ? {} : { range: asked.range }),
    },
    bodyBytes: method === "HEAD" ? 0 : BODY_BYTES,
  };
  const request = padded(bare, Math.min(HEAD_MAX, asked?.headBytes ?? 0));
  return { request, text: `${method} ${path}`, address, isSilence };
}

function whyNotByRoute(route: RouteSettings | undefined): string | null {
  if (route === undefined) return "its route is gone";
  if (!route.probe) return "its route forbids it (probe: false)";
  return route.idempotencyKey.mode === "required" ? "its route wants an Idempotency-Key" : null;
}

const SILENCE: ReadonlySet<CauseId> = new Set<CauseId>([
  "origin.ttfb_timeout",
  "origin.deadline",
  "origin.stall_mid_body",
  "origin.write_stall",
  "net.half_open",
  "tls.handshake_timeout",
]);

/** With a head of about so many bytes; never smaller than it is. */
export function padded(request: ProbeRequest, headBytes: number): ProbeRequest {
  const { method, target, host, fields } = request;
  const lines = Object.entries({ host, ...fields }).map(([name, value]) => `${name}: ${value}\r\n`);
  const missing =
    headBytes - `${method} ${target} HTTP/1.1\r\n${lines.join("")}\r\n`.length - `${PADDING}: \r\n`.length;
  // Letters that are as long in a header block of HTTP/2 (RFC 7541, appendix B) as in a head.
  return missing <= 0 ? request : { ...request, fields: { ...fields, [PADDING]: "X".repeat(missing) } };
}

/** What the answer to it says of the origin. */
export function resultOf({ ok, status, failure }: Answered, { isSilence }: FailedStep): "holds" | "breaks" | "unknown" {
  if (status >= 500) return "breaks";
  // A stream of events says nothing for as long as nothing happens.
  if (!ok && status > 0 && failure === "silent" && !isSilence) return "unknown";
  if (!ok) return "breaks";
  // Whoever asks without credentials is turned away before what failed.
  return ASKS_WHO.has(status) ? "unknown" : "holds";
}

const ASKS_WHO: ReadonlySet<number> = new Set([401, 403, 407, 429]);
