/**
 * The request that `check --explain` is asked about: METHOD and URLs as words, fields as `name: value`.
 * The URL is read by hand: WHATWG's `URL` resolves dot segments and re-encodes, and whether `/a/../admin`
 * reaches the route of `/admin` is just what somebody may want to see.
 */
export interface ExplainedRequest {
  readonly method: string;
  readonly url: string;
  /** Lower case, without a port. */
  readonly host: string;
  /** As written, with the query. */
  readonly path: string;
}

export type ParsedWords<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string; readonly hint: string };

const FORM = "Write it like  goodgate check --explain GET https://host/path";

/** `words`: `METHOD URL…`, or `URL…`, which asks about GET. */
export function parseExplained(words: readonly string[]): ParsedWords<readonly ExplainedRequest[]> {
  const first = words[0] ?? "";
  const hasMethod = !first.includes("/") && !first.includes(".");
  // A method is a token and case-sensitive (RFC 9110 §9.1), but nobody who types `get` means another one.
  const method = hasMethod ? first.toUpperCase() : "GET";
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(method))
    return { ok: false, message: `${JSON.stringify(first)} is not a method.`, hint: FORM };
  const urls = hasMethod ? words.slice(1) : words;
  if (urls.length === 0) return { ok: false, message: "--explain needs a URL.", hint: FORM };
  const requests: ExplainedRequest[] = [];
  for (const url of urls) {
    const request = parseOne(method, url);
    if (request === null) {
      const isFile = /\.(ya?ml|json)$/.test(url);
      const hint = isFile
        ? `A file goes before --explain:  goodgate check ${url} --explain ${words.slice(0, -1).join(" ")}`
        : FORM;
      return { ok: false, message: `${JSON.stringify(url)} is not a URL with a host.`, hint };
    }
    requests.push(request);
  }
  return { ok: true, value: requests };
}

function parseOne(method: string, url: string): ExplainedRequest | null {
  const parts =
    /^https?:\/\/(?:[^/?#@]*@)?(\[[0-9A-Fa-f:.]+\]|[^/?#:@[\]\s]+)(?::\d+)?(\/[^#]*|\?[^#]*)?(?:#.*)?$/i.exec(url);
  if (parts === null) return null;
  const [, host = "", rest = ""] = parts;
  return { method, url, host: host.toLowerCase(), path: rest.startsWith("/") ? rest : `/${rest}` };
}

/** `name: value`, as in a request. Lower-case names; a field given twice is joined (RFC 9110 §5.3). */
export function parseFields(fields: readonly string[]): ParsedWords<ReadonlyMap<string, string>> {
  const byName = new Map<string, string>();
  for (const field of fields) {
    const parts = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/.exec(field);
    if (parts === null) {
      return {
        ok: false,
        message: `${JSON.stringify(field)} is not a header field.`,
        hint: "Write it like  -H 'name: value'",
      };
    }
    const [, name = "", value = ""] = parts;
    const earlier = byName.get(name.toLowerCase());
    byName.set(name.toLowerCase(), earlier === undefined ? value : `${earlier}, ${value}`);
  }
  return { ok: true, value: byName };
}
