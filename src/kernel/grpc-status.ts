/** The outcomes of a call of gRPC (statuscodes.md of gRPC): their names, what each says to whoever reads it, and which a failure gets. */
export const GRPC = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** By number. */
export const GRPC_NAMES: readonly string[] = Object.keys(GRPC);

/** By number. */
const MEANINGS: readonly string[] = [
  "the call went well",
  "whoever made the call gave it up",
  "the application failed and did not say how: in most languages an exception that nobody caught",
  "what was sent is wrong whatever the state of the server, and sending it again does not help",
  "the time for the call was over; it may have been carried out all the same",
  "what was asked for is not there",
  "what was to be made is there already",
  "the caller is known and may not do that",
  "a quota, a limit or room is used up",
  "the state of the server does not allow it; it has to change before the call can go well",
  "it collided with something else, such as another transaction; the whole of it may be tried again",
  "beyond the end of what there is",
  "the server does not have this method, or not in this version",
  "something that has to hold does not: a defect of the server, of a library or of a proxy between",
  "the service cannot be reached or takes no calls now; the same call may go well in a moment",
  "data are lost or broken for good",
  "nobody has proven to be the caller, or what was shown is not valid any more",
];

/** `UNAVAILABLE (14)`. */
export function grpcStatusText(status: number): string {
  return `${GRPC_NAMES[status] ?? "an unknown status"} (${status})`;
}

/** Empty: nobody has said what that number means. */
export function grpcMeaning(status: number): string {
  return MEANINGS[status] ?? "";
}

/**
 * What a client is told for a failure that HTTP would tell by this status (gRPC's http-grpc-status-mapping.md), but for
 * rates: repeating at once, as clients do for UNAVAILABLE, is what a limit is there against.
 */
export function grpcStatusFor(httpStatus: number): number {
  switch (httpStatus) {
    case 400:
    case 431:
      return GRPC.INTERNAL;
    case 401:
      return GRPC.UNAUTHENTICATED;
    case 403:
      return GRPC.PERMISSION_DENIED;
    case 404:
      return GRPC.UNIMPLEMENTED;
    case 408:
      return GRPC.CANCELLED;
    case 429:
      return GRPC.RESOURCE_EXHAUSTED;
    case 502:
    case 503:
    case 504:
      return GRPC.UNAVAILABLE;
    default:
      return GRPC.UNKNOWN;
  }
}

/**
 * What a client makes of a stream that its server broke off (gRPC's PROTOCOL-HTTP2, "Errors"), by the name of the code. A
 * client of ours is told the same, as if nobody stood between: UNAVAILABLE would say that nothing was done.
 */
export function grpcStatusOfReset(code: string): number {
  switch (code) {
    case "REFUSED_STREAM":
      return GRPC.UNAVAILABLE;
    case "CANCEL":
      return GRPC.CANCELLED;
    case "ENHANCE_YOUR_CALM":
      return GRPC.RESOURCE_EXHAUSTED;
    case "INADEQUATE_SECURITY":
      return GRPC.PERMISSION_DENIED;
    default:
      return GRPC.INTERNAL;
  }
}
