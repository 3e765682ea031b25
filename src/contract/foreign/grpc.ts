/**
 * The outcomes of calls of gRPC, which clients log and this gateway passes on or makes: as names, as numbers, and as the
 * libraries of some languages write them in their errors.
 *
 * A call's outcome is in its trailers. Which of our causes shows so there has two answers: the origin ended the call with
 * it, or this gateway answered a call with it that failed.
 */
import type { Cause, CauseId } from "../../kernel/causes.ts";
import { CAUSES } from "../../kernel/causes.ts";
import { GRPC, GRPC_NAMES, grpcMeaning, grpcStatusFor, grpcStatusOfReset } from "../../kernel/grpc-status.ts";
import type { SystemCodeRow } from "./row.ts";

/** Of these the origin has failed (policies/grpc.ts); the others are answers. */
const FAILURES: ReadonlySet<number> = new Set([
  GRPC.UNKNOWN,
  GRPC.INTERNAL,
  GRPC.UNAVAILABLE,
  GRPC.DATA_LOSS,
  GRPC.DEADLINE_EXCEEDED,
]);
const DEADLINES: ReadonlySet<CauseId> = new Set(["origin.deadline", "gw.deadline"]);
/** Whoever made the call is gone, and writes down what it gave up. */
const CANCELLED: readonly CauseId[] = ["client.abort_wait", "client.abort_body"];

/** With these an origin breaks calls off that have an outcome of their own in gRPC. */
const RESETS = ["CANCEL", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY"];

/**
 * What a call of gRPC gets that fails of this cause and would get `status` over HTTP. `reset`: the code with which its
 * origin broke it off, where that is the cause.
 */
export function grpcAnswerOf(cause: CauseId, status: number, reset = ""): number {
  if (cause === "origin.h2_reset") return grpcStatusOfReset(reset);
  return DEADLINES.has(cause) ? GRPC.DEADLINE_EXCEEDED : grpcStatusFor(status);
}

export interface GrpcCode {
  readonly row: SystemCodeRow;
  readonly also: readonly string[];
}

export const GRPC_CODES: readonly GrpcCode[] = GRPC_NAMES.map((name, status) => ({
  row: [name, meansOf(status), hereOf(status)],
  also: [...new Set([String(status), `grpc-${status}`, ...spellings(name)])].filter((other) => other !== name),
}));

/** What a text says of the outcome of a call: a field, an error as a library writes it. Null: nothing. */
export function grpcCodeIn(text: string): string | null {
  const field = /\bgrpc[-_ ]?(?:status|code)["']?\s*[:= ]\s*["']?(\d{1,2})\b|\bgrpc-(\d{1,2})\b/i.exec(text);
  if (field !== null) return GRPC_NAMES[Number(field[1] ?? field[2])] ?? null;
  // Go; Python and others; Java; Node.
  const name =
    /\bcode = (\w+)|\b(?:StatusCode|codes|Code)\.(\w+)|Status(?:Runtime)?Exception: ([A-Z_]+)|\b\d{1,2} ([A-Z_]{2,}): /
      .exec(text)
      ?.slice(1)
      .find((part) => part !== undefined);
  return name === undefined ? null : nameOf(name);
}

/** What a number alone may be besides; empty: it is clear. */
export function hintFor(text: string): string {
  if (!/^\s*\d{1,2}\s*$/.test(text)) return "";
  const number = Number(text);
  return GRPC_NAMES[number] === undefined
    ? ""
    : `A number alone may be another one: of a system error, which nginx writes behind its messages, or the exit code of a process. grpc-${number} is this one without doubt.`;
}

function meansOf(status: number): string {
  const means = grpcMeaning(status);
  return status === GRPC.OK || FAILURES.has(status) || status === GRPC.CANCELLED
    ? means
    : `${means}; from an origin it is an answer and is passed on`;
}

function hereOf(status: number): CauseId[] {
  const own = (Object.values(CAUSES) as readonly Cause[])
    .filter(({ id, status: http }) => http !== 0 && grpcAnswerOf(id, http) === status)
    .map(({ id }) => id);
  const ofOrigin: readonly CauseId[] = FAILURES.has(status) ? ["origin.grpc_error"] : [];
  if (RESETS.some((code) => grpcStatusOfReset(code) === status)) own.push("origin.h2_reset");
  return [...new Set([...ofOrigin, ...(status === GRPC.CANCELLED ? CANCELLED : []), ...own])];
}

/** `DeadlineExceeded`, and what Go says of a call that was given up. */
function spellings(name: string): string[] {
  const camel = name.toLowerCase().replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return name === "CANCELLED" ? [camel, "Canceled"] : [camel];
}

function nameOf(written: string): string | null {
  const plain = bare(written);
  const at = GRPC_NAMES.findIndex(
    (name) => bare(name) === plain || spellings(name).some((other) => bare(other) === plain),
  );
  return GRPC_NAMES[at] ?? null;
}

function bare(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}
