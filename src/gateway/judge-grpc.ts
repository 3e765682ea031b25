/**
 * Judge, for calls of gRPC: their outcome is `grpc-status`, in the trailers, or in the head when there is nothing else
 * (policies/grpc.ts says what counts as what). The answer goes to the client as it is either way.
 */
import type { Trailer } from "../http1/trailers.ts";
import type { MessageHead } from "../http1/head.ts";
import { grpcStatusText } from "../kernel/grpc-status.ts";
import { grpcOutcome, httpStatusOf, parseGrpcStatus } from "../policies/grpc.ts";
import type { AnswerJudgement } from "./judge-response.ts";

const STATUS = "grpc-status";

/** -2: it is not in the head, so the trailers will tell. */
export function grpcStatusInHead(head: MessageHead): number {
  const value = head.get(STATUS);
  return value === null ? -2 : parseGrpcStatus(value);
}

export function grpcStatusInTrailers(trailers: readonly Trailer[] | null): number {
  const found = trailers?.find(({ name }) => name.toLowerCase() === STATUS);
  return parseGrpcStatus(found?.value ?? null);
}

/** Null: nothing went wrong. */
export function judgeGrpc(status: number, hasDeadline: boolean): AnswerJudgement | null {
  const outcome = grpcOutcome(status);
  if (outcome === "answer") return null;
  const evidence =
    status === -1
      ? "the response ended in order and without grpc-status"
      : `the origin ended the call with ${grpcStatusText(status)}`;
  const cause = outcome === "missed" && hasDeadline ? "origin.deadline" : "origin.grpc_error";
  return { cause, evidence, marks: [], status: httpStatusOf(status) };
}
