/**
 * Clients at a steady rate that cost little: `node steady-clients.ts PORT TLS_PORT RATE`. Sockets without an HTTP
 * library, so that on a small machine the gateway has the CPU. Requests leave when they are due, whether or not earlier
 * ones were answered: most on kept connections, every tenth on a new one, every two-hundredth on a new one with TLS.
 *
 * A line on standard input names the phase that begins; "end" ends it. Then it prints as JSON, for each phase, what was
 * sent in it and what became of that. Whatever is no complete 200 is lost, by its status or how it ended.
 */
import net from "node:net";
import type { Socket } from "node:net";
import readline from "node:readline";
import tls from "node:tls";

interface Phase {
  sent: number;
  answered: number;
  lateMaxMs: number;
  readonly lost: Record<string, number>;
}

interface Asked {
  readonly phase: Phase;
  readonly at: number;
}

const TICK_MS = 5;
const NEW_EVERY = 10;
const TLS_EVERY = 200;
const WAIT_MS = 15_000;
const KEPT = "GET /load HTTP/1.1\r\nHost: bench\r\n\r\n";
const ONCE = "GET /load HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n";
const ANSWER = /^HTTP\/1\.1 (\d+)[^]*?\r\ncontent-length: *(\d+)\r\n[^]*?\r\n\r\n/i;

const [port = 0, tlsPort = 0, rate = 0] = process.argv.slice(2).map(Number);
const phases: Record<string, Phase> = {};
const idle: Connection[] = [];
const open = new Set<Asked>();
let phase: Phase | null = null;
let count = 0;
let due = 0;
let lookedAt = performance.now();

class Connection {
  readonly #socket: Socket;
  readonly #isKept: boolean;
  #asked: Asked | null = null;
  #heard = "";

  constructor(socket: Socket, isKept: boolean) {
    this.#socket = socket;
    this.#isKept = isKept;
    socket.setNoDelay(true);
    socket.on("data", (bytes) => this.#hear(bytes.toString("latin1")));
    socket.on("error", (error: NodeJS.ErrnoException) => this.#end(error.code ?? error.message));
    socket.on("end", () => this.#end("closed"));
    socket.on("close", () => this.#end("closed"));
  }

  ask(asked: Asked): void {
    this.#asked = asked;
    open.add(asked);
    this.#socket.write(this.#isKept ? KEPT : ONCE);
  }

  #hear(text: string): void {
    this.#heard += text;
    const answer = ANSWER.exec(this.#heard);
    if (answer === null || this.#heard.length < answer[0].length + Number(answer[2])) return;
    const [head] = answer;
    this.#heard = "";
    this.#over(answer[1] === "200" ? null : `status ${answer[1]}`);
    if (this.#isKept && !/\r\nconnection: *close/i.test(head)) idle.push(this);
    else this.#socket.destroy();
  }

  #end(how: string): void {
    const at = idle.indexOf(this);
    if (at >= 0) idle.splice(at, 1);
    this.#over(this.#heard === "" ? how : `${how} inside an answer`);
    this.#socket.destroy();
  }

  #over(lost: string | null): void {
    const asked = this.#asked;
    if (asked === null) return;
    this.#asked = null;
    open.delete(asked);
    if (lost === null) asked.phase.answered += 1;
    else asked.phase.lost[lost] = (asked.phase.lost[lost] ?? 0) + 1;
    asked.phase.lateMaxMs = Math.max(asked.phase.lateMaxMs, Math.round(performance.now() - asked.at));
  }
}

function send(of: Phase, at: number): void {
  count += 1;
  of.sent += 1;
  const asked = { phase: of, at };
  if (count % TLS_EVERY === 0) {
    const socket = tls.connect({
      port: tlsPort,
      host: "127.0.0.1",
      servername: "localhost",
      rejectUnauthorized: false,
    });
    new Connection(socket, false).ask(asked);
  } else if (count % NEW_EVERY === 0) new Connection(net.connect(port, "127.0.0.1"), false).ask(asked);
  else (idle.pop() ?? new Connection(net.connect(port, "127.0.0.1"), true)).ask(asked);
}

setInterval(() => {
  const now = performance.now();
  // Of a stop of this process not everything is made up for: that would be a flood and no steady rate.
  due += (Math.min(now - lookedAt, 100) / 1_000) * rate;
  lookedAt = now;
  for (; due >= 1; due -= 1) if (phase !== null) send(phase, now);
}, TICK_MS);

for await (const line of readline.createInterface({ input: process.stdin })) {
  if (line === "end") break;
  phase = { sent: 0, answered: 0, lateMaxMs: 0, lost: {} };
  phases[line] = phase;
}
phase = null;
const until = performance.now() + WAIT_MS;
while (open.size > 0 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, TICK_MS));
for (const { phase: of } of open) of.lost["no answer"] = (of.lost["no answer"] ?? 0) + 1;
process.stdout.write(`${JSON.stringify(phases)}\n`, () => process.exit(0));
