/** Questions to the admin API. Every outcome is a value with a sentence, and every one says when it was heard. */
import { signal } from "@preact/signals";
import type { Problem } from "../../src/contract/api-responses.ts";

export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  /** `status` 0: no answer at all. */
  | { readonly ok: false; readonly status: number; readonly code: string; readonly detail: string };

export const API = "/api/v1";
const ANSWER_MS = 5_000;

/** Kept for as long as the tab is open, and nowhere else. */
export const token = signal(readToken());
/** `missing`: the gateway asks for a token. `wrong`: it does not take the one given. */
export const access = signal<"granted" | "missing" | "wrong">("granted");
/** Browser's clock, ms; null: nothing yet. */
export const answeredAt = signal<number | null>(null);
export const isFailing = signal(false);
/** Gateway's clock less the browser's, ms: ages are counted by the gateway's. */
export const clockAheadMs = signal(0);

export function setToken(text: string): void {
  try {
    sessionStorage.setItem("goodgate.token", text);
  } catch {
    // Then it lasts as long as the page does.
  }
  token.value = text;
  access.value = "granted";
}

function readToken(): string {
  try {
    return sessionStorage.getItem("goodgate.token") ?? "";
  } catch {
    return "";
  }
}

/** `T` is what the contract says of the path; the gateway's own tests hold every answer against it. */
export async function ask<T>(path: string, body?: unknown): Promise<Answer<T>> {
  let response: Response;
  let text: string;
  try {
    response = await request(path, AbortSignal.timeout(ANSWER_MS), body);
    text = await response.text();
  } catch (error) {
    isFailing.value = true;
    const isLate = error instanceof DOMException && error.name === "TimeoutError";
    const detail = isLate ? `The gateway did not answer within ${ANSWER_MS / 1000} s.` : "The gateway does not answer.";
    return { ok: false, status: 0, code: "no-answer", detail };
  }
  heard();
  const json = parsed(text);
  if (response.ok && isObject(json)) {
    if (typeof json["now"] === "number") clockAheadMs.value = json["now"] - Date.now();
    return { ok: true, value: json as T };
  }
  return refusalOf(response, json);
}

/** Text that is no JSON: the draft of a postmortem. */
export async function askText(path: string): Promise<Answer<string>> {
  try {
    const response = await request(path, AbortSignal.timeout(ANSWER_MS));
    const text = await response.text();
    heard();
    return response.ok ? { ok: true, value: text } : refusalOf(response, parsed(text));
  } catch {
    return { ok: false, status: 0, code: "no-answer", detail: "The gateway does not answer." };
  }
}

/** Without the browser's own credentials, because a 401 would then open the browser's own dialog. */
export function request(
  path: string,
  signal: AbortSignal,
  body?: unknown,
  extra: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json", ...extra };
  if (token.value !== "") headers["authorization"] = `Bearer ${token.value}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  return fetch(API + path, {
    headers,
    signal,
    credentials: "omit",
    cache: "no-store",
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
}

export function heard(): void {
  answeredAt.value = Date.now();
  isFailing.value = false;
}

export function refused(): void {
  access.value = token.value === "" ? "missing" : "wrong";
}

function refusalOf(response: Response, json: unknown): Extract<Answer<never>, { ok: false }> {
  if (response.status === 401) refused();
  const problem = isObject(json) ? (json as Partial<Problem>) : {};
  const detail = problem.detail ?? `The answer was not understood (status ${response.status}).`;
  return { ok: false, status: response.status, code: problem.code ?? "unknown", detail };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
