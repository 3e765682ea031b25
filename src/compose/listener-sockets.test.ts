/** Files of Unix sockets that workers inherit, in a directory of the test's own. */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { settingsFrom } from "../../test/support/gateway-parts.ts";
import type { ListenerSettings } from "../config/settings.ts";
import { readHeritage } from "../net/heritage.ts";
import { bindListeners } from "./listener-sockets.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "goodgate-sockets-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function listeners(mode: string, ...more: string[]): readonly ListenerSettings[] {
  return settingsFrom({
    listeners: [{ bind: `unix:${join(folder, "a.sock")}`, socket: { mode } }, ...more.map((bind) => ({ bind }))],
    services: { shop: { pools: [{ origins: ["http://127.0.0.1:9"] }] } },
  }).listeners;
}

const modeNow = (): number => statSync(join(folder, "a.sock")).mode & 0o777;

describe("the file of a socket that workers inherit", () => {
  it("has the mode of other settings, and the one before when those are given up or cannot be had", async () => {
    const sockets = await bindListeners(listeners("0660"), 2, readHeritage({}, 1));
    expect(modeNow()).toBe(0o660);
    (await sockets.change(listeners("0600"))).use();
    expect(modeNow()).toBe(0o600);
    const missing = `unix:${join(folder, "missing", "b.sock")}`;
    await expect(sockets.change(listeners("0666", missing))).rejects.toMatchObject({ code: "ENOENT" });
    expect(modeNow()).toBe(0o600);
    const change = await sockets.change(listeners("0666"));
    expect(modeNow()).toBe(0o666);
    change.giveUp();
    await expect.poll(modeNow).toBe(0o600);
    sockets.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is made again by the next change where somebody removed it, with a socket that new workers inherit", async () => {
    const sockets = await bindListeners(listeners("0660"), 2, readHeritage({}, 1));
    expect(await sockets.goneFiles()).toEqual([]);
    const before = sockets.ofWorker(1, 2).descriptors;
    rmSync(join(folder, "a.sock"));
    expect(await sockets.goneFiles()).toEqual([`unix:${join(folder, "a.sock")}`]);
    const change = await sockets.change(listeners("0660"));
    expect(modeNow()).toBe(0o660);
    expect(sockets.ofWorker(1, 2).descriptors).not.toEqual(before);
    change.use();
    expect(await sockets.goneFiles()).toEqual([]);
    expect(modeNow()).toBe(0o660);
    sockets.close();
    expect(readdirSync(folder)).toEqual([]);
  });
});
