/**
 * The public suite for HTTP caches (http-cache-tests, of cache-tests.fyi) against a gateway as an operator starts it
 * with `cache: true`. What it does not pass is listed here by name, with the reason, and nothing else may fail; what
 * begins to pass has to leave the list. docs/guide/caching.md tells the same to operators.
 */
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { startChild } from "../support/child.ts";
import { freePort } from "../support/free-port.ts";
import { inFrontOf, startGateway } from "../support/gateway-process.ts";
import { until } from "../support/until.ts";

/** For what hangs: usually it takes a quarter of a minute. */
const PATIENCE_MS = 240_000;
const FOLDER = dirname(createRequire(import.meta.url).resolve("http-cache-tests/package.json"));

/** Why a cache of this kind does not do it, or must not. */
const HEURISTIC = "no freshness is guessed: what its origin says nothing about is not reused";
const PARTS = "parts are passed on and never stored; ranges are cut from whole responses only";
const COOKIE = "what sets a cookie is stored only where the route says so (cache.setCookie)";
const UNANSWERABLE = "the test wants a response of an origin that has closed the connection without one";

const MISSES: Readonly<Record<string, string>> = {
  "age-parse-prefix": "an Age that is a list counts as stale, as in the tests beside this one that demand it",
  "stale-close-must-revalidate": UNANSWERABLE,
  "stale-close-proxy-revalidate": UNANSWERABLE,
  "stale-close-no-cache": UNANSWERABLE,
  "stale-close-s-maxage=2": UNANSWERABLE,
  "headers-store-Set-Cookie": COOKIE,
  "304-etag-update-response-Set-Cookie": COOKIE,
  "other-set-cookie": COOKIE,
  "headers-store-Transfer-Encoding": "a transfer coding that is not chunked is refused (RFC 9112 §6.1)",
  "304-etag-update-response-ETag":
    "a 304 with another strong validator must not update what is stored (RFC 9111 §4.3.4)",
  "conditional-lm-fresh-no-lm": "the response is newer than If-Modified-Since says, so 304 would be wrong",
  "heuristic-200-cached": HEURISTIC,
  "heuristic-203-cached": HEURISTIC,
  "heuristic-204-cached": HEURISTIC,
  "heuristic-404-cached": HEURISTIC,
  "heuristic-405-cached": HEURISTIC,
  "heuristic-410-cached": HEURISTIC,
  "heuristic-414-cached": HEURISTIC,
  "heuristic-501-cached": HEURISTIC,
  "heuristic-599-cached": HEURISTIC,
  "partial-store-partial-reuse-partial": PARTS,
  "partial-store-partial-reuse-partial-byterange": PARTS,
  "partial-store-partial-reuse-partial-absent": PARTS,
  "partial-store-partial-reuse-partial-suffix": PARTS,
  "partial-store-partial-complete": PARTS,
};

/** The suite's word for a test whose conditions did not come about. */
const NOT_SET_UP = "Setup";

/** true, or a kind of failure and what was wrong. */
type Result = true | readonly [kind: string, message: string];

interface Suite {
  readonly tests: readonly { readonly id: string; readonly kind?: string; readonly browser_only?: boolean }[];
}

test(
  "the gateway passes what it promises of the public cache tests, and misses what it says",
  async () => {
    const originPort = await freePort();
    const origin = await startChild(process.execPath, [`${FOLDER}/server/server.mjs`], {
      cwd: FOLDER,
      env: { npm_config_protocol: "http", npm_config_port: String(originPort), npm_config_pidfile: "/dev/null" },
    });
    const gateway = await startGateway(
      inFrontOf([`http://127.0.0.1:${originPort}`], {
        ejection: false,
        routes: [{ match: { path: "/test/*" }, cache: true }],
      }),
    );
    try {
      await until("the suite's origin to answer", async () => ((await reaches(gateway.url)) ? true : null));
      const run = async (id: string): Promise<string> => {
        const cli = await startChild(process.execPath, ["--no-warnings", `${FOLDER}/cli.mjs`], {
          cwd: FOLDER,
          env: { npm_config_base: gateway.url, npm_config_id: id, npm_package_config_id: id },
        });
        await until("the suite to end", () => (cli.running ? null : true), PATIENCE_MS);
        return cli.stdout();
      };
      const results = JSON.parse(await run("")) as Record<string, Result>;
      const { default: suites } = (await import(`${FOLDER}/tests/index.mjs`)) as { default: readonly Suite[] };
      const asked = suites
        .flatMap((suite) => suite.tests)
        .filter((one) => one.kind !== "check" && one.browser_only !== true);
      // Some responses are fresh for two seconds and asked for again at once. Where the machine stood still in between,
      // the suite itself says that the test tells nothing of the cache; alone it is asked again.
      for (const { id } of asked) {
        const result = results[id];
        if (!Array.isArray(result) || result[0] !== NOT_SET_UP || MISSES[id] !== undefined) continue;
        // Its last line is a sign and, where it did not pass, why.
        const why = / - (.*)\s*$/.exec(await run(id))?.[1] ?? "no result";
        results[id] = why === "" || [`${NOT_SET_UP}, then alone`, `${result[1]}; ${why}`];
      }
      const missed = asked.filter((one) => results[one.id] !== true);
      // With the reasons that the suite gives, so that a log tells why.
      const unexpected = missed.filter(({ id }) => MISSES[id] === undefined);
      expect(unexpected.map(({ id }) => [id, results[id]])).toEqual([]);
      expect(missed.map(({ id }) => id).toSorted()).toEqual(Object.keys(MISSES).toSorted());
      const passed = (kind: string): number =>
        asked.filter((one) => (one.kind ?? "required") === kind && results[one.id] === true).length;
      expect(passed("required")).toBeGreaterThanOrEqual(145);
      expect(passed("optimal")).toBeGreaterThanOrEqual(70);
    } finally {
      await gateway.stop();
      await origin.stop();
    }
  },
  2 * PATIENCE_MS,
);

async function reaches(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/state/none`);
  await answer.text();
  return answer.status === 404;
}
