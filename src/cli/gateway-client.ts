/**
 * Asks a running gateway through its admin API. Where it is: `--admin`, else GOODGATE_ADMIN, else
 * http://127.0.0.1:9090. The token comes from GOODGATE_TOKEN only: an option would show in the process
 * list and stay in the shell's history.
 */
import type { Problem } from "../contract/api-responses.ts";
import type { Complaint } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { UNIX, hostPort, isUnix } from "../kernel/ip-text.ts";
import { plain } from "./page.ts";
import type { CliPorts } from "./ports.ts";

export const ADMIN_DEFAULT = "http://127.0.0.1:9090";

export type Asked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly complaint: Complaint };

const ANSWER_MS = 5_000;

/** `admin`: the value of `--admin`, if given. */
export function adminUrl(ports: CliPorts, admin: string | undefined, otherwise: string = ADMIN_DEFAULT): Asked<string> {
  const given = admin ?? ports.env["GOODGATE_ADMIN"] ?? "";
  const source = admin === undefined ? "GOODGATE_ADMIN" : "--admin";
  if (given === "") return { ok: true, value: otherwise };
  if (isUnix(given)) return { ok: true, value: adminBase(given, 0) };
  // An address as the configuration writes it (127.0.0.1:9090) is what people have at hand, so it is taken too.
  const text = /^[a-z]+:\/\//i.test(given) ? given : `http://${given}`;
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:") || url.hostname === "") {
    return {
      ok: false,
      complaint: {
        code: "bad-admin-url",
        exit: EXIT.usage,
        message: `${source} is not an address: ${plain(given)}`,
        hints: [`Write it like ${ADMIN_DEFAULT}`],
      },
    };
  }
  return { ok: true, value: url.origin };
}

/** Where an admin listener that is bound to `host` and `port` is asked from this machine. */
export function adminBase(host: string, port: number): string {
  if (isUnix(host)) return `http+unix://${encodeURIComponent(host.slice(UNIX.length))}`;
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${hostPort(reachable, port)}`;
}

/**
 * `T` is what this version's contract says of the path; `isAnswer` looks at one field of it, so that another
 * program on that port is told from a gateway.
 */
export async function askGateway<T>(
  ports: CliPorts,
  base: string,
  path: string,
  isAnswer: (json: Record<string, unknown>) => boolean,
  method?: "POST",
  body?: unknown,
  answerMs: number = ANSWER_MS,
): Promise<Asked<T>> {
  const token = ports.env["GOODGATE_TOKEN"] ?? null;
  const fetched = await ports.fetchJson(`${base}/api/v1${path}`, token, answerMs, method, body);
  if (fetched.kind === "unreachable") return { ok: false, complaint: unreachable(base, fetched.code) };
  if (fetched.kind === "not json") return { ok: false, complaint: notGoodgate(base, fetched.status) };
  if (fetched.status === 200 && isObject(fetched.json) && isAnswer(fetched.json)) {
    // The gateway validates its answers against the same contract in its tests; checking every field again would only duplicate it.
    return { ok: true, value: fetched.json as T };
  }
  const problem = asProblem(fetched.json);
  if (problem === null) return { ok: false, complaint: notGoodgate(base, fetched.status) };
  if (fetched.status === 401 || fetched.status === 403) return { ok: false, complaint: refusedToken(ports, base) };
  return { ok: false, complaint: fromProblem(problem) };
}

function unreachable(base: string, code: string): Complaint {
  if (base.startsWith("https:") && (code === "EPROTO" || code.startsWith("ERR_SSL"))) {
    return {
      code: "gateway-unreachable",
      exit: EXIT.unreachable,
      message: `what answers at ${base} does not speak TLS (${code}). The admin API of Goodgate speaks http.`,
      hints: [`Ask it at  ${base.replace("https:", "http:")}`],
    };
  }
  const hints = [
    "Start one with  goodgate run",
    "If it runs elsewhere, say where:  --admin URL, or GOODGATE_ADMIN=URL (the address under admin.bind of its configuration).",
  ];
  if (code === "ETIMEDOUT") hints.unshift("Something holds that address but does not answer in time.");
  return {
    code: "gateway-unreachable",
    exit: EXIT.unreachable,
    message: `no gateway answers at ${base} (${code}).`,
    hints,
  };
}

function notGoodgate(base: string, status: number): Complaint {
  return {
    code: "not-a-gateway",
    exit: EXIT.unreachable,
    message: `something answers at ${base} (status ${status}), but it is not the admin API of a Goodgate that this version understands.`,
    hints: ["Check the address: it is the one under admin.bind, not one under listeners."],
  };
}

function refusedToken(ports: CliPorts, base: string): Complaint {
  const has = (ports.env["GOODGATE_TOKEN"] ?? "") !== "";
  return {
    code: "token-refused",
    exit: EXIT.unreachable,
    message: has
      ? `the gateway at ${base} does not accept the token in GOODGATE_TOKEN.`
      : `the gateway at ${base} asks for a token.`,
    hints: ["Put the value of admin.token of its configuration into GOODGATE_TOKEN."],
  };
}

function fromProblem(problem: Problem): Complaint {
  const hints = problem.nearest === undefined ? [] : [`The nearest known name is ${plain(problem.nearest)}.`];
  return { code: problem.code, exit: EXIT.no, message: plain(problem.detail), hints };
}

function asProblem(json: unknown): Problem | null {
  if (!isObject(json) || typeof json["code"] !== "string" || typeof json["detail"] !== "string") return null;
  return json as unknown as Problem;
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
