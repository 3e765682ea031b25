/**
 * What gRPC says in its own words (PROTOCOL-HTTP2 of gRPC): a call answers with HTTP 200 whatever becomes of it, and its
 * outcome is `grpc-status`, usually in the trailers. Here is what those numbers mean to a gateway: which of them say that
 * the origin failed, and which of them it says itself.
 *
 * As a failure counts what Envoy counts and OpenTelemetry calls a server error, but for two. UNIMPLEMENTED is what every
 * gRPC library answers to a method that it does not know, so any client could have an origin ejected by asking for one.
 * DEADLINE_EXCEEDED is a failure, but of the client's time: where a deadline was given it says nothing about the origin,
 * as elsewhere (origin.deadline). RESOURCE_EXHAUSTED and ABORTED are answers, as 429 and 409 are.
 */
import { GRPC } from "../kernel/grpc-status.ts";

/** What stands in `grpc-status`; -1: nothing that can be read as one. */
export function parseGrpcStatus(value: string | null): number {
  return value !== null && /^\d{1,3}$/.test(value) ? Number(value) : -1;
}

/** `missed`: the time that the call had is over. */
export type GrpcOutcome = "answer" | "failure" | "missed";

/** -1, no status at all, is a failure: a call without one was cut (gRPC's statuscodes.md). */
export function grpcOutcome(status: number): GrpcOutcome {
  switch (status) {
    case GRPC.UNKNOWN:
    case GRPC.INTERNAL:
    case GRPC.UNAVAILABLE:
    case GRPC.DATA_LOSS:
    case -1:
      return "failure";
    case GRPC.DEADLINE_EXCEEDED:
      return "missed";
    default:
      return "answer";
  }
}

/** The status of HTTP that says the same, as far as it decides about repeats: only what is unavailable passes. */
export function httpStatusOf(status: number): number {
  if (status === GRPC.UNAVAILABLE) return 503;
  return status === GRPC.DEADLINE_EXCEEDED ? 504 : 500;
}

/** `grpc-message` as it is written: every byte but printable ASCII, and the percent sign, in %XX. */
export function encodeGrpcMessage(text: string): string {
  let written = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    written += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return written;
}

/** Whether a Content-Type is that of gRPC over HTTP/2. That of gRPC-Web is not: it has its trailers in the body. */
export function isGrpcType(contentType: string): boolean {
  return /^application\/grpc(?:$|[+; \t])/i.test(contentType);
}
