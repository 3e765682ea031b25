/**
 * What Node and OpenSSL say when TLS fails, as an error of the socket port. Node has it in three places: a code made of
 * OpenSSL's words, the number of the alert in the text alone, and an end in the middle of a handshake as `ECONNRESET`
 * without a syscall, which a reset has too.
 */
import type { SocketError } from "../kernel/socket.ts";

/** `secure`: the handshake was over, as far as this side knows. */
export function toTlsError(error: NodeJS.ErrnoException, secure: boolean): SocketError {
  const code = error.code ?? "UNKNOWN";
  if (error.syscall !== undefined && error.syscall !== "") return { code, syscall: error.syscall };
  // "Client network socket disconnected before secure TLS connection was established": a FIN.
  if (code === "ECONNRESET") return secure ? { code, syscall: "read" } : { code: "FIN", syscall: "tls" };
  const { reason = error.message } = error as { readonly reason?: string };
  const alert = /SSL alert number (\d+)/.exec(error.message)?.[1];
  return {
    code,
    syscall: "tls",
    detail: reason,
    ...(alert === undefined ? {} : { alert: Number(alert) }),
  };
}
