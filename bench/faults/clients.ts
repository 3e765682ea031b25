/**
 * The clients of the fault bench: an open loop, as on the internet. Requests leave at their times whether or not
 * earlier ones were answered; each is looked at to its last byte.
 */
import { Agent, request } from "node:http";
import { fileBytes } from "./behaviour.ts";

export type Class = "critical" | "normal" | "background";

export interface Asked {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly class: Class;
}

export interface Seen {
  /** Of a payment what the origins know it by. */
  readonly number: number;
  readonly class: Class;
  readonly method: "GET" | "POST";
  /** ms since the start of the load when it was due. */
  readonly dueMs: number;
  readonly tookMs: number;
  /** `200`, `502`, `ECONNRESET`, `cut`, `wrong body`, `patience`. */
  readonly outcome: string;
  readonly ok: boolean;
}

export interface LoadPlan {
  readonly port: number;
  readonly seconds: number;
  /** Requests a second at a time of the load (s). */
  readonly rate: (second: number) => number;
  readonly ask: (number: number) => Asked;
  /** After this long a client gives up. */
  readonly patienceMs: number;
  /** A failed request is sent again up to so many times, at once. */
  readonly clientRetries: number;
  /** On a connection of its own each, so that connections lie idle between requests as the plan wants it. */
  readonly connections?: number;
}

const TICK_MS = 5;
const file = fileBytes();

export async function runLoad(plan: LoadPlan): Promise<Seen[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: plan.connections ?? Infinity, maxFreeSockets: 256 });
  const seen: Seen[] = [];
  const startedAt = performance.now();
  let owed = 0;
  let number = 0;
  let lastAt = startedAt;
  const pending = new Set<Promise<void>>();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now();
      const second = (now - startedAt) / 1000;
      if (second >= plan.seconds) {
        clearInterval(timer);
        resolve();
        return;
      }
      owed += ((now - lastAt) / 1000) * plan.rate(second);
      lastAt = now;
      for (; owed >= 1; owed -= 1) {
        const asked = plan.ask(number);
        const mine = number;
        const one: Promise<void> = (async (): Promise<void> => {
          seen.push(await askPatiently(plan, agent, asked, mine, now - startedAt));
        })().finally(() => pending.delete(one));
        pending.add(one);
        number += 1;
      }
    }, TICK_MS);
  });
  await Promise.all(pending);
  agent.destroy();
  return seen;
}

async function askPatiently(plan: LoadPlan, agent: Agent, asked: Asked, number: number, dueMs: number): Promise<Seen> {
  const began = performance.now();
  for (let retries = 0; ; retries += 1) {
    const outcome = await askOnce(plan, agent, asked, number);
    const ok = outcome === "200" || outcome === "206";
    if (ok || retries >= plan.clientRetries) {
      return {
        number,
        class: asked.class,
        method: asked.method,
        dueMs,
        tookMs: performance.now() - began,
        outcome,
        ok,
      };
    }
  }
}

function askOnce(plan: LoadPlan, agent: Agent, asked: Asked, number: number): Promise<string> {
  return new Promise((resolve) => {
    const headers: Record<string, string> =
      asked.method === "POST" ? { "x-payment": String(number), "content-type": "text/plain" } : {};
    const outgoing = request(
      { host: "127.0.0.1", port: plan.port, path: asked.path, method: asked.method, agent, headers },
      (response) => {
        let at = 0;
        let wrong = false;
        const isFile = asked.path.startsWith("/file") && response.statusCode === 200;
        response.on("data", (piece: Buffer) => {
          if (isFile && !piece.equals(file.subarray(at, at + piece.length))) wrong = true;
          at += piece.length;
        });
        response.on("error", () => undefined);
        response.on("close", () => {
          clearTimeout(patience);
          if (!response.complete) resolve("cut");
          else if (wrong || (isFile && at !== file.length)) resolve("wrong body");
          else resolve(String(response.statusCode));
        });
      },
    );
    const patience = setTimeout(() => {
      resolve("patience");
      outgoing.destroy();
    }, plan.patienceMs);
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(patience);
      resolve(error.code ?? "error");
    });
    outgoing.end(asked.method === "POST" ? `payment ${number}\n` : undefined);
  });
}
