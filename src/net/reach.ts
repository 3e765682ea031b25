/**
 * Trying things out, for `doctor`: can this address be listened on, does that one accept a connection, what
 * time does a server think it is. Each is tried once, leaves nothing open, and never rejects.
 */
import net from "node:net";
import type { Endpoint, ProbeRequest, Way } from "../contract/rungs.ts";
import { UNIX, isUnix } from "../kernel/ip-text.ts";
import type { OriginTls } from "../kernel/socket.ts";
import { createOriginContexts } from "./origin-contexts.ts";
import { ask } from "./probe-request.ts";
import { handshake } from "./probe-rungs.ts";
import { openSocket } from "./probe-socket.ts";
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

export function tryConnect(to: Endpoint, way: Way, timeoutMs: number): Promise<Reached> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const socket = openSocket(to, way);
    socket.setTimeout(timeoutMs);
    const finish = (reached: Reached): void => {
      if (reached.ok) socket.destroySoon();
      else socket.destroy();
      resolve(reached);
    };
    socket.once("connect", () => finish({ ok: true, tookMs: performance.now() - startedAt }));
    socket.once("timeout", () => finish({ ok: false, code: "ETIMEDOUT" }));
    // Stays: what is ended may still report an error, and one that nobody hears ends the process.
    socket.on("error", (error: NodeJS.ErrnoException) => finish({ ok: false, code: error.code ?? "EIO" }));
  });
}

/** A TLS handshake as the gateway makes it. `text`: what was shown, or what was wrong. */
export async function tryHandshake(
  to: Endpoint,
  tls: OriginTls,
  way: Omit<Way, "tls">,
  timeoutMs: number,
): Promise<{ readonly ok: boolean; readonly text: string }> {
  const contexts = createOriginContexts({ onRefused: () => undefined, sessionsMax: 0 });
  const { ok, text } = await handshake(to, tls, way, contexts, timeoutMs);
  return { ok, text };
}

/** The Date field (RFC 9110 §6.6.1) of the answer to a HEAD as epoch ms; null when there is no answer or no such field. */
export async function dateToldBy(
  to: Endpoint,
  { host, target, way }: Pick<ProbeRequest, "host" | "target" | "way">,
  timeoutMs: number,
): Promise<number | null> {
  const contexts = createOriginContexts({ onRefused: () => undefined, sessionsMax: 0 });
  const request: ProbeRequest = { method: "HEAD", target, host, way, fields: {}, bodyBytes: 0 };
  const { date } = await ask(to, request, contexts, timeoutMs);
  const told = Date.parse(date);
  return Number.isNaN(told) ? null : told;
}
