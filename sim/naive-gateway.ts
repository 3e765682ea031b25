/**
 * The negative control: a small proxy of the kind that anybody would write first. It takes requests whole, goes round
 * the origins, and on any failure, of any request, on to the next one until it has tried all; it looks names up once,
 * keeps connections for a minute, waits a minute for everything, and lets whoever finds no free place wait in one
 * queue without end. It knows nothing of health, budgets, deadlines, classes, caches or resuming.
 *
 * A scenario whose marks it meets proves nothing: `naive-gateway.test.ts` holds it against all of them.
 */
import type { OriginSettings, Settings } from "../src/config/settings.ts";
import type { GatewayPorts } from "../src/gateway/gateway-ports.ts";
import type { Address, ListeningPort, SocketListener, SocketPort } from "../src/kernel/socket.ts";
import { WireReader } from "./wire-reader.ts";
import type { WireEvents, WireHead } from "./wire-reader.ts";

/** What a naive gateway does with what it is told; each of them is some product's default. */
export interface NaiveHabits {
  /** `once`: at its start. `obeyed`: each answer of the resolver is taken for the truth, and a failure for an empty one. */
  readonly names: "once" | "obeyed";
  /** `obeyed`: an origin whose check fails three times gets nothing, whatever becomes of the rest. */
  readonly checks: "none" | "obeyed";
  /** `reads`: what changes something is not repeated, also where nobody can have got it. */
  readonly repeats: "everything" | "reads";
}

export const USUAL_NAIVETY: NaiveHabits = { names: "once", checks: "none", repeats: "everything" };

export interface NaivePorts extends Pick<GatewayPorts, "dial" | "listen" | "resolver" | "newId" | "every"> {
  readonly schedule: (ms: number, run: () => void) => () => void;
}

/** Exchanges at once, of all routes together; whoever comes later waits. */
const PLACES = 200;
const WAIT_MS = 60_000;
const IDLE_MS = 60_000;
const CHECK_EVERY_MS = 2_000;
const CHECK_WAIT_MS = 1_000;
const CHECKS_UNTIL_DOWN = 3;
const ASK_AGAIN_MS = 2_000;

interface Place {
  readonly name: string;
  readonly port: number;
  addresses: readonly Address[];
  failedChecks: number;
}

export class NaiveGateway {
  readonly #settings: Settings;
  readonly #ports: NaivePorts;
  readonly #habits: NaiveHabits;
  /** Pool by pool; the second is for when the first has failed. */
  readonly #pools: readonly (readonly Place[])[];
  readonly #idle = new Map<string, OriginLeg[]>();
  readonly #clients = new Set<ClientLeg>();
  readonly #queue: (() => void)[] = [];
  #busy = 0;
  #turn = 0;
  #listening: readonly ListeningPort[] = [];
  readonly #stops: (() => void)[] = [];

  constructor(settings: Settings, ports: NaivePorts, habits: NaiveHabits) {
    this.#settings = settings;
    this.#ports = ports;
    this.#habits = habits;
    this.#pools = settings.services.flatMap((service) => service.pools.map((pool) => pool.origins.map(toPlace)));
  }

  async start(): Promise<void> {
    for (const place of this.#pools.flat()) this.#follow(place);
    if (this.#habits.checks === "obeyed") {
      this.#stops.push(
        this.#ports.every(CHECK_EVERY_MS, () => this.#pools.flat().forEach((place) => this.#check(place))),
      );
    }
    const listening = this.#settings.listeners.map(({ bind }) =>
      this.#ports.listen(bind, (socket) => {
        const client = new ClientLeg(socket, this);
        this.#clients.add(client);
        return client;
      }),
    );
    this.#listening = await Promise.all(listening);
  }

  async drain(): Promise<void> {
    for (const stop of this.#stops) stop();
    for (const client of this.#clients) client.leave();
    for (const legs of this.#idle.values()) for (const leg of legs.splice(0)) leg.leave();
    await Promise.all(this.#listening.map((port) => port.close()));
  }

  forget(client: ClientLeg): void {
    this.#clients.delete(client);
  }

  get requestId(): string {
    return this.#ports.newId();
  }

  /** Calls `run` when there is a place for one more exchange; the caller gives it back with `leavePlace`. */
  takePlace(run: () => void): void {
    if (this.#busy >= PLACES) {
      this.#queue.push(run);
      return;
    }
    this.#busy += 1;
    run();
  }

  leavePlace(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#busy -= 1;
    else next();
  }

  /** Every address there is, beginning with the next one in turn. */
  around(method: string): Address[] {
    this.#turn += 1;
    const all = this.#usable();
    return this.#habits.repeats === "everything" || method === "GET" ? all : all.slice(0, 1);
  }

  #usable(): Address[] {
    return this.#pools.flatMap((places) => {
      const usable = places.filter((place) => place.failedChecks < CHECKS_UNTIL_DOWN).flatMap(addressesOf);
      const from = usable.length === 0 ? 0 : this.#turn % usable.length;
      return [...usable.slice(from), ...usable.slice(0, from)];
    });
  }

  restedLeg(address: Address): OriginLeg | null {
    return this.#idle.get(keyOf(address))?.pop() ?? null;
  }

  rest(leg: OriginLeg): void {
    const key = keyOf(leg.address);
    const legs = this.#idle.get(key) ?? [];
    this.#idle.set(key, legs);
    legs.push(leg);
    this.wait(leg, IDLE_MS);
  }

  /** One wait for each connection: the new one takes the place of the one before. */
  wait(leg: OriginLeg, ms: number): void {
    leg.cancelWait();
    leg.cancelWait = this.#ports.schedule(ms, () => leg.leave());
  }

  gone(leg: OriginLeg): void {
    leg.cancelWait();
    const legs = this.#idle.get(keyOf(leg.address));
    const at = legs?.indexOf(leg) ?? -1;
    if (at !== -1) legs?.splice(at, 1);
  }

  newLeg(address: Address): OriginLeg {
    return new OriginLeg(this, address, this.#ports.dial);
  }

  waitForAnswer(leg: OriginLeg): void {
    this.wait(leg, WAIT_MS);
  }

  #follow(place: Place): void {
    const { resolver } = this.#ports;
    resolver.resolve(place.name, ({ addresses }) => {
      place.addresses = addresses;
    });
    if (this.#habits.names === "once") return;
    const ask = (): void => {
      const known = resolver.peek(place.name);
      if (known !== null) place.addresses = known.failure === null ? known.addresses : [];
    };
    this.#stops.push(resolver.watch(place.name, ask), this.#ports.every(ASK_AGAIN_MS, ask));
  }

  #check(place: Place): void {
    const [address] = addressesOf(place);
    if (address === undefined) return;
    const leg = this.newLeg(address);
    const judge = (isWell: boolean): void => {
      place.failedChecks = isWell ? 0 : place.failedChecks + 1;
      leg.leave();
    };
    this.wait(leg, CHECK_WAIT_MS);
    leg.ask(Buffer.from(`GET /healthz HTTP/1.1\r\nHost: ${place.name}\r\n\r\n`), "GET", {
      onHead: (head) => judge(head.startLine.includes(" 200 ")),
      onBody: () => undefined,
      onEnd: () => undefined,
      onFailed: () => judge(false),
    });
  }
}

interface Answers {
  onHead(head: WireHead): void;
  onBody(bytes: Buffer, start: number, end: number): void;
  onEnd(): void;
  /** No complete answer comes any more. */
  onFailed(): void;
}

/** A connection to an origin. */
class OriginLeg implements SocketListener, WireEvents {
  readonly address: Address;
  cancelWait: () => void = () => undefined;
  readonly #gateway: NaiveGateway;
  readonly #socket: SocketPort;
  readonly #reader = new WireReader("response", this);
  #answers: Answers | null = null;
  #toSend: Buffer | null = null;
  #closes = false;
  #isInterim = false;
  #isConnected = false;
  #over = false;

  constructor(gateway: NaiveGateway, address: Address, dial: GatewayPorts["dial"]) {
    this.#gateway = gateway;
    this.address = address;
    this.#socket = dial(address, this);
  }

  ask(request: Buffer, method: string, answers: Answers): void {
    this.#answers = answers;
    this.#reader.expect(method);
    this.#gateway.waitForAnswer(this);
    if (this.#isConnected) this.#socket.write(request);
    else this.#toSend = request;
  }

  leave(): void {
    this.#end();
    this.#socket.destroy();
  }

  onConnect(): void {
    this.#isConnected = true;
    if (this.#toSend !== null) this.#socket.write(this.#toSend);
    this.#toSend = null;
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#reader.push(bytes, start, end);
  }

  onDrain(): void {
    // What does not fit waits in memory.
  }

  onFin(): void {
    this.#reader.end();
    this.leave();
  }

  onError(): void {
    this.#end();
  }

  onClose(): void {
    this.#end();
  }

  onFault(error: unknown): never {
    throw error;
  }

  onHead(head: WireHead): void {
    this.#isInterim = head.startLine.startsWith("HTTP/1.1 1");
    if (this.#isInterim) return;
    this.#closes = head.fields.get("connection")?.toLowerCase() === "close";
    this.#answers?.onHead(head);
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#gateway.waitForAnswer(this);
    this.#answers?.onBody(bytes, start, end);
  }

  onEnd(): void {
    const answers = this.#answers;
    this.#answers = null;
    if (this.#closes) this.leave();
    else if (!this.#over) this.#gateway.rest(this);
    answers?.onEnd();
  }

  onBroken(): void {
    this.leave();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#gateway.gone(this);
    const answers = this.#answers;
    this.#answers = null;
    answers?.onFailed();
  }
}

/** A connection of a client: one exchange after another. */
class ClientLeg implements SocketListener, WireEvents {
  readonly socket: SocketPort;
  readonly #gateway: NaiveGateway;
  readonly #reader = new WireReader("request", this);
  readonly #asked: NaiveExchange[] = [];
  #head: WireHead | null = null;
  #body: Buffer[] = [];
  #over = false;

  constructor(socket: SocketPort, gateway: NaiveGateway) {
    this.socket = socket;
    this.#gateway = gateway;
  }

  leave(): void {
    this.socket.destroy();
  }

  /** The answer to the first of what was asked is out. */
  next(): void {
    this.#asked.shift();
    this.#asked[0]?.begin();
  }

  onConnect(): void {
    // Accepted connections are connected.
  }

  onData(bytes: Buffer, start: number, end: number): void {
    this.#reader.push(bytes, start, end);
  }

  onDrain(): void {
    // What does not fit waits in memory.
  }

  onFin(): void {
    this.socket.destroy();
  }

  onError(): void {
    // `onClose` follows.
  }

  onClose(): void {
    if (this.#over) return;
    this.#over = true;
    this.#gateway.forget(this);
    this.#asked[0]?.abandon();
  }

  onFault(error: unknown): never {
    throw error;
  }

  onHead(head: WireHead): void {
    this.#head = head;
    this.#body = [];
    if (head.fields.has("expect")) this.socket.write(Buffer.from("HTTP/1.1 100 Continue\r\n\r\n"));
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    this.#body.push(Buffer.from(bytes.subarray(start, end)));
  }

  onEnd(): void {
    if (this.#head === null) return;
    this.#asked.push(new NaiveExchange(this.#gateway, this, this.#head, Buffer.concat(this.#body)));
    if (this.#asked.length === 1) this.#asked[0]?.begin();
  }

  onBroken(): void {
    this.socket.destroy();
  }
}

const HOP_BY_HOP: readonly string[] = ["connection", "keep-alive", "transfer-encoding", "content-length", "expect"];

class NaiveExchange implements Answers {
  readonly #gateway: NaiveGateway;
  readonly #client: ClientLeg;
  readonly #method: string;
  readonly #wire: Buffer;
  readonly #id: string;
  #left: Address[] = [];
  #leg: OriginLeg | null = null;
  #framing: "none" | "length" | "chunked" = "none";
  #hasBegun = false;
  #hasPlace = false;
  #over = false;

  constructor(gateway: NaiveGateway, client: ClientLeg, head: WireHead, body: Buffer) {
    this.#gateway = gateway;
    this.#client = client;
    this.#method = head.startLine.split(" ")[0] ?? "";
    this.#id = gateway.requestId;
    const length = body.length > 0 ? `Content-Length: ${body.length}\r\n` : "";
    const lines = `${linesOf(head)}Via: 1.1 naive\r\nX-Request-Id: ${this.#id}\r\n${length}`;
    this.#wire = Buffer.concat([Buffer.from(`${head.startLine}\r\n${lines}\r\n`, "latin1"), body]);
  }

  begin(): void {
    this.#gateway.takePlace(() => {
      if (this.#over) {
        this.#gateway.leavePlace();
        return;
      }
      this.#hasPlace = true;
      this.#left = this.#gateway.around(this.#method);
      this.#goOn();
    });
  }

  /** The client has left. */
  abandon(): void {
    this.#over = true;
    this.#leg?.leave();
    this.#leavePlace();
  }

  #goOn(): void {
    const address = this.#left.shift();
    if (address === undefined) {
      this.#reply("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nProxy-Status: naive\r\n");
      this.#finish();
      return;
    }
    this.#leg = this.#gateway.restedLeg(address) ?? this.#gateway.newLeg(address);
    this.#leg.ask(this.#wire, this.#method, this);
  }

  onHead(head: WireHead): void {
    this.#hasBegun = true;
    const hasBody = this.#method !== "HEAD";
    const length = head.fields.get("content-length");
    this.#framing = length !== undefined ? "length" : hasBody ? "chunked" : "none";
    const framing =
      length !== undefined ? `Content-Length: ${length}\r\n` : hasBody ? "Transfer-Encoding: chunked\r\n" : "";
    this.#reply(`${head.startLine}\r\n${linesOf(head)}${framing}`);
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    const isChunked = this.#framing === "chunked";
    if (isChunked) this.#client.socket.write(Buffer.from(`${(end - start).toString(16)}\r\n`));
    this.#client.socket.write(Buffer.from(bytes.subarray(start, end)));
    if (isChunked) this.#client.socket.write(Buffer.from("\r\n"));
  }

  onEnd(): void {
    if (this.#framing === "chunked") this.#client.socket.write(Buffer.from("0\r\n\r\n"));
    this.#finish();
  }

  onFailed(): void {
    this.#leg = null;
    if (this.#over) return;
    // What has begun cannot be begun again.
    if (this.#hasBegun) this.#client.socket.reset();
    else this.#goOn();
  }

  #reply(head: string): void {
    this.#client.socket.write(Buffer.from(`${head}X-Request-Id: ${this.#id}\r\n\r\n`, "latin1"));
  }

  #finish(): void {
    this.#over = true;
    this.#leg = null;
    this.#leavePlace();
    this.#client.next();
  }

  #leavePlace(): void {
    if (this.#hasPlace) this.#gateway.leavePlace();
    this.#hasPlace = false;
  }
}

function linesOf({ fields }: WireHead): string {
  let lines = "";
  for (const [name, value] of fields) if (!HOP_BY_HOP.includes(name)) lines += `${name}: ${value}\r\n`;
  return lines;
}

function toPlace({ host, port }: OriginSettings): Place {
  return { name: host, port, addresses: [], failedChecks: 0 };
}

function addressesOf({ addresses, port }: Place): Address[] {
  return addresses.map((address) => ({ ...address, port }));
}

function keyOf({ ip, port }: Address): string {
  return `${ip}:${port}`;
}
