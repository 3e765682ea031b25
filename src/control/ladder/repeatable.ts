/**
 * Whether a request that failed may be sent once more, by a probe, to the origin that it failed at. The origin must lose
 * nothing by it, and the probe must carry nothing that belongs to somebody: only methods that ask and do nothing
 * (RFC 9110 §9.2.1), no content, no query but such that every page has, no path that names an act or holds something like
 * a secret, and never what may have broken the origin. Where that cannot be seen it is not sent, and the ladder says why.
 */
import type { AttemptRecord, ExchangeRecord } from "../../contract/record.ts";
import type { CauseId } from "../../kernel/causes.ts";

export type RepeatableMethod = "GET" | "HEAD" | "OPTIONS";

const METHODS: ReadonlySet<string> = new Set<RepeatableMethod>(["GET", "HEAD", "OPTIONS"]);

export function isRepeatableMethod(method: string): method is RepeatableMethod {
  return METHODS.has(method);
}

type Failed = Pick<ExchangeRecord, "method" | "target" | "requestBytes" | "tunnel">;

/** Null: it may. Otherwise why not, as the rest of a sentence: "not sent, because …". */
export function whyNotRepeated(record: Failed, { cause }: Pick<AttemptRecord, "cause">): string | null {
  const { method, target } = record;
  if (!isRepeatableMethod(method)) return `${method} may do something`;
  if (record.requestBytes > 0) return "it had content";
  if (record.tunnel || cause === "origin.upgrade_failed") return "it asked for another protocol";
  if (cause !== null && BREAKERS.has(cause)) return "it may be what breaks the origin";
  // A record keeps the beginning of longer ones (contract/record.ts).
  if (target.length >= TARGET_MAX) return "its target is too long";
  if (!/^\/[!-~]*$/.test(target)) return "its target is none of an origin's own";
  const [path = "", query = ""] = target.split("?", 2);
  return whyNotPath(path) ?? whyNotQuery(query);
}

/** A connection that ends without an answer may be the crash of a process (`origin.crash_request`). */
const BREAKERS: ReadonlySet<CauseId> = new Set<CauseId>([
  "origin.poison",
  "origin.reset_before_response",
  "net.mid_reset",
]);

const TARGET_MAX = 1024;
const SECRET_FROM = 24;

function whyNotPath(written: string): string | null {
  let path: string;
  try {
    path = decodeURIComponent(written);
  } catch {
    return "its path cannot be read";
  }
  if (path.includes(";")) return "its path has parameters";
  for (const segment of path.split("/")) {
    // Identifiers, of which some open doors: tokens, session ids, signed links.
    if (segment.length >= SECRET_FROM && /\d/.test(segment) && /^[\w.~=+-]+$/.test(segment)) {
      return "a part of its path may be a secret";
    }
    const words = segment
      .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
      .toLowerCase()
      .split(/[^a-z]+/);
    const act = words.find((word) => ACTS.has(word));
    if (act !== undefined) return `its path names an act (${act})`;
  }
  return null;
}

/** What applications do at a GET though they should not. */
const ACTS: ReadonlySet<string> = new Set(
  (
    "accept activate add approve cancel charge checkout clear confirm create deactivate decline delete deny destroy " +
    "disable drop enable execute exec flush generate import invite kill login logout logoff migrate oauth pay " +
    "payment payments publish purchase purge redeem refund register reject remove renew reset restart revoke rollback " +
    "run send shutdown signin signout signup start stop submit subscribe sync transfer trigger unlock unsubscribe update " +
    "upgrade validate verify vote webhook webhooks"
  ).split(" "),
);

function whyNotQuery(query: string): string | null {
  if (query === "") return null;
  for (const pair of query.split("&")) {
    const [name = "", value = "", ...more] = pair.split("=");
    if (!PARAMETERS.has(name.toLowerCase())) return "its query has more than a page's number, order, size or language";
    if (more.length > 0 || !/^[\w.,:-]{0,24}$/.test(value)) return "a value of its query may be a secret";
  }
  return null;
}

/** What chooses among pages of the same, and says nothing of who asks. */
const PARAMETERS: ReadonlySet<string> = new Set(
  (
    "page per_page perpage page_size pagesize limit offset size count skip order order_by orderby sort sort_by sortby " +
    "dir direction lang language locale hl country region currency unit units format v ver version w h width height dpr " +
    "quality view tab type category color date day week month year"
  ).split(" "),
);
