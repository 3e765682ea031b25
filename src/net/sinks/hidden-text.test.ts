import { execFileSync } from "node:child_process";
import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { uncover } from "./hidden-text.ts";

// A secret is read with each message: each would have taken one of the four threads that read files, for good.
it("a secret comes from a file that can be read again, and not from a pipe in its place", async () => {
  const folder = await fs.mkdtemp(join(tmpdir(), "goodgate-secret-"));
  const name = join(folder, "token");
  const read = (): ReturnType<typeof uncover> => uncover({ from: "file", name });
  expect(await read()).toEqual({ ok: false, detail: `the file ${name} cannot be read (ENOENT)` });
  execFileSync("mkfifo", [name]);
  expect(await read()).toEqual({ ok: false, detail: `the file ${name} cannot be read (no regular file)` });
  await fs.rm(name);
  await fs.writeFile(name, "  hush\n");
  expect(await read()).toEqual({ ok: true, text: "hush" });
  for (const useless of [" \n", "x".repeat(16 * 1024 + 1)]) {
    // oxlint-disable-next-line no-await-in-loop -- The same file, one content after the other.
    await fs.writeFile(name, useless);
    // oxlint-disable-next-line no-await-in-loop -- As above.
    expect(await read()).toEqual({ ok: false, detail: `the file ${name} holds no secret` });
  }
  await fs.rm(folder, { recursive: true });
});
