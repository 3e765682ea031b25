/**
 * One POST with a bound on everything: time, what is read of the answer, and no redirects, which would carry a signed
 * message to somebody else. What it tells never contains the address: that of Slack is a secret itself.
 */
import type { SendResult } from "../../contract/alerts.ts";

const SEND_MS = 10_000;
const READ_MAX = 300;
const RETRY_AFTER_MAX_MS = 15 * 60_000;

export interface Post {
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export async function post({ url, body, headers = {} }: Post): Promise<SendResult> {
  if (!URL.canParse(url)) return failed("its address is not a URL", false);
  try {
    const response = await fetch(url, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", "user-agent": "goodgate", ...headers },
      redirect: "manual",
      signal: AbortSignal.timeout(SEND_MS),
    });
    const said = await beginOf(response);
    if (response.ok) return { ok: true, detail: `status ${response.status}` };
    const isWorthRepeating = response.status >= 500 || response.status === 408 || response.status === 429;
    return failed(`status ${response.status}${said === "" ? "" : `: ${said}`}`, isWorthRepeating, retryAfter(response));
  } catch (error) {
    return failed(reasonOf(error), true);
  }
}

export function failed(detail: string, isWorthRepeating: boolean, retryAfterMs = 0): SendResult {
  return { ok: false, detail, isWorthRepeating, retryAfterMs };
}

/** Enough to see what it complains about, on one line. */
async function beginOf(response: Response): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length >= READ_MAX) break;
    }
  } catch {
    // The status is what counts.
  }
  return text
    .replaceAll(/[\p{Cc}\s]+/gu, " ")
    .trim()
    .slice(0, READ_MAX);
}

function retryAfter(response: Response): number {
  const seconds = Number(response.headers.get("retry-after") ?? "0");
  return Number.isFinite(seconds) ? Math.min(Math.max(0, seconds * 1000), RETRY_AFTER_MAX_MS) : 0;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "it could not be sent";
  if (error.name === "TimeoutError") return `no answer within ${SEND_MS / 1000} s`;
  const { cause } = error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") return cause.code;
  return "it could not be sent";
}
