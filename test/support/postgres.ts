/**
 * PostgreSQL from Debian, in a folder of its own, as a user who is not root (it refuses that), on a port of its own, with
 * TLS and passwords. One for a whole file of tests: each test has a schema of its own.
 */
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, existsSync, globSync, mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { issueCertificate, makeAuthority } from "../../src/net/make-certificate.ts";
import { startChild } from "./child.ts";
import type { Child } from "./child.ts";
import { freePort } from "./free-port.ts";

export interface Postgres {
  readonly port: number;
  readonly password: string;
  /** PEM: who signed its certificate, which is for `localhost`. */
  readonly ca: string;
  readonly caFile: string;
  readonly user: string;
  /** As somebody who may do everything. */
  sql<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

/** Debian does not put the programs of a server on PATH. */
const PROGRAMS = globSync("/usr/lib/postgresql/*/bin")
  .toSorted((one, other) => Number(one.split("/")[4]) - Number(other.split("/")[4]))
  .at(-1);
const NOBODY = 65_534;
/** Neither is needed to be right before a machine loses its power. */
const CHEAP = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=4MB"];

/** Otherwise prints why the tests that need it are skipped. */
export function hasPostgres(): boolean {
  if (PROGRAMS !== undefined && existsSync(join(PROGRAMS, "initdb"))) return true;
  process.stderr.write("skipped: PostgreSQL is not installed (apt-get install postgresql)\n");
  return false;
}

export async function startPostgres(): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), "goodgate-postgres-"));
  const data = join(folder, "data");
  const file = (name: string): string => join(folder, name);
  const password = randomBytes(12).toString("base64url");
  const now = Date.now();
  const validity = { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + 86_400_000) };
  const authority = await makeAuthority("The database's own", validity, null);
  const own = await issueCertificate(authority, { names: ["localhost"], subject: "CN=db", isClient: false }, validity);
  writeFileSync(file("password"), password);
  writeFileSync(file("ca.pem"), authority.cert);
  writeFileSync(file("cert.pem"), own.cert);
  writeFileSync(file("key.pem"), own.key, { mode: 0o600 });
  if (process.getuid?.() === 0) {
    for (const name of ["", "password", "cert.pem", "key.pem"]) chownSync(file(name), NOBODY, NOBODY);
  }
  chmodSync(folder, 0o700);
  const program = (name: string): string => join(PROGRAMS ?? "", name);
  const [command, before] = asNobody();
  const options = ["--auth=scram-sha-256", `--pwfile=${file("password")}`, "--no-sync", "--locale=C", "-E", "UTF8"];
  execFileSync(command, [...before, program("initdb"), "-D", data, "-U", "postgres", ...options], { cwd: folder });
  const port = await freePort();
  const settings = [
    ...CHEAP,
    "listen_addresses=127.0.0.1",
    `port=${port}`,
    `unix_socket_directories=${folder}`,
    "ssl=on",
    `ssl_cert_file=${file("cert.pem")}`,
    `ssl_key_file=${file("key.pem")}`,
  ];
  const child = await startChild(
    command,
    [...before, program("postgres"), "-D", data, ...settings.flatMap((one) => ["-c", one])],
    { cwd: folder },
  );
  await child.printed(/database system is ready to accept connections/);
  let admin: Client | null = null;
  return {
    port,
    password,
    ca: authority.cert,
    caFile: file("ca.pem"),
    user: "postgres",
    async sql<Row>(text: string, values: readonly unknown[] = []) {
      if (admin === null) {
        admin = new Client({
          host: "127.0.0.1",
          port,
          user: "postgres",
          password,
          database: "postgres",
          ssl: false,
        });
        await admin.connect();
      }
      return (await admin.query(text, values)).rows as Row[];
    },
    async stop() {
      await admin?.end();
      await stop(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What may be run as: whoever we are, unless that is root. */
function asNobody(): [command: string, args: readonly string[]] {
  if (process.getuid?.() !== 0) return ["env", []];
  return ["setpriv", [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"]];
}

/** SIGTERM would wait for its clients. */
async function stop(child: Child): Promise<void> {
  child.signal("SIGINT");
  await child.ending;
}
