import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { X509Certificate } from "node:crypto";
import { examineCertificate } from "../contract/certificate.ts";
import { makeDevCertificate } from "./dev-certificates.ts";

let folder = "";
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), "goodgate-dev-"));
});
afterEach(() => fs.rm(folder, { recursive: true }));

it("makes an authority once, and certificates that it has issued as often as somebody asks", async () => {
  const first = await makeDevCertificate(join(folder, "a", "b"), ["Shop.localhost"], Date.now());
  if (!first.ok) throw new Error(first.code);
  expect(first).toMatchObject({ isNew: true, names: ["shop.localhost", "localhost", "127.0.0.1", "::1"] });
  const authority = new X509Certificate(await fs.readFile(first.authority));
  const texts = { cert: await fs.readFile(first.cert, "utf8"), key: await fs.readFile(first.key, "utf8") };
  expect(examineCertificate(texts)).toMatchObject({ ok: true, facts: { keyType: "ec" } });
  expect(new X509Certificate(texts.cert).verify(authority.publicKey)).toBe(true);
  expect(new X509Certificate(texts.cert).checkIP("::1")).toBe("::1");
  expect((await fs.stat(first.key)).mode & 0o777).toBe(0o600);
  expect((await fs.stat(join(folder, "a", "b", "authority.key"))).mode & 0o777).toBe(0o600);

  const again = await makeDevCertificate(join(folder, "a", "b"), [], Date.now());
  expect(again).toMatchObject({ ok: true, isNew: false });
  const next = new X509Certificate(await fs.readFile(first.cert));
  expect(next.verify(authority.publicKey)).toBe(true);
  expect(next.fingerprint256).not.toBe(new X509Certificate(texts.cert).fingerprint256);
});

it("says so where no directory can be made, and does not try for ever", async () => {
  await fs.writeFile(join(folder, "file"), "");
  for (const place of [join(folder, "file", "deeper"), "/proc/goodgate/certificates"]) {
    expect(await makeDevCertificate(place, [], Date.now())).toMatchObject({
      ok: false,
      code: expect.stringMatching(/^E[A-Z]+$/),
    });
  }
});

it("replaces no authority that it cannot read: somebody may trust it", async () => {
  const first = await makeDevCertificate(folder, [], Date.now());
  if (!first.ok) throw new Error(first.code);
  await fs.writeFile(join(folder, "authority.key"), "spoilt");
  expect(await makeDevCertificate(folder, [], Date.now())).toMatchObject({ ok: false });
  expect(await fs.readFile(join(folder, "authority.key"), "utf8")).toBe("spoilt");
  expect(await makeDevCertificate(join(folder, "authority.pem", "in"), [], Date.now())).toMatchObject({ ok: false });
});
