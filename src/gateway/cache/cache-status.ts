/** What this cache says of itself on a response: Cache-Status (RFC 9211), behind the members of caches nearer to the origin. */

/** Why a request went to an origin (RFC 9211 §2.2). */
export type Forwarded = "bypass" | "method" | "uri-miss" | "vary-miss" | "stale" | "request";

/** `detail`: a token of ours, empty for none. */
export function hitLine(ttlSeconds: number, detail: string): string {
  return line(`hit; ttl=${ttlSeconds}${detailOf(detail)}`);
}

/** `status`: the origin's, when the client gets another; 0: the same, or there was none. */
export function forwardLine(
  forwarded: Forwarded,
  { status = 0, stored = false, collapsed = false, detail = "" }: ForwardFacts = {},
): string {
  const fwdStatus = status === 0 ? "" : `; fwd-status=${status}`;
  return line(
    `fwd=${forwarded}${fwdStatus}${stored ? "; stored" : ""}${collapsed ? "; collapsed" : ""}${detailOf(detail)}`,
  );
}

export interface ForwardFacts {
  readonly status?: number;
  readonly stored?: boolean;
  readonly collapsed?: boolean;
  readonly detail?: string;
}

function line(said: string): string {
  return `Cache-Status: goodgate; ${said}\r\n`;
}

function detailOf(detail: string): string {
  return detail === "" ? "" : `; detail=${detail}`;
}
