import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { linesOf } from "./lines.ts";

let folder = "";
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(tmpdir(), "goodgate-lines-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

async function all(file: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(file)) lines.push(line);
  return lines;
}

async function read(name: string, content: Uint8Array | string): Promise<string[]> {
  const file = path.join(folder, name);
  await fs.writeFile(file, content);
  return all(file);
}

test("Lines come one by one, from a plain file and from a packed one", async () => {
  expect(await read("plain", "a\nb\r\n\nc")).toEqual(["a", "b", "", "c"]);
  expect(await read("packed.gz", gzipSync("a\nb\n"))).toEqual(["a", "b"]);
});

test("A packed file that was unpacked before its lines are taken ends as well", async () => {
  const file = path.join(folder, "early.gz");
  await fs.writeFile(file, gzipSync("a\nb\n"));
  const lines: string[] = [];
  for await (const line of linesOf(file)) {
    lines.push(line);
    // The file has long been closed when the next line is asked for.
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
  }
  expect(lines).toEqual(["a", "b"]);
});

test("A file that is not there, or is not packed as its name says, or is cut, is an error and no end", async () => {
  await expect(all(path.join(folder, "nowhere"))).rejects.toThrow("ENOENT");
  await expect(read("wrong.gz", "not packed")).rejects.toThrow("incorrect header check");
  const whole = gzipSync("some line\n".repeat(100));
  await expect(read("cut.gz", whole.subarray(0, whole.length - 12))).rejects.toThrow("unexpected end of file");
});
