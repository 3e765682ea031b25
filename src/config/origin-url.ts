/**
 * An origin's URL: where to connect, and what to put before every path. Read by hand and not with `URL`,
 * because that repairs (`http:/a`, `http:\\a`, `http://1` is 0.0.0.1) where an operator needs to be told.
 */
import { UNIX, bracketed, hostPort, isUnix } from "../kernel/ip-text.ts";
import { parseUnixPath } from "./addresses.ts";
import { parseHost } from "./host-names.ts";
import { accepted, quoted, refused } from "./parsed.ts";
import type { Parsed, Refusal } from "./parsed.ts";
import type { OriginSettings } from "./settings.ts";

/** `secure`: by TLS. */
export type OriginAddress = Pick<OriginSettings, "url" | "host" | "port" | "basePath"> & { readonly secure: boolean };

const URL_HINT = "Write http://HOST, https://HOST or http://HOST:PORT/base.";
const URL_BYTES_MAX = 1024;

export function parseOriginUrl(input: unknown): Parsed<OriginAddress> {
  if (typeof input !== "string") return refused(`${quoted(input)} is not the URL of an origin.`, URL_HINT);
  if (isUnix(input)) return fromUnix(input);
  const parts = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?([^/?#]*)([^?#]*)([?#].*)?$/s.exec(input);
  const [, scheme, authority = "", path = "", tail] = parts ?? [];
  if (parts === null || input.length > URL_BYTES_MAX)
    return refused(`${quoted(input)} is not the URL of an origin.`, URL_HINT);
  if (scheme === undefined) return withoutScheme(input, authority);
  const secure = scheme.toLowerCase() === "https";
  if (!secure && scheme.toLowerCase() !== "http")
    return refused(`${quoted(`${scheme}://`)} is not a scheme that origins are reached by.`, URL_HINT);
  // The message must not repeat the file's secrets into logs and terminals, so it does not quote the URL.
  if (authority.includes("@")) return refused("An origin's URL may not carry a user name or a password.", URL_HINT);
  if (tail !== undefined) return refused(`${quoted(input)} has a query or a fragment.`, URL_HINT);
  return fromParts(input, secure, authority, path);
}

function fromParts(input: string, secure: boolean, authority: string, path: string): Parsed<OriginAddress> {
  const [, written = "", portText] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(authority) ?? [];
  const host = parseHost(written);
  if (!host.ok) return host.message === "" ? refused(`${quoted(input)} has no valid host.`, host.hint) : host;
  const usual = secure ? 443 : 80;
  const port = portText === undefined ? usual : /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65535) return refused(`${quoted(input)} has no valid port.`, "Ports go from 1 to 65535.");
  const basePath = path.replace(/\/$/, "");
  if (basePath !== "" && !BASE_PATH.test(basePath)) return badBase(input);
  const shownHost = bracketed(host.value);
  const url = `${secure ? "https" : "http"}://${shownHost}${port === usual ? "" : `:${port}`}${basePath}`;
  return accepted({ url, host: host.value, port, basePath, secure });
}

/** `unix:/run/app.sock`, and a base path behind another colon as nginx has it: `unix:/run/app.sock:/base`. */
function fromUnix(input: string): Parsed<OriginAddress> {
  const [, socket = input, base = ""] = /^(unix:[^:]*)(?::(.*))?$/s.exec(input) ?? [];
  const path = parseUnixPath(socket);
  if (!path.ok) return path;
  const basePath = base.replace(/\/$/, "");
  if (basePath !== "" && !BASE_PATH.test(basePath)) return badBase(input);
  const host = UNIX + path.value;
  return accepted({ url: basePath === "" ? host : `${host}:${basePath}`, host, port: 0, basePath, secure: false });
}

function badBase(input: string): Refusal {
  return refused(
    `${quoted(input)} has a base path that cannot be put before a request path.`,
    "Write plain segments: no empty ones, no . or .., no encoded slashes, nothing that needs encoding.",
  );
}

/** Segments of RFC 3986 §3.3 that every origin reads alike. */
const BASE_PATH = /^(\/(?!\.{1,2}(\/|$))([A-Za-z0-9._~!$&'()*+,=:@-]|%(?!2[Ee]|2[Ff]|5[Cc]|00)[0-9A-Fa-f]{2})+)+$/;

function withoutScheme(input: string, authority: string): Refusal {
  if (/^\d{1,5}$/.test(input)) {
    return refused(
      `${quoted(input)} is not the URL of an origin.`,
      `For that port of this machine write http://127.0.0.1:${input}.`,
    );
  }
  return refused(`${quoted(input)} has no scheme.`, withScheme(input, authority));
}

function withScheme(input: string, authority: string): string {
  // `:3000` is how many programs print the port that they listen on.
  if (/^:\d{1,5}$/.test(authority)) return `Write http://127.0.0.1${input}.`;
  return /^[A-Za-z0-9._[-][A-Za-z0-9._:[\]-]*$/.test(authority) ? `Write http://${input}.` : URL_HINT;
}

/**
 * What the origin expects as Host: its port only where that is not the usual one (RFC 9110 §7.2). A Unix socket has no
 * name of its own; `localhost` is what others send there.
 */
export function hostFieldOf({ host, port, tls }: Pick<OriginSettings, "host" | "port" | "tls">): string {
  if (isUnix(host)) return "localhost";
  return port === (tls === null ? 80 : 443) ? bracketed(host) : hostPort(host, port);
}
