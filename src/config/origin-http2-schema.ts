/**
 * HTTP/2 to origins, as an operator writes it for a service or for one of its pools, and as the program uses it: whether
 * it is spoken at all, and what one connection may carry.
 */
import { z } from "zod";
import { count, field, size, yesOrNo } from "./fields.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { OriginSettings } from "./settings.ts";

export type CheckedHttp2 = z.output<typeof originHttp2Field>;

const http2Choice = field(
  { type: 'true, false or "prior"', bounds: "", json: { enum: [true, false, "prior"] } },
  (input) => {
    if (typeof input === "boolean" || input === "prior") return accepted(input);
    return refused(`${quoted(input)} does not say whether origins speak HTTP/2.`, 'Write true, false or "prior".');
  },
);

/** In place of true. */
const originHttp2Schema = z.strictObject({
  prior: yesOrNo().prefault(false).describe('As "prior" alone: nothing but HTTP/2 is offered.'),
  streams: count("requests", 1, 1_000)
    .prefault(100)
    .describe(
      "Requests at the same time on one connection, if the origin allows as many: one that is lost takes so many along.",
    ),
  window: size("64KiB", "16MiB")
    .prefault("256KiB")
    .describe(
      "What an origin may send of one response before its client has taken it, held in memory. Over long distances a response comes no faster than this in each round trip.",
    ),
});

const DEFAULTS = originHttp2Schema.parse({});

export const originHttp2Field = z.union([http2Choice, originHttp2Schema]);

/** Without TLS there is no handshake to choose in. */
export function originHttp2Of(written: CheckedHttp2, overTls: boolean): Pick<OriginSettings, "http2" | "http2Limits"> {
  if (written === false) return { http2: "never", http2Limits: null };
  const { prior, streams, window } =
    typeof written === "object" ? written : { ...DEFAULTS, prior: written === "prior" };
  return {
    http2: !prior && overTls ? "alpn" : "prior",
    http2Limits: { streamsMax: streams, windowBytes: window },
  };
}
