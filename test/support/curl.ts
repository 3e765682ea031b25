/** curl, as people use it from a shell; what it prints comes back apart: heads, body and its own words. */
import { spawn } from "node:child_process";

export interface CurlAnswer {
  /** Every head that came, interim ones included, in order. */
  readonly heads: readonly string[];
  /** Status of the last head. */
  readonly status: number;
  readonly body: string;
  /** curl's exit code. */
  readonly code: number;
  /** With `-v`: what it did and saw. */
  readonly stderr: string;
}

const PATIENCE_S = "240";

/** `input` becomes its standard input (`-d @-`, `-T -`). */
export function curl(args: readonly string[], input: string | Buffer = ""): Promise<CurlAnswer> {
  return new Promise((resolve, reject) => {
    // No proxy settings of the machine and no configuration of its user may come between.
    const usual = ["-q", "-sS", "-i", "--noproxy", "*", "--max-time", PATIENCE_S];
    const child = spawn("curl", [...usual, ...args], { stdio: "pipe" });
    const out: Buffer[] = [];
    let stderr = "";
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.on("error", reject);
    child.on("close", (code) => {
      const { heads, body } = split(Buffer.concat(out).toString("latin1"));
      const status = Number(heads.at(-1)?.split(" ")[1] ?? 0);
      resolve({ heads, status, body, code: code ?? -1, stderr });
    });
  });
}

/** Interim and final heads follow each other; what comes after the first final one is the body. */
function split(output: string): { heads: string[]; body: string } {
  const heads: string[] = [];
  let rest = output;
  while (rest.startsWith("HTTP/")) {
    const end = rest.indexOf("\r\n\r\n");
    if (end < 0) break;
    const head = rest.slice(0, end);
    heads.push(head);
    rest = rest.slice(end + 4);
    if (!/^HTTP\/\S+ 1\d\d/.test(head)) break;
  }
  return { heads, body: rest };
}
