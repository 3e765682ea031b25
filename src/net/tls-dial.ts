/**
 * Connects to an address of an origin by TLS: TCP, the handshake, and then whether it is the origin. `onConnect` comes
 * after all three, so nothing of a request is ever said to somebody else.
 */
import type { X509Certificate } from "node:crypto";
import tls from "node:tls";
import net from "node:net";
import type { Address, OriginTls, SocketListener } from "../kernel/socket.ts";
import { OriginTlsFault } from "./origin-contexts.ts";
import type { OriginContexts } from "./origin-contexts.ts";
import { contain, copyReads, sharedReads } from "./stream-socket.ts";
import { TlsOriginSocket } from "./tls-origin-socket.ts";
import { certificateOf, verifyOrigin } from "./tls-verify.ts";

/** A session is begun anew by then, so that a certificate that was renewed, or was not, is seen. */
const SESSION_MS = 60 * 60 * 1000;

export interface Beginning {
  /** ALPN, the preferred one first. */
  readonly offered: string[];
  /** Leaves in the clear before all else; null: nothing does. */
  readonly opening: Buffer | null;
}

export function dialTls(
  address: Address,
  settings: OriginTls,
  contexts: OriginContexts,
  listener: SocketListener,
  beginning: Beginning,
): TlsOriginSocket {
  const { ip, port } = address;
  const place = `${ip} ${port}`;
  const resumable = contexts.session(settings, place);
  let socket: tls.TLSSocket;
  try {
    socket = connectTls(address, settings, contexts, beginning, resumable?.session);
  } catch (error) {
    socket = neverConnected(error);
  }
  const dialled = new TlsOriginSocket(socket, listener);
  dialled.remoteAddress = ip;
  dialled.remotePort = port;
  /** What may go on later: kept when it is known that this is the origin, for as long as what said so holds. */
  let session: Buffer | null = null;
  let expires = 0;
  const keep = (): void => {
    if (session !== null && expires > 0) contexts.keepSession(settings, place, { session, expires });
  };
  socket.on("session", (newest) => {
    session = newest;
    dialled.heard();
    keep();
  });
  socket.once("connect", () => contain(dialled, () => dialled.listener.onHandshake?.()));
  socket.once("secureConnect", () => {
    // Node gives it once.
    const leaf = socket.isSessionReused() ? null : (socket.getPeerX509Certificate() ?? null);
    const failure = socket.isSessionReused() ? null : verifyOrigin(socket, leaf, settings);
    if (failure !== null) {
      contexts.forgetSession(settings, place);
      dialled.refuse(failure);
      return;
    }
    if (socket.isSessionReused()) expires = resumable?.expires ?? 0;
    else expires = Math.min(Date.now() + SESSION_MS, endOf(leaf, settings));
    keep();
    dialled.secured(leaf === null ? null : certificateOf(leaf));
    contain(dialled, () => dialled.listener.onConnect());
  });
  // A server that cannot take the session any more usually says nothing and begins anew; some fail.
  socket.once("error", () => {
    if (expires === 0) contexts.forgetSession(settings, place);
  });
  return dialled;
}

/**
 * A socket of Node that is on its way. What leaves before TLS has to be handed to a socket of TCP, and Node reads such a
 * connection by copies.
 */
function connectTls(
  { ip, port, family }: Address,
  settings: OriginTls,
  contexts: OriginContexts,
  { offered, opening }: Beginning,
  session: Buffer | undefined,
): tls.TLSSocket {
  const secureContext = contexts.contextOf(settings);
  const place: net.TcpNetConnectOpts = { host: ip, port, family, allowHalfOpen: true };
  const options: tls.ConnectionOptions = {
    // Without SNI for an address (RFC 6066 §3).
    servername: net.isIP(settings.serverName) === 0 ? settings.serverName : "",
    secureContext,
    ALPNProtocols: offered,
    // Both are done in tls-verify.ts, which tells what it saw.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(session === undefined ? {} : { session }),
  };
  if (opening === null) {
    const whole: tls.ConnectionOptions & net.TcpNetConnectOpts = { ...options, ...place, onread: sharedReads() };
    const socket = tls.connect(whole);
    socket.setNoDelay(true);
    return socket;
  }
  const under = net.connect({ ...place, noDelay: true });
  under.write(opening);
  const socket = tls.connect({ ...options, socket: under });
  copyReads(socket);
  return socket;
}

/** The files of the configuration cannot be used: told as any failure to connect, because others may go on. */
function neverConnected(error: unknown): tls.TLSSocket {
  if (!(error instanceof OriginTlsFault)) throw error;
  // Node's types want a socket beneath, and its code does not.
  const socket = new tls.TLSSocket(undefined as unknown as net.Socket);
  const told: NodeJS.ErrnoException = new Error(error.message);
  told.code = "ERR_TLS_FILES";
  process.nextTick(() => socket.destroy(told));
  return socket;
}

/** When what was verified ends. */
function endOf(leaf: X509Certificate | null, { verify }: OriginTls): number {
  const until = verify && leaf !== null ? leaf.validToDate.getTime() : Number.NaN;
  return Number.isNaN(until) ? Number.POSITIVE_INFINITY : until;
}
