/**
 * The malformed-traffic set, judged at a recording origin: raw requests and raw responses as bytes. It lies
 * beside the repository (`../shared/conformance`, or where GOODGATE_CONFORMANCE says) and is both client and
 * origin; this test starts a gateway that forwards everything to it and reads its verdicts.
 *
 * Dangerous means a boundary that depends on the parser, a smuggled request, or a cut response shown as
 * complete: none is tolerated. Of the rest at least 98 % must be right, and each that is not stands below with
 * its reason.
 */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runChild } from "../support/child.ts";
import { freePort } from "../support/free-port.ts";
import { inFrontOf, startGateway, type GatewayProcess } from "../support/gateway-process.ts";

const FOLDER =
  process.env["GOODGATE_CONFORMANCE"] ?? fileURLToPath(new URL("../../../shared/conformance", import.meta.url));
const RUNNER = join(FOLDER, "run-malformed");
const present = existsSync(RUNNER);
if (!present) process.stderr.write(`skipped: no conformance set at ${FOLDER} (set GOODGATE_CONFORMANCE)\n`);

/** Cases that this gateway judges otherwise on purpose, and why. A case that is right by now must leave this list. */
const MISSES: Readonly<Record<string, string>> = {};

const RIGHT_RATIO_MIN = 0.98;

interface Verdict {
  id: string;
  verdict: "pass" | "fail" | "danger";
  outcome: string;
  why: string;
}

describe.skipIf(!present)("malformed traffic", () => {
  let gateway: GatewayProcess;
  let folder = "";
  let verdicts: Verdict[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "goodgate-conformance-"));
    const originPort = await freePort();
    gateway = await startGateway(
      inFrontOf([`http://127.0.0.1:${originPort}`], {
        // Hundreds of broken exchanges in a row are the point here.
        ejection: false,
      }),
    );
    const out = join(folder, "verdicts.json");
    await run([gateway.url, String(originPort), out]);
    verdicts = (JSON.parse(await readFile(out, "utf8")) as { results: Verdict[] }).results;
  });

  afterAll(async () => {
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("has no dangerous outcome", () => {
    expect(verdicts.filter(({ verdict }) => verdict === "danger").map(said)).toEqual([]);
  });

  it("is judged right in at least 98 of 100 cases", () => {
    const right = verdicts.filter(({ verdict }) => verdict === "pass").length;
    expect(verdicts.length).toBeGreaterThan(200);
    expect(right / verdicts.length).toBeGreaterThanOrEqual(RIGHT_RATIO_MIN);
  });

  it("is judged otherwise only where a reason is written down", () => {
    const missed = verdicts.filter(({ verdict }) => verdict !== "pass");
    expect(missed.filter(({ id }) => MISSES[id] === undefined).map(said)).toEqual([]);
    const ids = new Set(missed.map(({ id }) => id));
    expect(
      Object.keys(MISSES).filter((id) => !ids.has(id)),
      "listed as missed, but right",
    ).toEqual([]);
  });
});

function said({ id, outcome, why }: Verdict): string {
  return `${id}: ${outcome} (${why})`;
}

/** Exit code 1 means that something was dangerous, which the verdicts say better; only 2 means that it could not run. */
async function run(args: readonly string[]): Promise<void> {
  const { code, stderr } = await runChild(RUNNER, args);
  if (code !== 0 && code !== 1) throw new Error(`run-malformed ended with ${code}: ${stderr}`);
}
