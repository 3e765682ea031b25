/**
 * What a case of HTTP/2 is: frames that a client sends, on a connection of its own, and what has to come of them. Where a
 * rule allows a stream error to be treated as one of the connection (RFC 9113 §5.4.2), both pass.
 */
import { FLAG, FRAME } from "../../src/http2/frames.ts";
import { block, frame, GET, OPENING, POST, request } from "../support/h2-frames.ts";
import type { Pair } from "../support/h2-frames.ts";

export type Expected =
  /** GOAWAY with one of these codes, or the end of the connection. */
  | { readonly kind: "connection"; readonly codes: readonly number[] }
  /** GOAWAY with one of these codes, and then the end of the connection. */
  | { readonly kind: "ended"; readonly codes: readonly number[] }
  /** RST_STREAM with one of these codes, or GOAWAY with one, or the end of the connection by it. */
  | { readonly kind: "stream"; readonly codes: readonly number[] }
  /** A whole response on this stream, with that status; 0: with any. */
  | { readonly kind: "response"; readonly stream: number; readonly status: number }
  /** A frame of this type, and with `ACK` or with those bytes if that is asked for; and none of type `without`. */
  | {
      readonly kind: "frame";
      readonly type: number;
      readonly ack: boolean;
      readonly payload?: string;
      readonly without?: number;
    }
  /** A header block on that stream which begins so. */
  | { readonly kind: "block"; readonly stream: number; readonly begins: string };

export interface Case {
  readonly section: string;
  readonly title: string;
  readonly send: readonly Buffer[];
  /** Sent when a response to what came before is whole. */
  readonly after?: readonly Buffer[];
  readonly expected: Expected;
}

export const PROTOCOL_ERROR = 1;
export const FLOW_CONTROL_ERROR = 3;
export const STREAM_CLOSED = 5;
export const FRAME_SIZE_ERROR = 6;
export const REFUSED_STREAM = 7;
export const COMPRESSION_ERROR = 9;

/** Of a HEADERS frame that is a whole request. */
export const WHOLE: number = FLAG.END_HEADERS | FLAG.END_STREAM;
/** One byte more than a frame may have. */
export const LARGE: string = "x".repeat(16_385);

export const connection = (...codes: number[]): Expected => ({ kind: "connection", codes });
export const stream = (...codes: number[]): Expected => ({ kind: "stream", codes });
export const response = (id = 1, status = 0): Expected => ({ kind: "response", stream: id, status });
export const sends = (type: number, ack = false, payload?: string): Expected => {
  return { kind: "frame", type, ack, ...(payload === undefined ? {} : { payload }) };
};

/** Behind the opening that every client begins with. */
export function one(section: string, title: string, expected: Expected, ...send: readonly Buffer[]): Case {
  return { section, title, send: [OPENING, ...send], expected };
}

/** All that the client says. */
export function whole(section: string, title: string, expected: Expected, ...send: readonly Buffer[]): Case {
  return { section, title, send, expected };
}

/** `after` follows the first answer. */
export function twice(
  section: string,
  title: string,
  expected: Expected,
  first: Buffer,
  after: readonly Buffer[],
): Case {
  return { section, title, send: [OPENING, first], after, expected };
}

export function field(extra: readonly Pair[], base: readonly Pair[] = GET): Buffer {
  return request(1, [...base, ...extra]);
}

export function having(name: string, value: string, base: readonly Pair[] = GET): Pair[] {
  return base.map(([its, was]): Pair => [its, its === name ? value : was]);
}

export function lacking(name: string): Buffer {
  return request(
    1,
    GET.filter(([its]) => its !== name),
  );
}

/** A request that says how long its content is, and then its content. */
export function content(length: string, ...frames: readonly Buffer[]): readonly Buffer[] {
  return [request(1, [...POST, ["content-length", length]], false), ...frames];
}

/** Behind a header block that is in order. */
export function raw(bytes: string): Buffer {
  return frame(FRAME.HEADERS, WHOLE, 1, Buffer.concat([block(GET), Buffer.from(bytes, "hex")]));
}

/** A request that its origin does not answer while the case lasts. */
export function neverAnswered(base: readonly Pair[] = GET): Pair[] {
  return having(":path", "/slow", base);
}
