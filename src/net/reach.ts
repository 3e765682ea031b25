/**
 * Trying things out, for `doctor`: can this address be listened on, does that one accept a connection, what
 * time does a server think it is. Each is tried once, leaves nothing open, and never rejects.
 */
import http from "node:http";
import net from "node:net";
import { UNIX, isUnix } from "../kernel/ip-text.ts";
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

/** The Date field (RFC 9110 §6.6.1) of the answer to a HEAD as epoch ms; null when there is no answer or no such field. */
export function dateToldBy(url: string, timeoutMs: number): Promise<number | null> {
  return new Promise((resolve) => {
    const request = http.request(url, { method: "HEAD", agent: false, timeout: timeoutMs }, (response) => {
      const date = Date.parse(response.headers.date ?? "");
      response.destroy();
      resolve(Number.isNaN(date) ? null : date);
    });
    request.once("timeout", () => {
      request.destroy();
      resolve(null);
    });
    request.once("error", () => resolve(null));
    request.end();
  });
}
