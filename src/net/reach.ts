/**
 * Trying things out, for `doctor`: can this address be listened on, does that one accept a connection, what
 * time does a server think it is. Each is tried once, leaves nothing open, and never rejects.
 */
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { UNIX, isUnix } from "../kernel/ip-text.ts";
import type { OriginTls } from "../kernel/socket.ts";
import { createOriginContexts } from "./origin-contexts.ts";
import { handshake } from "./probe-rungs.ts";
import { trySocketFile } from "./unix-listen.ts";

/** Null: it could be listened on, and was released at once. Otherwise the system's code. */
export function tryBind(bind: { readonly host: string; readonly port: number }): Promise<string | null> {
  if (isUnix(bind.host)) return trySocketFile(bind.host.slice(UNIX.length));
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "EIO"));
    server.listen({ host: bind.host, port: bind.port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

export type Reached = { readonly ok: true; readonly tookMs: number } | { readonly ok: false; readonly code: string };

export function tryConnect(host: string, port: number, timeoutMs: number): Promise<Reached> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const to = isUnix(host) ? { path: host.slice(UNIX.length) } : { host, port };
    const socket = net.connect({ ...to, timeout: timeoutMs });
    const finish = (reached: Reached): void => {
      socket.destroy();
      resolve(reached);
    };
    socket.once("connect", () => finish({ ok: true, tookMs: performance.now() - startedAt }));
    socket.once("timeout", () => finish({ ok: false, code: "ETIMEDOUT" }));
    socket.once("error", (error: NodeJS.ErrnoException) => finish({ ok: false, code: error.code ?? "EIO" }));
  });
}

/** A TLS handshake as the gateway makes it. `text`: what was shown, or what was wrong. */
export async function tryHandshake(
  ip: string,
  port: number,
  tls: OriginTls,
  timeoutMs: number,
): Promise<{ readonly ok: boolean; readonly text: string }> {
  const contexts = createOriginContexts({ onRefused: () => undefined, sessionsMax: 0 });
  const { ok, text } = await handshake({ ip, port, family: net.isIPv6(ip) ? 6 : 4 }, tls, contexts, timeoutMs);
  return { ok, text };
}

/** The Date field (RFC 9110 §6.6.1) of the answer to a HEAD as epoch ms; null when there is no answer or no such field. */
export function dateToldBy(url: string, timeoutMs: number): Promise<number | null> {
  return new Promise((resolve) => {
    const hear = (response: http.IncomingMessage): void => {
      const date = Date.parse(response.headers.date ?? "");
      response.destroy();
      resolve(Number.isNaN(date) ? null : date);
    };
    const options = { method: "HEAD", agent: false, timeout: timeoutMs } as const;
    // Whose certificate it is was looked at before, and a clock that is wrong is what may keep it from being good.
    const request = url.startsWith("https:")
      ? https.request(url, { ...options, rejectUnauthorized: false }, hear)
      : http.request(url, options, hear);
    request.once("timeout", () => {
      request.destroy();
      resolve(null);
    });
    request.once("error", () => resolve(null));
    request.end();
  });
}
