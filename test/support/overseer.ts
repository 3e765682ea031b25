/**
 * Watches over a run of tests: ends processes that a file left behind, and says what was running when the run itself is
 * ended from outside, which is how a build server treats one that takes too long.
 */
import { writeSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestCase, TestModule } from "vitest/node";
import { leftOver } from "./left-over.ts";
import type { LeftOver } from "./left-over.ts";

const LOOK_EVERY_MS = 2_000;
const STDERR = 2;

export class Overseer implements Reporter {
  /** Files and tests that have begun and not ended, by id. */
  readonly #running = new Map<string, { readonly name: string; readonly since: number }>();
  /** Found the last time: what is about to end has so long for it. */
  #seen = new Set<number>();

  onInit(): void {
    setInterval(() => this.#look(), LOOK_EVERY_MS).unref();
    process.once("exit", () => leftOver(process.pid, "all").forEach(end));
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.prependOnceListener(signal, () => this.#tell());
  }

  onTestModuleStart(module: TestModule): void {
    this.#running.set(module.id, { name: named(module), since: performance.now() });
  }

  onTestModuleEnd(module: TestModule): void {
    this.#running.delete(module.id);
  }

  onTestCaseReady(test: TestCase): void {
    this.#running.set(test.id, { name: `${named(test.module)} > ${test.fullName}`, since: performance.now() });
  }

  onTestCaseResult(test: TestCase): void {
    this.#running.delete(test.id);
  }

  #look(): void {
    const found = leftOver(process.pid, "gone");
    for (const one of found) if (this.#seen.has(one.pid)) end(one);
    this.#seen = new Set(found.map(({ pid }) => pid));
  }

  #tell(): void {
    const now = performance.now();
    say("Ended from outside. What was running:");
    for (const { name, since } of this.#running.values()) say(`  ${name}, for ${Math.round((now - since) / 1000)} s`);
  }
}

function end({ pid, command, file }: LeftOver): void {
  say(`Ended process ${pid}, which ${named({ moduleId: file })} left behind: ${command}`);
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended in the meantime.
  }
}

function named({ moduleId }: { readonly moduleId: string }): string {
  return relative(process.cwd(), moduleId);
}

/** At once: the process may be ending. */
function say(line: string): void {
  writeSync(STDERR, `${line}\n`);
}
