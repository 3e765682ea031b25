/** What an error of the system says, for people and for programs. */
import { hostPort } from "../kernel/ip-text.ts";
import type { Bind } from "../config/settings.ts";

export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "EIO";
}

export function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** A listener's failure with the address it is about, as far as the system tells. */
export function listenFailure(error: unknown, fallback: Bind | null): { where: string; code: string } {
  const told = error as { readonly address?: unknown; readonly port?: unknown };
  const host = typeof told.address === "string" ? told.address : (fallback?.host ?? "");
  const port = typeof told.port === "number" ? told.port : (fallback?.port ?? 0);
  return { where: hostPort(host, port), code: codeOf(error) };
}
