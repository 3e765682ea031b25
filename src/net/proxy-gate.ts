/**
 * What stands before a connection on a listener that expects the PROXY protocol: it reads the header, and then the
 * socket is what the header says, with the client's address as its own. Behind it nothing is different, and nothing
 * costs more.
 *
 * Only who is trusted may say whose a connection is; the protocol itself proves nothing. From them a header is
 * required, because a port that takes both guesses, and who guesses can be lied to.
 */
import { PROXY_REFUSALS, ProxyHeaderReader } from "../kernel/proxy-protocol.ts";
import type { ProxyHeader } from "../kernel/proxy-protocol.ts";
import type {
  Carrier,
  ProxyProtocolOptions,
  SocketError,
  SocketListener,
  SocketPort,
  TlsView,
  Unbegun,
} from "../kernel/socket.ts";

/** A socket that can be told whose it is. */
export interface Tellable extends SocketPort {
  carrier: Carrier;
  remoteAddress: string;
  remotePort: number;
}

type OnSocket<Socket> = (socket: Socket) => SocketListener | null;

/** `onSocket` is called for those whose header has come, and for those of whom none is expected. */
export function behindProxies<Socket extends Tellable>(
  options: ProxyProtocolOptions,
  onUnbegun: (unbegun: Unbegun) => void,
  onSocket: OnSocket<Socket>,
): OnSocket<Socket> {
  const waiting = { count: 0 };
  return (socket) => {
    const { remoteAddress, remotePort } = socket;
    // Gone before it was accepted (checks of load balancers end with RST), so the system does not know whose it was.
    if (remoteAddress === "") return null;
    if (!options.isTrusted(remoteAddress)) {
      if (options.othersAreClients) return onSocket(socket);
      const evidence = `${remoteAddress} is none of the listener's trustedProxies`;
      onUnbegun({ cause: "client.not_proxied", evidence, remoteAddress, remotePort });
      return null;
    }
    if (waiting.count >= options.waitingMax) {
      const evidence = `${waiting.count} connections wait for their header already (proxyProtocol.waiting)`;
      onUnbegun({ cause: "gw.proxy_header", evidence, remoteAddress, remotePort });
      return null;
    }
    return new ProxyGate(socket, options, waiting, onUnbegun, onSocket);
  };
}

class ProxyGate<Socket extends Tellable> implements SocketListener {
  readonly #socket: Socket;
  readonly #reader: ProxyHeaderReader;
  readonly #waiting: { count: number };
  readonly #onUnbegun: (unbegun: Unbegun) => void;
  readonly #onSocket: OnSocket<Socket>;
  readonly #timer: NodeJS.Timeout;
  #over = false;

  constructor(
    socket: Socket,
    { timeoutMs, bytesMax }: ProxyProtocolOptions,
    waiting: { count: number },
    onUnbegun: (unbegun: Unbegun) => void,
    onSocket: OnSocket<Socket>,
  ) {
    this.#socket = socket;
    this.#reader = new ProxyHeaderReader(bytesMax);
    this.#waiting = waiting;
    this.#onUnbegun = onUnbegun;
    this.#onSocket = onSocket;
    waiting.count += 1;
    this.#timer = setTimeout(() => {
      const { heldBytes } = this.#reader;
      this.#refuse(`its header was not complete after ${timeoutMs} ms; ${heldBytes} bytes had come`);
    }, timeoutMs).unref();
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.#over) return;
    const at = this.#reader.execute(bytes, start, end);
    const { header, refusal } = this.#reader;
    if (refusal !== null) this.#refuse(PROXY_REFUSALS[refusal]);
    if (header === null) return;
    this.#leave();
    const socket = this.#socket;
    tell(socket, header);
    const listener = this.#onSocket(socket);
    if (listener === null) {
      socket.destroy();
      return;
    }
    socket.listener = listener;
    if (at < end) listener.onData(bytes, at, end);
  }

  onFin(): void {
    const { heldBytes } = this.#reader;
    // A connection that is closed without a word is how load balancers look whether a port is open.
    if (heldBytes > 0) this.#refuse(`it closed after ${heldBytes} bytes of its header`);
    this.#leave();
    this.#socket.destroy();
  }

  onError(_error: SocketError): void {
    this.#leave();
  }

  onClose(): void {
    this.#leave();
  }

  onFault(error: unknown): void {
    this.#refuse(`a defect of the gateway: ${error instanceof Error ? error.message : String(error)}`);
  }

  onConnect(): void {
    // It was accepted.
  }

  onDrain(): void {
    // Nothing is written before the header is read.
  }

  #refuse(evidence: string): void {
    if (this.#over) return;
    this.#leave();
    const { remoteAddress, remotePort } = this.#socket;
    this.#onUnbegun({ cause: "gw.proxy_header", evidence, remoteAddress, remotePort });
    this.#socket.destroy();
  }

  #leave(): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting.count -= 1;
    clearTimeout(this.#timer);
  }
}

/** Of the load balancer's own connections nothing is told: their ends are the socket's. */
function tell(socket: Tellable, header: ProxyHeader): void {
  if (header.local) return;
  const { version, destination, destinationPort, uniqueId } = header;
  const { remoteAddress: address, remotePort: port } = socket;
  socket.carrier = {
    protocol: socket.carrier.protocol,
    tls: tlsOf(header),
    proxy: { version, address: plainIp(address), port, destination, destinationPort, uniqueId },
  };
  socket.remoteAddress = header.source;
  socket.remotePort = header.sourcePort;
}

/** What the load balancer has agreed on with the client. Of its own TLS with us, should there be any, the socket tells. */
function tlsOf({ tls, authority, alpn }: ProxyHeader): TlsView | null {
  if (tls === null) return null;
  return {
    version: tls.version,
    cipher: tls.cipher,
    serverName: authority,
    alpn,
    resumed: false,
  };
}

function plainIp(address: string): string {
  return address.startsWith("::ffff:") ? address.slice(7) : address;
}
