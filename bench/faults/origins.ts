/** The three origins of the fault bench: processes that are killed, stopped, replaced and told how to behave. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { freePort } from "../../test/support/free-port.ts";
import type { Behaviour, FromOrigin, OriginCounts, ToOrigin } from "./behaviour.ts";

const PROGRAM = fileURLToPath(new URL("origin.ts", import.meta.url));

export class Origin {
  readonly name: string;
  readonly port: number;
  #child: ChildProcess | null = null;
  #behaviour: Behaviour = {};
  /** Counts of processes that are gone, as far as they were asked. */
  #payments: string[] = [];

  constructor(name: string, port: number) {
    this.name = name;
    this.port = port;
  }

  async start(): Promise<void> {
    const child = fork(PROGRAM, [String(this.port), this.name], {
      execArgv: [],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
    this.#child = child;
    await heard(child, "ready");
    this.behave(this.#behaviour);
  }

  behave(behaviour: Behaviour): void {
    this.#behaviour = behaviour;
    this.#say({ kind: "behave", behaviour });
  }

  /** As `kill -9` does. */
  kill(): void {
    this.#child?.kill("SIGKILL");
    this.#child = null;
  }

  /** It keeps its connections and does nothing. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** As an orderly deploy does: it finishes, and is gone. */
  async leave(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.send({ kind: "leave" } satisfies ToOrigin);
    await gone;
  }

  async counts(): Promise<OriginCounts> {
    const child = this.#child;
    if (child === null) return { requests: 0, payments: this.#payments };
    const counts = heard(child, "counts");
    this.#say({ kind: "count" });
    const told = await counts;
    if (told.kind !== "counts") throw new Error("an origin answered another question");
    return told;
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  #say(message: ToOrigin): void {
    this.#child?.send(message);
  }
}

/** a and b are one pool, c is the other. */
export interface Origins {
  readonly a: Origin;
  readonly b: Origin;
  readonly c: Origin;
  readonly all: readonly Origin[];
}

export async function startOrigins(): Promise<Origins> {
  const a = new Origin("a", await freePort());
  const b = new Origin("b", await freePort());
  const c = new Origin("c", await freePort());
  const all = [a, b, c];
  await Promise.all(all.map((origin) => origin.start()));
  return { a, b, c, all };
}

function heard(child: ChildProcess, kind: FromOrigin["kind"]): Promise<FromOrigin> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: FromOrigin): void => {
      if (message.kind !== kind) return;
      child.off("message", onMessage);
      resolve(message);
    };
    child.on("message", onMessage);
    child.once("exit", () => reject(new Error(`an origin ended before it said "${kind}"`)));
  });
}
