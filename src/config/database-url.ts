/**
 * The URL of a PostgreSQL database, in the form that libpq knows (its manual, 34.1.1.2), with few parameters: `host` for
 * the folder of a Unix socket, and `sslmode`. Three of its modes would encrypt without knowing who is at the other end;
 * here `require`, `verify-ca` and `verify-full` are all one: the certificate has to be right. `prefer` and `allow`, which
 * go on in the clear when somebody in between says so, are refused.
 */
import type { DatabasePlace } from "../kernel/database-place.ts";
import { isLoopbackIp } from "../kernel/ip-text.ts";
import { accepted, refused } from "./parsed.ts";
import type { Parsed } from "./parsed.ts";

const HINT = "Write postgres://USER@HOST:PORT/NAME, or postgres:///NAME?host=/run/postgresql for a Unix socket.";
const PARAMETERS: ReadonlySet<string> = new Set(["host", "sslmode"]);
const VERIFIED: ReadonlySet<string> = new Set(["require", "verify-ca", "verify-full"]);

/** Messages do not repeat what was written: there may be a password in it. */
export function parseDatabaseUrl(input: string): Parsed<DatabasePlace> {
  // `postgres://USER@/NAME?host=/folder` is right, and not what URLs are elsewhere.
  const url = URL.parse(input.replace(/^(postgres(?:ql)?:\/\/[^/?#]*@)(?=[/?])/, "$1localhost"));
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol))
    return refused("This is not the URL of a database.", HINT);
  const parameters = [...url.searchParams.keys()];
  const unknown = parameters.find((name) => !PARAMETERS.has(name));
  if (unknown !== undefined || new Set(parameters).size < parameters.length)
    return refused("The URL of the database has parameters other than host and sslmode.", HINT);
  const database = decoded(url.pathname.slice(1));
  const user = decoded(url.username);
  const password = decoded(url.password);
  if (database === null || user === null || password === null || url.hash !== "")
    return refused("The URL of the database is not encoded as URLs are.", "Write %25 for a percent sign, %23 for #.");
  if (database === "" || database.includes("/")) return refused("The URL names no database.", HINT);
  const socket = url.searchParams.get("host") ?? "";
  const host = socket === "" ? url.hostname.replace(/^\[(.*)\]$/, "$1") : socket;
  if (host === "" || (socket !== "" && !socket.startsWith("/")))
    return refused("The URL does not say where the database is.", HINT);
  const isNear = host.startsWith("/") || host === "localhost" || isLoopbackIp(host);
  const mode = url.searchParams.get("sslmode") ?? (isNear ? "disable" : "verify-full");
  if (mode !== "disable" && !VERIFIED.has(mode))
    return refused("This sslmode would go on without TLS.", "Write verify-full, or disable.");
  if (mode !== "disable" && host.startsWith("/"))
    return refused("There is no TLS on a Unix socket.", "Leave sslmode out.");
  const port = url.port === "" ? 5432 : Number(url.port);
  return accepted({ host, port, user, password, database, tls: mode !== "disable" });
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
