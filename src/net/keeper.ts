/**
 * The place of a gateway, kept for whoever waits for it: a container, a shell, supervisord and `npm start` know the
 * process that they started and nothing else, and its end is the gateway's end for them. So that one stays. It starts
 * each process that takes the place, also for a gateway that it started before, passes signals on, and ends when the
 * one that serves has ended, with its exit code. However often the place changes hands, one process waits.
 *
 * Sockets go through it from one gateway to the next and are closed here, and what the two say to each other it passes
 * on unread. It may be much older than both of them: what it understands is little (contract/succession.ts).
 *
 * When it is killed, the gateway that it keeps the place for hears that by the end of the channel, finishes what is
 * under way and ends: whoever killed it wanted that, or starts another one, which needs the address.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { Writable } from "node:stream";
import type { ConfigurationLeft, FromKeeper, FromSuccessor, ToKeeper, ToSuccessor } from "../contract/succession.ts";
import { TESTAMENT } from "./heritage.ts";
import type { Testament } from "./heritage.ts";
import type { LentSocket, SocketAddress } from "./inherited-sockets.ts";

/** A socket of the process that asks for the next one. */
export type NextSocket = LentSocket & SocketAddress;

/** What the next process begins with. */
export interface NextOrder {
  readonly sockets: readonly NextSocket[];
  readonly state: string | null;
  /** Null: it begins with the file on the disk. */
  readonly configuration: ConfigurationLeft | null;
  /** Whoever keeps the place stays. */
  readonly stays: boolean;
}

export interface NextListener {
  onMessage(message: FromSuccessor, pid: number): void;
  /** `because`: the rest of a sentence that begins with "it". */
  onEnd(because: string): void;
}

export interface Next {
  /** Resolves when it has been handed over, or cannot be any more. */
  send(message: ToSuccessor): Promise<void>;
  /** It is not wanted any more. */
  giveUp(): void;
}

/** Starts the process that follows: its own child, or another one's who is asked to. */
export type StartNext = (order: NextOrder, listener: NextListener) => Next;

/** A process that was started here. */
interface Kept {
  readonly child: ChildProcess;
  readonly sockets: SentSocket[];
  next: Kept | null;
  serves: boolean;
  hearsOfEnd: boolean;
  /** Its predecessor has ended. */
  isAlone: boolean;
}

/** What Node passes with a message, with what is needed of it. */
interface SentSocket extends NextSocket {
  readonly handle: SentHandle;
}

interface SentHandle {
  readonly fd: number;
  close(): void;
}

/** Behind the three standard descriptors and the channel. */
const FIRST_SOCKET = 4;
/** What has been sent is here by then. */
const SAID_MS = 1_000;

export class Keeper {
  /** What is started: this program, as this process was. */
  readonly #program: readonly string[];
  readonly #kept = new Set<Kept>();
  readonly #ended = Promise.withResolvers<number>();
  /** Whoever serves of those; null: this process itself. */
  #heir: Kept | null = null;
  /** It has ended while the one after it was being started. */
  #codeLeft: number | null = null;
  /** Of whoever served last: nobody does any more. */
  #over: number | null = null;

  constructor(program: readonly string[] = [...process.execArgv, ...process.argv.slice(1)]) {
    this.#program = program;
  }

  /** Resolves with the exit code of whoever served last. Those that still finish something are waited for if that was in order. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  readonly start: StartNext = (order, listener) => nextOf(this.#spawn(order, listener));

  /** To whoever serves. */
  pass(signal: NodeJS.Signals): void {
    this.#heir?.child.kill(signal);
  }

  /** Also to those that finish something, and to one that is being started: the gateway is meant, and they are of it. */
  passToAll(signal: NodeJS.Signals): void {
    for (const { child } of this.#kept) child.kill(signal);
  }

  #spawn({ sockets, state, configuration, stays }: NextOrder, listener: NextListener): Kept {
    const behind = FIRST_SOCKET + sockets.length;
    const testament: Testament = {
      sockets: sockets.map(({ host, port, file }, index) => ({ descriptor: FIRST_SOCKET + index, host, port, file })),
      state,
      configuration: configuration === null ? null : behind,
      stays,
      keeps: stays,
    };
    const child = spawn(process.execPath, this.#program, {
      stdio: [
        "inherit",
        "inherit",
        "inherit",
        "ipc",
        ...sockets.map(({ descriptor }) => descriptor),
        ...(configuration === null ? [] : ["pipe" as const]),
      ],
      // Bodies that are kept for keys go over it as bytes.
      serialization: "advanced",
      env: { ...process.env, [TESTAMENT]: JSON.stringify(testament) },
    });
    // One that could not be started has none.
    const pipe = child.pid === undefined ? null : child.stdio[behind];
    if (configuration !== null && pipe instanceof Writable) {
      // One that ended without reading it is told by its end.
      pipe.on("error", () => undefined);
      pipe.end(JSON.stringify(configuration));
    }
    const kept: Kept = { child, sockets: [], next: null, serves: false, hearsOfEnd: false, isAlone: false };
    this.#kept.add(kept);
    child.on("message", (told, handle) => this.#hear(kept, listener, told as FromSuccessor | ToKeeper, handle));
    child.once("exit", (code, signal) => {
      whenAllIsSaid(child, () => {
        listener.onEnd(signal === null ? `ended with exit code ${code}` : `ended by ${signal}`);
        this.#gone(kept, code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      });
    });
    child.on("error", (error) => {
      // Also told of a message that could not be sent: then its end is told by itself.
      if (child.pid !== undefined) return;
      listener.onEnd(`could not be started: ${error.message}`);
      this.#gone(kept, 1);
    });
    return kept;
  }

  #hear(kept: Kept, listener: NextListener, message: FromSuccessor | ToKeeper, handle: unknown): void {
    switch (message.kind) {
      case "next socket":
        // The channel can lose one; that there are too few is noticed below.
        if (isHandle(handle)) kept.sockets.push({ ...message.socket, handle, descriptor: handle.fd });
        return;
      case "next":
        this.#startAfter(kept, message);
        return;
      case "to next":
        if (kept.next !== null) void nextOf(kept.next).send(message.message);
        return;
      case "no next":
        kept.next?.child.kill("SIGKILL");
        return;
      case "ready":
        kept.serves = true;
        kept.hearsOfEnd = message.hearsOfEnd === true;
        this.#heir = kept;
        this.#codeLeft = null;
        release(kept);
        break;
      case "key":
      case "keys ended":
      case "failed":
    }
    listener.onMessage(message, kept.child.pid ?? 0);
  }

  #startAfter(asking: Kept, { sockets: count, state, configuration }: Extract<ToKeeper, { kind: "next" }>): void {
    const sent = asking.sockets.splice(0);
    const refuse = (because: string): void => tell(asking, { kind: "next ended", because });
    if (asking.next !== null) refuse("was not started: there is another one");
    else if (sent.length < count) refuse("was not started: a socket was lost on its way to who starts it");
    else {
      const listener: NextListener = {
        onMessage: (message, pid) => tell(asking, { kind: "from next", pid, message }),
        onEnd(because) {
          asking.next = null;
          tell(asking, { kind: "next ended", because });
        },
      };
      asking.next = this.#spawn({ sockets: sent, state, configuration, stays: true }, listener);
    }
    // It has them by now; here they would only be kept from being closed.
    for (const { handle } of sent) handle.close();
  }

  #gone(kept: Kept, code: number): void {
    this.#kept.delete(kept);
    for (const { handle } of kept.sockets.splice(0)) handle.close();
    if (kept.next !== null) orphan(kept.next);
    if (kept === this.#heir) {
      // What is being started may yet serve.
      if (kept.next?.serves === false) this.#codeLeft = code;
      else this.#over = code;
    } else if (!kept.serves && this.#codeLeft !== null) this.#over = this.#codeLeft;
    // A gateway that crashed is to be started again now; one that was stopped has finished when all of it has.
    if (this.#over !== null && (this.#over !== 0 || this.#kept.size === 0)) this.#ended.resolve(this.#over);
  }
}

function nextOf(kept: Kept): Next {
  return {
    send: (message) =>
      new Promise((sent) => {
        if (kept.child.connected) kept.child.send(message, () => sent());
        else sent();
      }),
    giveUp: () => void kept.child.kill("SIGKILL"),
  };
}

/** What it sent last may still be on its way when its end is known; then the channel ends. */
function whenAllIsSaid(child: ChildProcess, done: () => void): void {
  if (!child.connected) {
    done();
    return;
  }
  const late = setTimeout(over, SAID_MS);
  child.once("disconnect", over);
  function over(): void {
    clearTimeout(late);
    child.off("disconnect", over);
    done();
  }
}

/** Nobody is before it any more. */
function orphan(kept: Kept): void {
  kept.isAlone = true;
  tell(kept, { kind: "predecessor ended" });
  if (kept.serves) release(kept);
}

/** An older program takes the end of the channel for the end of its predecessor. */
function release(kept: Kept): void {
  if (kept.isAlone && !kept.hearsOfEnd && kept.child.connected) kept.child.disconnect();
}

function tell({ child }: Kept, message: FromKeeper | ToSuccessor): void {
  if (child.connected) child.send(message, () => undefined);
}

function isHandle(handle: unknown): handle is SentHandle {
  return typeof (handle as { readonly fd?: unknown } | undefined)?.fd === "number";
}
