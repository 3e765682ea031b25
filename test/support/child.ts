/**
 * A child process with a way to wait for what it prints and a way to end it for sure. Every server that
 * tests and benchmarks start outside their own process is one of these.
 */
import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly pid: number;
  /** Everything printed so far. */
  stdout(): string;
  stderr(): string;
  /**
   * Resolves when standard output or error matches; rejects with what was printed when the process ends first, or when
   * a machine with much else to do had time enough for it.
   */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** To its standard input, which it has with `input: true` only; what it does not read any more is lost. */
  write(text: string): void;
  signal(name: NodeJS.Signals): void;
  readonly ending: Promise<Ending>;
  readonly running: boolean;
  /** SIGTERM, then SIGKILL after `graceMs`. Resolves when it is gone, also when it was before. */
  stop(graceMs?: number): Promise<Ending>;
  /** Resident memory in bytes. */
  residentBytes(): number;
  /** The most resident memory since `forgetPeak` (or the start), in bytes. */
  peakResidentBytes(): number;
  forgetPeak(): void;
}

/** What may be kept of a stream; a server that floods its log must not fill the test's memory. */
const KEPT_CHARACTERS_MAX = 4 * 1024 * 1024;

/** Less than a test has, so that it ends with words. */
const GIVE_UP_MS = 240_000;

/** Children that are alive, so that none outlives a test run that was cut short. */
const alive = new Set<number>();
process.on("exit", () => {
  for (const pid of alive) {
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // It ended in the meantime.
    }
  }
});
// A signal that nobody handles ends a process without its exit handlers; what it started would live on.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  process.once(signal, () => {
    if (process.listenerCount(signal) === 0) process.exit(1);
  });
}

interface Options {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** It has a standard input, to be written to. */
  readonly input?: boolean;
}

/** Runs it to its end; what came of it is the caller's to judge. */
export async function runChild(
  command: string,
  args: readonly string[],
  options: Options = {},
): Promise<Ending & { readonly stdout: string; readonly stderr: string }> {
  const child = await startChild(command, args, options);
  const ending = await child.ending;
  return { ...ending, stdout: child.stdout(), stderr: child.stderr() };
}

export function startChild(command: string, args: readonly string[], options: Options = {}): Promise<Child> {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    // Never those of this process: a child that lives on would keep them open, and whoever reads them waiting.
    stdio: [options.input === true ? "pipe" : "ignore", "pipe", "pipe"],
    // A process group of its own: Ctrl-C reaches this process only, which then ends its children in order,
    // and what is left at the very end goes with its descendants (nginx's workers, for one).
    detached: true,
  }) as ChildProcessByStdio<Writable | null, Readable, Readable>;
  let out = "";
  let err = "";
  let over: Ending | null = null;
  let waits: { pattern: RegExp; resolve: (match: RegExpExecArray) => void; reject: (error: Error) => void }[] = [];

  function recheck(): void {
    waits = waits.filter((wait) => {
      const match = wait.pattern.exec(out) ?? wait.pattern.exec(err);
      if (match !== null) wait.resolve(match);
      else if (over !== null)
        wait.reject(new Error(`${command} ended (${said(over)}) before ${wait.pattern}:\n${err}${out}`));
      return match === null && over === null;
    });
  }
  child.stdin?.on("error", () => {});
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (out.length < KEPT_CHARACTERS_MAX) out += text;
    recheck();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    if (err.length < KEPT_CHARACTERS_MAX) err += text;
    recheck();
  });
  const ending = new Promise<Ending>((resolve) => {
    // `close` rather than `exit`: by then everything it printed has been read.
    child.once("close", (code, signal) => {
      over = { code, signal };
      if (child.pid !== undefined) alive.delete(child.pid);
      recheck();
      resolve(over);
    });
  });

  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () => {
      const pid = child.pid;
      if (pid === undefined) {
        reject(new Error(`${command} has no process id`));
        return;
      }
      alive.add(pid);
      resolve({
        pid,
        stdout: () => out,
        stderr: () => err,
        printed: (pattern) =>
          new Promise((matched, failed) => {
            const late = setTimeout(() => {
              waits = waits.filter((wait) => wait !== one);
              failed(new Error(`${command} runs and has not printed ${pattern}:\n${err}${out}`));
            }, GIVE_UP_MS).unref();
            const one = {
              pattern,
              resolve(match: RegExpExecArray): void {
                clearTimeout(late);
                matched(match);
              },
              reject(error: Error): void {
                clearTimeout(late);
                failed(error);
              },
            };
            waits.push(one);
            recheck();
          }),
        write(text): void {
          if (child.stdin === null) throw new Error(`${command} was started without an input`);
          child.stdin.write(text);
        },
        signal(name): void {
          child.kill(name);
        },
        ending,
        get running(): boolean {
          return over === null;
        },
        async stop(graceMs = 30_000): Promise<Ending> {
          if (over === null) {
            child.kill("SIGTERM");
            // A stopped process (SIGSTOP) would never see that; the other way round it might stop itself again before.
            child.kill("SIGCONT");
          }
          const force = setTimeout(() => child.kill("SIGKILL"), graceMs);
          const how = await ending;
          clearTimeout(force);
          return how;
        },
        residentBytes: () => residentBytes(pid),
        peakResidentBytes: () => memoryField(pid, "VmHWM"),
        // proc(5): writing 5 resets the high-water mark.
        forgetPeak: () => {
          writeFileSync(`/proc/${pid}/clear_refs`, "5");
        },
      });
    });
  });
}

/** Resident memory of a process in bytes, from /proc (Linux). */
export function residentBytes(pid: number): number {
  return memoryField(pid, "VmRSS");
}

function memoryField(pid: number, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  if (match?.[1] === undefined) throw new Error(`no ${name} for process ${pid}`);
  return Number(match[1]) * 1024;
}

function said(ending: Ending): string {
  return ending.signal ?? `exit code ${ending.code}`;
}
