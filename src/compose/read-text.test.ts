/** Pipes as files: opening one waits for whoever writes into it, and a process that waits so does not end. */
import { execFile, execFileSync } from "node:child_process";
import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { readText, readTextAgain } from "./read-text.ts";

it("a pipe is read by a program that somebody started, and refused by a gateway that serves", async () => {
  const folder = await fs.mkdtemp(join(tmpdir(), "goodgate-pipe-"));
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  // Nobody writes into it yet.
  expect(await readTextAgain(pipe)).toEqual({ ok: false, code: "no regular file" });
  const written = promisify(execFile)("sh", ["-c", 'echo hello > "$0"', pipe]);
  expect(await readText(pipe)).toEqual({ ok: true, text: "hello\n" });
  await written;
  expect(await readTextAgain(folder)).toEqual({ ok: false, code: "EISDIR" });
  await fs.writeFile(join(folder, "file"), "again");
  expect(await readTextAgain(join(folder, "file"))).toEqual({ ok: true, text: "again" });
  await fs.rm(folder, { recursive: true });
});
