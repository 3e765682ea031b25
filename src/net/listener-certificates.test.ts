/** Certificates from their files, renewed and spoilt under a listener that is open. */
import { execFileSync } from "node:child_process";
import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { testAuthority } from "../../test/support/certificates.ts";
import type { TestAuthority } from "../../test/support/certificates.ts";
import { manualSchedule } from "../../test/support/manual-schedule.ts";
import { until } from "../../test/support/until.ts";
import { ListenerCertificates } from "./listener-certificates.ts";
import type { CertificateTerms } from "./listener-certificates.ts";
import { TicketKeys } from "./ticket-keys.ts";

let authority: TestAuthority;
beforeAll(async () => {
  authority = await testAuthority();
});

let folder = "";
let opened: ListenerCertificates | null = null;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), "goodgate-certificates-"));
});
afterEach(async () => {
  opened?.close();
  opened = null;
  await fs.rm(folder, { recursive: true });
});

async function put(name: string, { cert, key }: { cert: string; key: string }): Promise<{ cert: string; key: string }> {
  const files = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  await fs.writeFile(files.cert, cert);
  await fs.writeFile(files.key, key, { mode: 0o600 });
  return files;
}

function termsOf(...certificates: { cert: string; key: string }[]): CertificateTerms {
  return { certificates, minVersion: "1.2", isStrict: false, alpn: ["http/1.1"], clientRules: [] };
}

interface World {
  readonly certificates: ListenerCertificates;
  readonly told: string[];
  /** Lets the time of a look pass, and waits until it has been made. */
  look(): Promise<void>;
}

async function open(terms: CertificateTerms): Promise<World> {
  const time = manualSchedule();
  const told: string[] = [];
  const certificates = new ListenerCertificates("main", new TicketKeys("secret", () => 0), {
    schedule: time.schedule,
    wall: () => Date.now(),
    tell: (code, detail) => told.push(`${code}: ${detail}`),
  });
  opened = certificates;
  const prepared = await certificates.prepare(terms);
  if (!prepared.ok) throw new Error(`${prepared.where} ${prepared.reason}`);
  prepared.use();
  return {
    certificates,
    told,
    async look() {
      for (let i = 0; i < 40; i += 1) {
        time.advance(1_000);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
  };
}

describe("at the start", () => {
  it("what is wrong is an error with its file", async () => {
    const shop = await put("shop", await authority.server(["shop.test"]));
    const other = await put("other", await authority.server(["other.test"]));
    await expect(open(termsOf({ cert: shop.cert, key: other.key }))).rejects.toThrow(
      `${other.key} does not belong to the certificate (CN=shop.test)`,
    );
    await expect(open(termsOf({ cert: join(folder, "none.pem"), key: shop.key }))).rejects.toThrow(
      `${join(folder, "none.pem")} cannot be read (ENOENT)`,
    );
    // Nobody writes into it.
    execFileSync("mkfifo", [join(folder, "pipe")]);
    await expect(open(termsOf({ cert: shop.cert, key: join(folder, "pipe") }))).rejects.toThrow(
      `${join(folder, "pipe")} cannot be read (no regular file)`,
    );
  });

  it("one that has expired is told and shown all the same: all other names depend on this start", async () => {
    const old = await put("old", await authority.server(["old.test"], { from: -40, to: -3 }));
    const shop = await put("shop", await authority.server(["shop.test"]));
    const { told, certificates } = await open(termsOf(old, shop));
    expect(told).toEqual([expect.stringMatching(/^certificate\.expired: .*old\.pem \(old\.test\) expired on /)]);
    expect(certificates.contexts.choose("old.test", [])).not.toBeNull();
    expect(certificates.views.map(({ names }) => names)).toEqual([["old.test"], ["shop.test"]]);
  });

  it("a key that everybody can read is told", async () => {
    const shop = await put("shop", await authority.server(["shop.test"]));
    await fs.chmod(shop.key, 0o644);
    const { told } = await open(termsOf(shop));
    expect(told).toEqual([`certificate.key-readable: ${shop.key} can be read by everybody on this machine: chmod 600`]);
  });
});

describe("a file that changes", () => {
  it("is shown from then on", async () => {
    const shop = await put("shop", await authority.server(["shop.test"]));
    const { told, certificates, look } = await open(termsOf(shop));
    const before = certificates.contexts.choose("shop.test", []);
    await put("shop", await authority.server(["shop.test", "new.test"]));
    await look();
    await until("the new certificate", () => (told.length > 0 ? true : null));
    expect(told).toEqual([expect.stringMatching(/^certificate\.reloaded: main shows shop\.test until /)]);
    expect(certificates.contexts.choose("shop.test", [])).not.toBe(before);
    expect(certificates.views[0]?.names).toEqual(["shop.test", "new.test"]);
  });

  it.each([
    ["with another key", "is no key of it", (): Promise<{ cert: string; key: string }> => authority.server(["x.test"])],
    ["and is spoilt", "spoilt", (): Promise<{ cert: string; key: string }> => Promise.resolve({ cert: "x", key: "y" })],
    [
      "and has expired",
      "expired",
      (): Promise<{ cert: string; key: string }> => authority.server(["shop.test"], { from: -9, to: -2 }),
    ],
    [
      "and does not hold yet",
      "not yet",
      (): Promise<{ cert: string; key: string }> => authority.server(["shop.test"], { from: 2, to: 9 }),
    ],
  ])("%s is refused, told once, and the old is kept", async (_what, kind, make) => {
    const shop = await put("shop", await authority.server(["shop.test"]));
    const { told, certificates, look } = await open(termsOf(shop));
    const before = certificates.contexts.choose("shop.test", []);
    const made = await make();
    if (kind === "is no key of it") await fs.writeFile(shop.cert, made.cert);
    else await put("shop", made);
    await look();
    await until("the refusal", () => (told.length > 0 ? true : null));
    await look();
    expect(told).toEqual([expect.stringMatching(/^certificate\.refused: .*; main goes on with what it had$/)]);
    expect(certificates.contexts.choose("shop.test", [])).toBe(before);
  });

  it("before its key has changed too is waited for, and nothing is told of the moment between", async () => {
    const shop = await put("shop", await authority.server(["shop.test"]));
    const { told, look } = await open(termsOf(shop));
    const next = await authority.server(["shop.test"]);
    await fs.writeFile(shop.cert, next.cert);
    await fs.writeFile(shop.key, next.key);
    await look();
    await until("the new certificate", () => (told.length > 0 ? true : null));
    expect(told).toEqual([expect.stringMatching(/^certificate\.reloaded/)]);
  });

  it("and is wrong does not keep another from being renewed", async () => {
    const bad = await put("bad", await authority.server(["bad.test"]));
    const good = await put("good", await authority.server(["good.test"]));
    const { told, certificates, look } = await open(termsOf(bad, good));
    await fs.writeFile(bad.cert, "nothing");
    await put("good", await authority.server(["good.test", "new.test"]));
    await look();
    await until("both", () => (told.length > 1 ? true : null));
    expect(told.map((text) => text.slice(0, 20)).toSorted()).toEqual(["certificate.refused:", "certificate.reloaded"]);
    expect(certificates.views.map(({ names }) => names)).toEqual([["bad.test"], ["good.test", "new.test"]]);
  });
});
