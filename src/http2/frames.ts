/** The numbers of RFC 9113: frames (§6, RFC 9218 §7.1), flags, errors (§7), settings (§6.5.2, RFC 8441 §3, RFC 9218 §2.1). */

export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
  /** RFC 9218 §7.1. */
  PRIORITY_UPDATE: 0x10,
} as const;

export const FLAG = { ACK: 0x1, END_STREAM: 0x1, END_HEADERS: 0x4, PADDED: 0x8, PRIORITY: 0x20 } as const;

export const SETTING = {
  HEADER_TABLE_SIZE: 1,
  ENABLE_PUSH: 2,
  MAX_CONCURRENT_STREAMS: 3,
  INITIAL_WINDOW_SIZE: 4,
  MAX_FRAME_SIZE: 5,
  MAX_HEADER_LIST_SIZE: 6,
  ENABLE_CONNECT_PROTOCOL: 8,
  NO_RFC7540_PRIORITIES: 9,
} as const;

export const ERROR_NAMES = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
] as const;

export type ErrorName = (typeof ERROR_NAMES)[number];

export const FRAME_HEAD_BYTES = 9;
/** What a frame may carry unless its receiver allows more (§6.5.2); we do not. */
export const FRAME_BYTES = 16_384;
export const WINDOW_BYTES = 65_535;
export const WINDOW_MAX = 0x7fff_ffff;

/** What a client says first (§3.4). Its first line is what an HTTP/1.1 parser refuses. */
export const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
export const PREFACE_LINE_BYTES = 16;

export function errorCode(name: ErrorName): number {
  return ERROR_NAMES.indexOf(name);
}

/** The name of a code that the peer sent; codes that nobody knows have their number. */
export function errorName(code: number): string {
  return ERROR_NAMES[code] ?? `error ${code}`;
}
