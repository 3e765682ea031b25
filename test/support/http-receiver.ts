/**
 * A receiver of messages over HTTP, in the process of the test: keeps each request with its body as it came, and
 * answers what it is told to.
 */
import { httpOrigin } from "./http-origin.ts";
import type { HttpOrigin } from "./http-origin.ts";

export interface TakenRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface TakenAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface HttpReceiver extends HttpOrigin {
  readonly taken: readonly TakenRequest[];
}

const TAKES_ALL: TakenAnswer = { status: 200 };

/** `answer` is asked when a request has come whole. */
export async function httpReceiver(
  answer: (request: TakenRequest) => TakenAnswer = () => TAKES_ALL,
  port = 0,
): Promise<HttpReceiver> {
  const taken: TakenRequest[] = [];
  const origin = await httpOrigin((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => {
      body += chunk;
    });
    request.on("end", () => {
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      const whole = { method: request.method ?? "", path: request.url ?? "", headers, body };
      taken.push(whole);
      const { status, headers: fields, body: says } = answer(whole);
      response.writeHead(status, fields).end(says);
    });
  }, port);
  return { ...origin, taken };
}
