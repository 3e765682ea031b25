/** One connection at a simulated origin: reads requests, checks them, answers them as the script says. */
import type { SocketListener, SocketPort } from "../src/kernel/socket.ts";
import { content, firstWrong } from "./content.ts";
import { contentOf, wantedBy } from "./ledger.ts";
import { rangeOf } from "./range.ts";
import type { RequestStory, Wanted } from "./ledger.ts";
import type { AnswerPlan, SimOrigin } from "./origin.ts";
import { WireReader } from "./wire-reader.ts";
import type { WireEvents, WireHead } from "./wire-reader.ts";

interface Job {
  readonly method: string;
  /** Null for a health check. */
  readonly wanted: Wanted | null;
  readonly story: RequestStory | null;
  readonly plan: AnswerPlan;
  readonly fields: WireHead["fields"];
  readonly closes: boolean;
  bodyBytes: number;
  isReceived: boolean;
  /** All that is to be sent; null until it begins. */
  wire: Buffer | null;
  sent: number;
  isAnswered: boolean;
}

const HEALTH_PATH = "/healthz";
const HEALTH_CHECK: Wanted = { id: 0, path: "", resource: 0, answerBytes: 3, answerFraming: "length", bodyBytes: 0 };

export class OriginSession implements SocketListener, WireEvents {
  readonly #origin: SimOrigin;
  readonly #socket: SocketPort;
  readonly #reader = new WireReader("request", this);
  #job: Job | null = null;
  #cancelTimer: () => void = () => undefined;
  #closing = false;
  #over = false;
  /** After an answer that came early: the rest of the request is read and nothing done with it. */
  #deaf = false;
  /** When bytes left that nobody asked for. */
  #soiledAt = Infinity;
  /** The response that left last is one that the end of its connection ends. */
  #isUnframed = false;

  constructor(origin: SimOrigin, socket: SocketPort) {
    this.#origin = origin;
    this.#socket = socket;
    this.#waitIdle();
  }

  kill(how: "fin" | "rst"): void {
    this.#leave();
    // FIN in the middle of a body that only FIN can end is a truncation that nobody can see (RFC 9112 §8): no gateway
    // can be blamed for it, so it does not happen here.
    const isInside = this.#job !== null && !this.#job.isAnswered && this.#job.sent > 0;
    if (how === "rst" || (this.#isUnframed && (isInside || this.#socket.writing))) this.#socket.reset();
    else this.#socket.destroy();
  }

  closeWhenIdle(): void {
    this.#closing = true;
    if (this.#job === null && this.#reader.idle) this.kill("fin");
  }

  // ------------------------------------------------------------------ the socket

  onConnect(): void {
    // Accepted connections are connected.
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (!this.#over && !this.#deaf) this.#reader.push(bytes, start, end);
    const { readPauseMs, world } = this.#origin;
    if (readPauseMs <= 0) return;
    this.#socket.pause();
    world.clock.schedule(readPauseMs, () => this.#socket.resume());
  }

  onDrain(): void {
    if (this.#job !== null) this.#sendMore(this.#job);
  }

  onFin(): void {
    if (this.#over) return;
    if (!this.#reader.idle && !this.#deaf) this.#note("the request was cut by FIN");
    // A server that has nothing under way closes, too; one that has finishes first.
    if (this.#job === null || !this.#job.isReceived) this.kill("fin");
    else this.#closing = true;
  }

  onError(): void {
    this.#leave();
  }

  onFault(error: unknown): never {
    // A defect of the simulator: it ends the run.
    throw error;
  }

  onClose(): void {
    this.#leave();
  }

  // ------------------------------------------------------------------ the request

  onHead(head: WireHead): void {
    this.#cancelTimer();
    const [method = "", target = ""] = head.startLine.split(" ");
    if (this.#job !== null && this.#isOut(this.#job)) this.#job = null;
    if (this.#job !== null) {
      this.#breach(this.#job.wanted?.id ?? 0, `${method} ${target} came before the answer to the request before it`);
      return;
    }
    if (this.#origin.world.clock.monotonic() > this.#soiledAt + this.#origin.doubtMs) {
      this.#breach(0, `${method} ${target} came on a connection that carried bytes nobody had asked for`);
    }
    if (target === HEALTH_PATH) {
      this.#job = this.#healthJob(method);
      return;
    }
    const { ledger, clock } = this.#origin.world;
    const wanted = wantedBy(target, head.fields.get("user-agent") ?? "");
    const story = wanted === null ? null : (ledger.stories.get(wanted.id) ?? null);
    if (wanted === null || story === null || story.plan.method !== method) {
      this.#breach(wanted?.id ?? 0, `a request that no client sent: ${head.startLine}`);
      this.kill("rst");
      return;
    }
    if (!head.fields.has("via") || !head.fields.has("x-request-id")) this.#breach(wanted.id, "no Via or X-Request-Id");
    story.seenBy.push(this.#origin.place.name);
    this.#origin.requestsAt.push(clock.monotonic());
    this.#note(`${method} #${wanted.id} begins`);
    const plan = this.#planFor({ ...wanted, method });
    const closes = plan.closes || plan.framing === "close" || head.fields.get("connection")?.toLowerCase() === "close";
    this.#job = {
      method,
      wanted,
      story,
      plan,
      fields: head.fields,
      closes,
      bodyBytes: 0,
      isReceived: false,
      wire: null,
      sent: 0,
      isAnswered: false,
    };
    const needsBody = wanted.bodyBytes > 0;
    if (needsBody && plan.early !== "no") this.#answerSoon(this.#job);
    else if (head.fields.get("expect") === "100-continue")
      this.#socket.write(Buffer.from("HTTP/1.1 100 Continue\r\n\r\n"));
  }

  onBody(bytes: Buffer, start: number, end: number): void {
    const job = this.#job;
    if (job === null || job.wanted === null) return;
    const wrong = firstWrong(job.wanted.id, "request", job.bodyBytes, bytes, start, end);
    if (wrong !== -1) this.#breach(job.wanted.id, `byte ${wrong} of the request body is not the client's`);
    job.bodyBytes += end - start;
  }

  onEnd(): void {
    const job = this.#job;
    if (job === null || this.#over) return;
    job.isReceived = true;
    const { wanted, story } = job;
    if (wanted !== null && story !== null) {
      if (job.bodyBytes !== wanted.bodyBytes) {
        this.#breach(
          wanted.id,
          `a request body of ${job.bodyBytes} bytes looks complete, the client's has ${wanted.bodyBytes}`,
        );
      }
      story.runs.push({ origin: this.#origin.place.name, at: this.#origin.world.clock.monotonic() });
      this.#note(`#${wanted.id} is complete`);
    }
    if (job.isAnswered) this.#answered(job);
    else if (job.plan.early === "no" || wanted === null || wanted.bodyBytes === 0) this.#answerSoon(job);
  }

  onBroken(why: string): void {
    this.#breach(this.#job?.wanted?.id ?? 0, `what came is not HTTP: ${why}`);
    this.kill("rst");
  }

  // ------------------------------------------------------------------ the answer

  #planFor(asked: Wanted & { method: string }): AnswerPlan {
    const { script, chance } = this.#origin;
    return {
      delayMs: chance.spread(0.2, 20),
      work: 1,
      status: 200,
      framing: asked.answerFraming,
      bytes: asked.answerBytes,
      pieceBytes: 64 * 1024,
      gapMs: 0,
      breakAfter: -1,
      breakHow: "fin",
      closes: false,
      extraBytes: 0,
      early: "no",
      lines: "",
      version: null,
      ...script(asked, chance),
    };
  }

  #healthJob(method: string): Job {
    const { health, healthLines } = this.#origin;
    const plan: AnswerPlan = {
      ...this.#planFor({ ...HEALTH_CHECK, method }),
      delayMs: 0.5,
      status: health === "well" ? 200 : 503,
      framing: "length",
      bytes: 3,
      gapMs: 0,
      breakAfter: health === "mute" ? 0 : -1,
      breakHow: "stall",
      lines: healthLines,
    };
    return {
      method,
      wanted: null,
      story: null,
      plan,
      fields: new Map(),
      closes: true,
      bodyBytes: 0,
      isReceived: false,
      wire: null,
      sent: 0,
      isAnswered: false,
    };
  }

  #answerSoon(job: Job): void {
    const answer = (): void => {
      this.#later(job.plan.delayMs, () => {
        job.wire = this.#wireOf(job);
        this.#sendMore(job);
      });
    };
    const { capacity } = this.#origin;
    // A check is answered by another thread: that is why checks are not believed when traffic says otherwise.
    if (capacity === null || job.wanted === null) answer();
    else capacity.take(job.plan.work, () => this.#over || answer());
  }

  #sendMore(job: Job): void {
    const { wire, plan } = job;
    if (this.#over || wire === null || this.#socket.writing) return;
    const end = plan.breakAfter >= 0 && plan.breakAfter < wire.length ? plan.breakAfter : wire.length;
    const piece = wire.subarray(job.sent, Math.min(end, job.sent + plan.pieceBytes));
    if (piece.length > 0) {
      this.#isUnframed = plan.framing === "close";
      if (job.sent === 0) job.story?.answersBegun.push(this.#origin.place.name);
      job.sent += piece.length;
      this.#socket.write(piece);
    }
    // What waits would be lost by a close, and the drain comes back here.
    if (this.#socket.writing) return;
    if (job.sent < end) this.#later(plan.gapMs, () => this.#sendMore(job));
    else if (end < wire.length) this.#break(job);
    else this.#sent(job);
  }

  #break(job: Job): void {
    const { breakHow } = job.plan;
    if (job.wanted !== null) this.#note(`#${job.wanted.id} breaks after ${job.sent} bytes (${breakHow})`);
    if (breakHow === "crash") this.#origin.crash(this.#origin.chance.happens(0.5) ? "fin" : "rst");
    else if (breakHow !== "stall") this.kill(breakHow);
  }

  #sent(job: Job): void {
    if (job.isAnswered) return;
    job.isAnswered = true;
    if (job.plan.extraBytes > 0) this.#soiledAt = this.#origin.world.clock.monotonic();
    if (job.wanted !== null) this.#note(`#${job.wanted.id} answered ${job.plan.status}`);
    if (job.isReceived) this.#answered(job);
    else if (job.plan.early === "cuts") this.kill("fin");
    else if (job.closes) this.#socket.end();
  }

  /** The request is in and the response is out. */
  #answered(job: Job): void {
    this.#job = null;
    if (job.wanted !== null) this.#origin.onAnswered(job.wanted);
    if (job.closes || this.#closing) {
      // FIN behind the response; what still comes is read, so that no RST takes the response back.
      this.#deaf = true;
      this.#socket.end();
    } else this.#waitIdle();
  }

  #wireOf(job: Job): Buffer {
    const { plan, wanted, method } = job;
    const { place, idleMs, tellsIdle, chance } = this.#origin;
    const contentId = wanted === null ? 0 : contentOf(wanted, plan.version ?? 0);
    const etag = plan.version === null ? "" : `"v${plan.version}-${contentId}"`;
    const range = etag === "" || plan.status !== 200 ? null : rangeOf(job.fields, etag, plan.bytes);
    const [from, to] = range ?? [0, plan.bytes];
    const body = wanted === null ? Buffer.from("ok\n") : content(contentId, "response", from, to - from);
    const status = range === null ? plan.status : 206;
    let head = `HTTP/1.1 ${status} ${status < 300 ? "OK" : "Trouble"}\r\nX-Sim-Origin: ${place.name}\r\n`;
    if (wanted !== null) head += `X-Sim-Id: ${contentId}\r\n`;
    if (etag !== "") head += `ETag: ${etag}\r\nAccept-Ranges: bytes\r\n`;
    if (range !== null) head += `Content-Range: bytes ${from}-${to - 1}/${plan.bytes}\r\n`;
    if (tellsIdle && Number.isFinite(idleMs)) head += `Keep-Alive: timeout=${Math.floor(idleMs / 1000)}\r\n`;
    if (plan.framing === "length") head += `Content-Length: ${body.length}\r\n`;
    if (plan.framing === "chunked") head += "Transfer-Encoding: chunked\r\n";
    if (job.closes) head += "Connection: close\r\n";
    const parts: Buffer[] = [Buffer.from(`${head}${plan.lines}\r\n`, "latin1")];
    if (method !== "HEAD") {
      if (plan.framing === "chunked") parts.push(...chunksOf(body, () => Math.ceil(chance.spread(1, 40_000))));
      else parts.push(body);
    }
    if (plan.extraBytes > 0) parts.push(content(0, "response", 0, plan.extraBytes));
    return Buffer.concat(parts);
  }

  // ------------------------------------------------------------------ inside

  #waitIdle(): void {
    const { idleMs } = this.#origin;
    if (!Number.isFinite(idleMs)) return;
    this.#later(idleMs, () => {
      if (this.#job !== null || !this.#reader.idle) return;
      this.#note("closes an idle connection");
      this.kill("fin");
    });
  }

  #later(ms: number, run: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#origin.world.clock.schedule(ms, () => {
      if (!this.#over) run();
    });
  }

  #leave(): void {
    this.#over = true;
    this.#cancelTimer();
    this.#origin.forget(this);
  }

  /** The response has left whole; only what is not part of it has not. */
  #isOut({ wire, sent, plan }: Job): boolean {
    return wire !== null && plan.extraBytes > 0 && sent >= wire.length - plan.extraBytes;
  }

  #note(what: string): void {
    this.#origin.world.trace.note(this.#origin.place.name, `${what} (from :${this.#socket.remotePort})`);
  }

  #breach(id: number, what: string): void {
    this.#note(`#${id} WRONG: ${what}`);
    this.#origin.world.ledger.saw("request intact", id, `${this.#origin.place.name}: ${what}`);
  }
}

function* chunksOf(body: Buffer, size: () => number): Generator<Buffer> {
  let at = 0;
  while (at < body.length) {
    const end = Math.min(body.length, at + size());
    yield Buffer.from(`${(end - at).toString(16)}\r\n`);
    yield body.subarray(at, end);
    yield Buffer.from("\r\n");
    at = end;
  }
  yield Buffer.from("0\r\n\r\n");
}
