/**
 * One request to an admin API, for the command line. Bounded in time and size, no redirects, nothing kept open;
 * whatever goes wrong is a value, because every outcome is worth a sentence of its own to the person who asked.
 */
import http from "node:http";
import https from "node:https";
import { TextBody } from "../contract/admin-http.ts";

export type Fetched =
  | { readonly kind: "answer"; readonly status: number; readonly json: unknown }
  | { readonly kind: "not json"; readonly status: number }
  /** The system's code, or ETIMEDOUT when the whole took too long. */
  | { readonly kind: "unreachable"; readonly code: string };

/** A thousand records with long targets stay below this. */
const BODY_BYTES_MAX = 32 * 1024 * 1024;

/**
 * `withinMs` bounds the whole, from the look-up of the name to the last byte. `body` is sent as JSON, unless it is text
 * of another type; null: none.
 */
export function fetchJson(
  url: string,
  token: string | null,
  withinMs: number,
  method: "GET" | "POST" = "GET",
  body: unknown = null,
): Promise<Fetched> {
  return new Promise((resolve) => {
    const headers: Record<string, string> = { accept: "application/json", connection: "close" };
    const sent = body === null ? "" : body instanceof TextBody ? body.text : JSON.stringify(body);
    if (sent !== "") {
      headers["content-type"] = body instanceof TextBody ? body.type : "application/json";
      headers["content-length"] = String(Buffer.byteLength(sent));
    }
    if (token !== null && token !== "") headers["authorization"] = `Bearer ${token}`;
    const client = url.startsWith("https:") ? https : http;
    const request = client.request({ ...placeOf(url), method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let length = 0;
      response.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length > BODY_BYTES_MAX) request.destroy(new TooLong());
        else chunks.push(chunk);
      });
      response.on("error", (error) => finish({ kind: "unreachable", code: codeOf(error) }));
      response.on("end", () => finish(parsed(response.statusCode ?? 0, Buffer.concat(chunks).toString())));
    });
    // A peer that sends one byte now and then would outlive any limit between bytes.
    const timer = setTimeout(() => {
      finish({ kind: "unreachable", code: "ETIMEDOUT" });
      request.destroy();
    }, withinMs);
    request.on("error", (error) => finish({ kind: "unreachable", code: codeOf(error) }));
    request.end(sent);
    function finish(outcome: Fetched): void {
      clearTimeout(timer);
      resolve(outcome);
    }
  });
}

/** `http+unix://%2Frun%2Fgoodgate.sock/api/v1/status` is asked over the Unix socket that its host is. */
function placeOf(url: string): https.RequestOptions {
  const [, socket, path] = /^http\+unix:\/\/([^/]+)(\/.*)$/.exec(url) ?? [];
  if (socket !== undefined && path !== undefined) return { socketPath: decodeURIComponent(socket), path };
  const { protocol, hostname, port, pathname, search } = new URL(url);
  return { protocol, hostname: hostname.replace(/^\[|\]$/g, ""), port, path: pathname + search };
}

class TooLong extends Error {
  readonly code = "EFBIG";
}

function parsed(status: number, body: string): Fetched {
  try {
    return { kind: "answer", status, json: JSON.parse(body) };
  } catch {
    return { kind: "not json", status };
  }
}

/** `localhost` fails with one error for each address family; the first is the one to tell. */
function codeOf(error: Error): string {
  const own = (error as NodeJS.ErrnoException).code;
  if (own !== undefined) return own;
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return first instanceof Error ? ((first as NodeJS.ErrnoException).code ?? "EIO") : "EIO";
}
