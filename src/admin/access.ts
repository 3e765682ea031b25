/**
 * Who may ask. With a token configured, every path demands it, as `Authorization: Bearer TOKEN` or, because a
 * browser cannot be told to send that, as the password of Basic with any user name. Where the listener is
 * bound and whose Host it believes is the business of the server underneath.
 */
import { createHash, timingSafeEqual } from "node:crypto";

export type Access = "granted" | "no token" | "wrong token";

export function checkAccess(token: string, authorization: string | undefined): Access {
  if (authorization === undefined || authorization === "") return "no token";
  const offered = offeredToken(authorization);
  return offered !== null && isSame(offered, token) ? "granted" : "wrong token";
}

/**
 * `WWW-Authenticate` of a 401: both ways that are accepted (RFC 9110 §11.6.1), and what was wrong (RFC 6750 §3).
 * Basic leads, because Chromium reads only the first challenge of a field and knows no Bearer.
 */
export function challenge(access: Access): string {
  const error = access === "wrong token" ? ', error="invalid_token"' : "";
  return `Basic realm="goodgate", charset="UTF-8", Bearer realm="goodgate"${error}`;
}

function offeredToken(authorization: string): string | null {
  const [, scheme = "", credentials = ""] = /^([A-Za-z]+) +(\S+)$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === "bearer") return credentials;
  if (scheme.toLowerCase() !== "basic") return null;
  const pair = Buffer.from(credentials, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 0 ? null : pair.slice(colon + 1);
}

/** Digests first: they have one length, so that neither the time taken nor an exception tells the token's. */
function isSame(offered: string, token: string): boolean {
  return timingSafeEqual(digest(offered), digest(token));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text, "utf8").digest();
}
