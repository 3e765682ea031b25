/**
 * The configuration of `goodgate proxy --to URL…`: one service, one pool, every default. It takes the same
 * way through the checks as a file does, and what they find is told in terms of the command line.
 */
import { LISTENERS_DEFAULT } from "./schema.ts";
import { checkValue } from "./load.ts";
import type { LoadResult } from "./load.ts";
import type { ConfigProblem, Finding } from "./problems.ts";

export interface OriginsOptions {
  /** Address and port to listen on, as in `listeners[].bind`. */
  readonly bind?: string;
  /** Address and port of the admin listener, as in `admin.bind`. */
  readonly admin?: string;
  /** Files of a certificate that the listener shows. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

const FILE = "command line";

/** Problems have line and column 0, and a path such as `--to`. */
export function settingsForOrigins(urls: readonly string[], options: OriginsOptions = {}): LoadResult {
  if (urls.length === 0) {
    const hint = "Give at least one: --to http://127.0.0.1:3000.";
    return { ok: false, problems: [{ ...nowhere("--to"), message: "No origin is given.", hint }] };
  }
  const { settings, problems } = checkValue({
    ...(options.bind === undefined && options.tls === undefined ? {} : { listeners: [listenerOf(options)] }),
    ...(options.admin === undefined ? {} : { admin: { bind: options.admin } }),
    services: { default: { pools: [{ name: "default", origins: urls }] } },
  });
  if (settings === null) {
    // One listener in the way of two equal origins is one problem.
    const told = new Map(problems.map(asArgument).map((problem) => [`${problem.path} ${problem.message}`, problem]));
    return { ok: false, problems: [...told.values()] };
  }
  return { ok: true, settings, notes: [] };
}

function listenerOf({ bind, tls }: OriginsOptions): object {
  return {
    bind: bind ?? LISTENERS_DEFAULT[0]?.bind,
    ...(tls === undefined ? {} : { tls: { certificates: [tls] } }),
  };
}

function asArgument({ path, message, hint }: Finding): ConfigProblem {
  const argument = path[0] === "listeners" ? "--bind" : path[0] === "admin" ? "--admin" : "--to";
  return { ...nowhere(argument), message: inArguments(message), hint: inArguments(hint) };
}

/** What the checks say about places of a file, said about arguments. */
function inArguments(text: string): string {
  return text
    .replace("listeners[0].bind", "--bind")
    .replace(/^The other one is .*$/, "Give it once.")
    .replace(/^Add admin\.token/, "Write a configuration file with admin.token");
}

function nowhere(argument: string): Pick<ConfigProblem, "file" | "line" | "column" | "path"> {
  return { file: FILE, line: 0, column: 0, path: argument };
}
