/**
 * Certificates for development: an authority that lives in a folder of this user, and one certificate that it issues for
 * `localhost` and whatever else is asked for. The authority is made once, so that it has to be trusted once; its key can
 * sign for any name, which is why nobody else may read it.
 */
import fs from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Authority } from "./make-certificate.ts";
import { issueCertificate, makeAuthority, readAuthority } from "./make-certificate.ts";

const DAY_MS = 86_400_000;
const AUTHORITY_DAYS = 3650;
/** What browsers take at most. */
const CERTIFICATE_DAYS = 397;
const ALWAYS = ["localhost", "127.0.0.1", "::1"];

export type DevCertificate =
  | {
      readonly ok: true;
      /** Files. */
      readonly authority: string;
      readonly cert: string;
      readonly key: string;
      readonly names: readonly string[];
      /** The authority was made just now: nobody trusts it yet. */
      readonly isNew: boolean;
      /** Epoch ms. */
      readonly notAfter: number;
    }
  | { readonly ok: false; readonly where: string; readonly code: string };

/** `now`: epoch ms. */
export async function makeDevCertificate(
  directory: string,
  hosts: readonly string[],
  now: number,
): Promise<DevCertificate> {
  const files = {
    authority: join(directory, "authority.pem"),
    authorityKey: join(directory, "authority.key"),
    cert: join(directory, "localhost.pem"),
    key: join(directory, "localhost.key"),
  };
  try {
    await makeDirectory(directory);
    const known = await knownAuthority(files.authority, files.authorityKey);
    const authority = known ?? (await makeAuthority("Goodgate development", days(now, AUTHORITY_DAYS), null));
    if (known === null) {
      await put(files.authorityKey, authority.key, 0o600);
      await put(files.authority, authority.cert, 0o644);
    }
    const names = [...new Set([...hosts.map((host) => host.toLowerCase()), ...ALWAYS])];
    const validity = days(now, CERTIFICATE_DAYS);
    const options = { names, subject: `CN=${names[0] ?? "localhost"}`, isClient: false };
    const { cert, key } = await issueCertificate(authority, options, validity);
    await put(files.key, key, 0o600);
    await put(files.cert, cert, 0o644);
    const { notAfter } = validity;
    return { ok: true, ...files, names, isNew: known === null, notAfter: notAfter.getTime() };
  } catch (error) {
    const { code = "EIO", path = directory } = error as NodeJS.ErrnoException;
    return { ok: false, where: path, code };
  }
}

/** With what is missing above it, from the top. Node's own way never ends where a file system cannot have directories (/proc). */
async function makeDirectory(directory: string): Promise<void> {
  const above = dirname(directory);
  const isThere = await fs.stat(above).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" && above !== directory) return false;
      throw error;
    },
  );
  if (!isThere) await makeDirectory(above);
  await fs.mkdir(directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
}

/** Null: there is none. Half of one, or what cannot be read, is an error: it may be trusted somewhere. */
async function knownAuthority(cert: string, key: string): Promise<Authority | null> {
  try {
    return await readAuthority({ cert: await fs.readFile(cert, "utf8"), key: await fs.readFile(key, "utf8") });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Whole or not at all, and never readable by others in between. */
async function put(path: string, text: string, mode: number): Promise<void> {
  const beside = `${path}.new`;
  await fs.rm(beside, { force: true });
  await fs.writeFile(beside, text, { mode });
  await fs.rename(beside, path);
}

/** From an hour ago: clocks differ. */
function days(now: number, count: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + count * DAY_MS) };
}
