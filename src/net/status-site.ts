/**
 * Where the status page is shown: a small listener of its own, so that nothing of the admin API can be reached by it,
 * and files for a server elsewhere, each written beside its place and then moved there, so that no reader sees half.
 */
import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { Server, ServerResponse } from "node:http";
import { join } from "node:path";

export interface StatusSiteOptions {
  readonly bind: { readonly host: string; readonly port: number } | null;
  /** Empty: none. */
  readonly directory: string;
  /** As of now; null: nothing is known yet. */
  readonly page: () => { readonly html: string; readonly rss: string } | null;
  readonly onFailure: (detail: string) => void;
}

export interface StatusSite {
  /** There may be something new: files are written, at most so often. */
  refresh(): void;
  /** Null while it does not listen. */
  port(): number | null;
  close(): Promise<void>;
}

const CONNECTIONS_MAX = 500;
const SLOW_MS = 10_000;
const AGAIN_MS = 10_000;
const HEADERS = {
  "cache-control": "public, max-age=10",
  "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
} as const;

export function openStatusSite(options: StatusSiteOptions): StatusSite {
  let isClosed = false;
  let writing: Promise<void> | null = null;
  const told = createTeller(options.onFailure);
  const server = options.bind === null ? null : createServer({ requestTimeout: SLOW_MS, headersTimeout: SLOW_MS });
  if (server !== null && options.bind !== null) {
    const { bind } = options;
    server.maxConnections = CONNECTIONS_MAX;
    server.on("request", (request, response) =>
      answer(options, request.method ?? "", request.url ?? "", request.headers["if-none-match"] ?? "", response),
    );
    const listen = (): void => void (isClosed || server.listen(bind.port, bind.host));
    server.on("listening", () => told.well("listen"));
    server.on("error", (error) => {
      told.failed("listen", `the status page cannot be served on ${bind.host}:${bind.port} (${codeOf(error)})`);
      // A control process before this one may not have let go yet.
      if (!server.listening) setTimeout(listen, AGAIN_MS).unref();
    });
    listen();
  }
  return {
    refresh() {
      if (options.directory === "" || writing !== null || isClosed) return;
      const page = options.page();
      if (page === null) return;
      writing = exportPage(options.directory, page)
        .then(
          () => told.well("write"),
          (error: unknown) =>
            told.failed("write", `the status page cannot be written to ${options.directory} (${codeOf(error)})`),
        )
        .finally(() => {
          writing = null;
        });
    },
    port: () => portOf(server),
    async close() {
      isClosed = true;
      await writing;
      if (server === null) return;
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answer(
  { page }: StatusSiteOptions,
  method: string,
  url: string,
  known: string,
  response: ServerResponse,
): void {
  const [path] = url.split("?");
  const isPage = path === "/" || path === "/index.html";
  if (method !== "GET" && method !== "HEAD") return say(response, 405, "Only GET and HEAD.\n", { allow: "GET, HEAD" });
  if (!isPage && path !== "/feed.xml") return say(response, 404, "There is nothing here.\n");
  const made = page();
  if (made === null) return say(response, 503, "Nothing is known yet.\n", { "retry-after": "5" });
  const body = isPage ? made.html : made.rss;
  const etag = `"${createHash("sha256").update(body).digest("hex").slice(0, 32)}"`;
  if (known === etag) {
    response.writeHead(304, { ...HEADERS, etag }).end();
    return;
  }
  const type = isPage ? "text/html; charset=utf-8" : "application/rss+xml; charset=utf-8";
  const fields = { ...HEADERS, etag, "content-type": type, "content-length": Buffer.byteLength(body) };
  response.writeHead(200, fields).end(method === "HEAD" ? undefined : body);
}

function say(response: ServerResponse, status: number, text: string, more: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", ...more }).end(text);
}

async function exportPage(directory: string, { html, rss }: { html: string; rss: string }): Promise<void> {
  await mkdir(directory, { recursive: true });
  // The page links to the feed, so that is there first.
  await replaceFile(join(directory, "feed.xml"), rss);
  await replaceFile(join(directory, "index.html"), html);
}

async function replaceFile(path: string, text: string): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`;
  await writeFile(beside, text, { mode: 0o644 });
  await rename(beside, path);
}

/** Each trouble is told once, until it is over. */
function createTeller(tell: (detail: string) => void): {
  failed(what: string, detail: string): void;
  well(what: string): void;
} {
  const failing = new Set<string>();
  return {
    failed(what, detail) {
      if (!failing.has(what)) tell(detail);
      failing.add(what);
    },
    well: (what) => void failing.delete(what),
  };
}

function portOf(server: Server | null): number | null {
  const address = server?.address() ?? null;
  return address === null || typeof address === "string" ? null : address.port;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "EIO";
}
