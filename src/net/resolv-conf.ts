/**
 * /etc/resolv.conf: which name servers to ask and which endings to try, as resolv.conf(5) has it. Read here and
 * not left to Node, because Node reads it once, does not apply the endings to direct questions, and falls back
 * to a name server on this machine when it could not open the file at that moment. Without the endings a
 * Kubernetes service could not be named the way everybody names it.
 */
import { isIP } from "node:net";

export interface ResolvConf {
  /** IP addresses; IPv6 without brackets. */
  readonly servers: readonly string[];
  readonly search: readonly string[];
  /** A name with fewer dots is tried with the endings first. */
  readonly ndots: number;
}

/** What resolv.conf(5) allows. */
const SERVERS_MAX = 3;
const SEARCH_MAX = 6;
const NDOTS_MAX = 15;

export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let search: string[] = [];
  let ndots = 1;
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line
      .replace(/[#;].*/, "")
      .trim()
      .split(/\s+/);
    if (keyword === "nameserver") {
      const ip = words[0] ?? "";
      if (isIP(ip) !== 0 && servers.length < SERVERS_MAX) servers.push(ip);
    } else if (keyword === "search" || keyword === "domain") {
      // The last such line counts.
      search = words.slice(0, SEARCH_MAX).map((word) => word.toLowerCase().replace(/\.$/, ""));
    } else if (keyword === "options") {
      for (const word of words) {
        const given = /^ndots:(\d+)$/.exec(word)?.[1];
        if (given !== undefined) ndots = Math.min(Number(given), NDOTS_MAX);
      }
    }
  }
  // Without a file, or without a server in it, the one on this machine is meant.
  return {
    servers: servers.length > 0 ? servers : ["127.0.0.1"],
    search: search.filter((ending) => ending !== ""),
    ndots,
  };
}

/** The full names to ask for, in order, until one exists. */
export function fullNames(name: string, conf: Pick<ResolvConf, "search" | "ndots">): readonly string[] {
  // A dot at the end says that the name is complete.
  if (name.endsWith(".")) return [name.slice(0, -1)];
  const ended = conf.search.map((ending) => `${name}.${ending}`);
  const dots = name.split(".").length - 1;
  return dots >= conf.ndots ? [name, ...ended] : [...ended, name];
}
