import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keepAccount, keepPair, keepStates, readShelf } from "./certificate-shelf.ts";

test("what is kept is found again, readable by nobody else, and what is broken counts as missing", async () => {
  const directory = join(await fs.mkdtemp(join(tmpdir(), "goodgate-shelf-")), "acme");
  expect(await readShelf(directory)).toEqual({ certificates: [], states: null, accounts: [], broken: [] });
  const pair = { name: "shop.test", cert: "cert", key: "key" };
  const account = { directory: "https://ca.test/dir", key: "key", url: "https://ca.test/a/1" };
  await keepPair(directory, { ...pair, cert: "old" });
  await keepPair(directory, pair);
  await keepAccount(directory, account);
  await keepStates(directory, { names: [1] });
  await fs.writeFile(join(directory, "name-torn.test.json"), '{"name":"torn.te');
  expect(await readShelf(directory)).toEqual({
    certificates: [pair],
    states: { names: [1] },
    accounts: [account],
    broken: [join(directory, "name-torn.test.json")],
  });
  const files = await fs.readdir(directory);
  expect(files.filter((file) => file.endsWith(".new"))).toEqual([]);
  for (const file of files.filter((one) => !one.includes("torn"))) {
    // oxlint-disable-next-line no-await-in-loop -- Three files.
    expect((await fs.stat(join(directory, file))).mode & 0o777).toBe(0o600);
  }
  expect((await fs.stat(directory)).mode & 0o777).toBe(0o700);
  await fs.rm(join(directory, ".."), { recursive: true });
});
