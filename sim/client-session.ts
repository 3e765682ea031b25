/** One connection of a simulated client: what it asked on it, what came back, and whose answer that was. */
import type { Address, SocketError, SocketListener, SocketPort } from "../src/kernel/socket.ts";
import type { SeededChance } from "./chance.ts";
import { content, firstWrong } from "./content.ts";
import { isContentOf, targetOf, userAgentOf } from "./ledger.ts";
import type { Ledger, RequestPlan, RequestState, RequestStory, Sighting } from "./ledger.ts";
import type { Trace } from "./trace.ts";
import type { VirtualClock } from "./virtual-clock.ts";
import type { VirtualNetwork } from "./virtual-network.ts";
import { WireReader } from "./wire-reader.ts";
import type { WireEvents, WireHead } from "./wire-reader.ts";

/** A client that was not told to go on sends its body all the same after a while, or at once (RFC 9110 §10.1.1). */
const CONTINUE_WAITS_MS = [0, 30, 1_000] as const;

export interface ClientWorld {
  readonly clock: VirtualClock;
  readonly network: VirtualNetwork;
  readonly ledger: Ledger;
  readonly trace: Trace;
  readonly gateway: Address;
}

/** How requests are written and answers read. */
export interface SessionHabits {
  readonly version: "1.1" | "1.0";
  /** Reads, then rests this long, each time; 0: reads as things come. */
  readonly readPauseMs: number;
  /** A request body leaves in pieces of this size, this far apart. */
  readonly pieceBytes: number;
  readonly pieceGapMs: number;
}

/** Whose connection it is. */
export interface SessionOwner {
  readonly name: string;
  readonly world: ClientWorld;
  readonly chance: SeededChance;
  readonly habits: SessionHabits;
  /** The connection is made. */
  connected(session: ClientSession): void;
  /** Everything that was asked is answered; the connection may be used again if it `isOpen`. */
  free(session: ClientSession): void;
  /** There was no connection, and not one byte of anything was sent. */
  unreachable(session: ClientSession): void;
  /** One request has come to its end. */
  settled(story: RequestStory, session: ClientSession): void;
  /** The connection is closed. Last call. */
  ended(session: ClientSession): void;
}

interface Asked {
  readonly story: RequestStory;
  /** What of the body has not been sent. */
  body: Buffer;
  awaitsContinue: boolean;
  /** The head of the final response has come. */
  isAnswering: boolean;
}

export class ClientSession implements SocketListener, WireEvents {
  readonly #client: SessionOwner;
  readonly #socket: SocketPort;
  readonly #reader = new WireReader("response", this);
  /** Oldest first; the response that comes next is the first one's. */
  readonly #asked: Asked[] = [];
  readonly #cancels: (() => void)[] = [];
  #connected = false;
  #closing = false;
  #over = false;

  constructor(client: SessionOwner, ip: string) {
    this.#client = client;
    this.#socket = client.world.network.dialFrom(ip)(client.world.gateway, this);
  }

  /** May be asked for more. */
  get isOpen(): boolean {
    return this.#connected && !this.#closing && !this.#over;
  }

  ask(plan: RequestPlan): RequestStory {
    return this.#send(plan);
  }

  /** Leaves without waiting for what is under way. */
  abandon(how: "reset" | "close"): void {
    if (this.#over) return;
    this.#closing = true;
    this.#settleAll("aborted");
    this.#over = true;
    if (how === "reset") this.#socket.reset();
    else this.#socket.destroy();
  }

  /** Nothing more will be asked. */
  finish(): void {
    this.#closing = true;
    if (this.#connected && !this.#over && this.#asked.length === 0) this.#socket.end();
  }

  // ------------------------------------------------------------------ the socket

  onConnect(): void {
    this.#connected = true;
    if (this.#closing) this.#socket.end();
    else this.#client.connected(this);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (this.#over) return;
    this.#reader.push(bytes, start, end);
    const { readPauseMs } = this.#client.habits;
    if (readPauseMs <= 0) return;
    this.#socket.pause();
    this.#later(readPauseMs, () => this.#socket.resume());
  }

  onDrain(): void {
    const last = this.#asked.at(-1);
    if (last !== undefined) this.#sendBody(last);
  }

  onFin(): void {
    if (this.#over) return;
    this.#closing = true;
    // Without a length or chunks the orderly end of the connection is the end of the body (RFC 9112 §6.3).
    this.#reader.end();
    this.#settleAll("cut");
    this.#socket.destroy();
  }

  onError(error: SocketError): void {
    this.#note(`hears ${error.code}`);
    if (!this.#connected) this.#client.unreachable(this);
    this.#settleAll("cut");
  }

  onFault(error: unknown): never {
    // A defect of the simulator: it ends the run.
    throw error;
  }

  onClose(): void {
    this.#settleAll("cut");
    this.#over = true;
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#client.ended(this);
  }

  // ------------------------------------------------------------------ the responses

  onHead(head: WireHead): void {
    const asked = this.#asked[0];
    const status = Number(head.startLine.slice(9, 12));
    if (asked === undefined) {
      this.#saw("answered once", 0, `a response that nobody asked for: ${head.startLine}`);
      return;
    }
    if (status < 200) {
      if (status === 100 && asked.awaitsContinue) this.#goOn(asked);
      return;
    }
    const { story } = asked;
    asked.isAnswering = true;
    asked.awaitsContinue = false;
    story.status = status;
    story.proxyStatus = head.fields.get("proxy-status") ?? "";
    const id = head.fields.get("x-sim-id");
    story.answeredBy = id === undefined ? "gateway" : "origin";
    story.origin = head.fields.get("x-sim-origin") ?? "";
    story.contentId = Number(id ?? 0);
    const retryAfter = head.fields.get("retry-after");
    if (retryAfter !== undefined) story.retryAfter = Number(retryAfter);
    if (id !== undefined && !isContentOf(story.contentId, story))
      this.#saw("own response", story.id, `the response is that of #${id}`);
    if (id === undefined && story.proxyStatus === "")
      this.#saw("own response", story.id, `a ${status} of the gateway without Proxy-Status`);
    if (!head.fields.has("x-request-id")) this.#saw("own response", story.id, "no X-Request-Id");
    const connection = head.fields.get("connection")?.toLowerCase() ?? "";
    if (connection === "close" || (this.#client.habits.version === "1.0" && connection !== "keep-alive"))
      this.#closing = true;
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    const asked = this.#asked[0];
    if (asked === undefined) return;
    const { story } = asked;
    if (story.answeredBy === "origin") {
      const wrong = firstWrong(story.contentId, "response", story.bodyBytes, bytes, start, end);
      if (wrong !== -1) this.#saw("own response", story.id, `byte ${wrong} of the response body is not the origin's`);
    }
    story.bodyBytes += end - start;
  }

  onEnd(): void {
    const asked = this.#asked.shift();
    if (asked === undefined) return;
    const { story } = asked;
    const { plan } = story;
    const right = plan.method === "HEAD" ? 0 : plan.answerBytes;
    if (story.answeredBy === "origin" && story.bodyBytes !== right) {
      this.#saw(
        "no false end",
        story.id,
        `a body of ${story.bodyBytes} bytes looks complete, the origin's has ${right}`,
      );
    }
    this.#settle(story, "answered");
    if (asked.body.length > 0) {
      // The rest of the body would be read as the next request.
      this.#closing = true;
    }
    this.#next();
  }

  onBroken(why: string): void {
    this.#saw("own response", this.#asked[0]?.story.id ?? 0, `what came is not HTTP: ${why}`);
    this.#settleAll("cut");
    this.#socket.reset();
  }

  // ------------------------------------------------------------------ inside

  #next(): void {
    if (this.#asked.length > 0) return;
    if (this.#closing) this.finish();
    else this.#client.free(this);
  }

  #send(plan: RequestPlan): RequestStory {
    const { habits, world } = this.#client;
    const story = world.ledger.open(this.#client.name, plan, world.clock.monotonic(), this.#asked.length);
    const body = content(story.id, "request", 0, plan.bodyBytes);
    const asked: Asked = { story, body, awaitsContinue: false, isAnswering: false };
    this.#asked.push(asked);
    if (this.#asked.length === 1) this.#reader.expect(plan.method);
    this.#note(`${plan.method} #${story.id}${plan.bodyBytes > 0 ? ` with ${plan.bodyBytes} bytes` : ""}`);
    const isChunked = plan.bodyFraming === "chunked" && habits.version === "1.1";
    let head = `${plan.method} ${targetOf(story)} HTTP/${habits.version}\r\nHost: shop.test\r\nUser-Agent: ${userAgentOf(this.#client.name, story.id)}\r\n${plan.lines}`;
    if (plan.bodyBytes > 0)
      head += isChunked ? "Transfer-Encoding: chunked\r\n" : `Content-Length: ${plan.bodyBytes}\r\n`;
    if (habits.version === "1.0") head += "Connection: keep-alive\r\n";
    if (plan.expectContinue && habits.version === "1.1") {
      head += "Expect: 100-continue\r\n";
      asked.awaitsContinue = true;
      this.#later(this.#client.chance.pick(CONTINUE_WAITS_MS), () => this.#goOn(asked));
    }
    if (isChunked && plan.bodyBytes > 0) asked.body = chunked(body, habits.pieceBytes);
    this.#socket.write(Buffer.from(`${head}\r\n`, "latin1"));
    if (!asked.awaitsContinue) this.#sendBody(asked);
    if (plan.abort !== null) this.#later(plan.abort.afterMs, () => this.#abort(asked));
    return story;
  }

  #goOn(asked: Asked): void {
    if (!asked.awaitsContinue) return;
    asked.awaitsContinue = false;
    this.#sendBody(asked);
  }

  #sendBody(asked: Asked): void {
    const { pieceBytes, pieceGapMs } = this.#client.habits;
    while (asked.body.length > 0 && !this.#over && !asked.awaitsContinue && !this.#socket.writing) {
      // A response that came before the body was sent ends the sending, and with it the connection.
      if (asked.isAnswering || asked.story.state !== "waiting") return;
      const piece = asked.body.subarray(0, pieceBytes);
      asked.body = asked.body.subarray(piece.length);
      this.#socket.write(piece);
      if (pieceGapMs <= 0 || asked.body.length === 0) continue;
      this.#later(pieceGapMs, () => this.#sendBody(asked));
      return;
    }
  }

  #abort(asked: Asked): void {
    const { abort } = asked.story.plan;
    if (this.#over || asked.story.state !== "waiting" || abort === null) return;
    this.#note(`#${asked.story.id} leaves (${abort.how})`);
    this.#closing = true;
    if (abort.how === "half-close") {
      asked.body = Buffer.alloc(0);
      this.#socket.end();
      return;
    }
    this.abandon(abort.how);
  }

  #settleAll(state: RequestState): void {
    for (const { story } of this.#asked.splice(0)) this.#settle(story, state);
  }

  #settle(story: RequestStory, state: RequestState): void {
    if (story.state !== "waiting") return;
    story.state = state;
    story.endedAt = this.#client.world.clock.monotonic();
    const first = this.#asked[0];
    if (first !== undefined) this.#reader.expect(first.story.plan.method);
    this.#note(
      `#${story.id} ${state}${story.status > 0 ? ` ${story.status} by ${story.answeredBy}, ${story.bodyBytes} bytes` : ""}`,
    );
    this.#client.settled(story, this);
  }

  #later(ms: number, run: () => void): void {
    this.#cancels.push(
      this.#client.world.clock.schedule(ms, () => {
        if (!this.#over) run();
      }),
    );
  }

  #note(what: string): void {
    this.#client.world.trace.note(this.#client.name, `${what} (:${this.#socket.localPort})`);
  }

  #saw(checker: Sighting["checker"], id: number, what: string): void {
    this.#note(`#${id} WRONG: ${what}`);
    this.#client.world.ledger.saw(checker, id, `${this.#client.name}: ${what}`);
  }
}

function chunked(body: Buffer, pieceBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += pieceBytes) {
    const piece = body.subarray(at, at + pieceBytes);
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n"));
  }
  parts.push(Buffer.from("0\r\n\r\n"));
  return Buffer.concat(parts);
}
