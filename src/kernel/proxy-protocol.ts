/**
 * The PROXY protocol (haproxy.org, doc/proxy-protocol.txt, 2025): what a load balancer says of its client's connection
 * before the first byte of it. Version 1 is a line of text, version 2 is binary and has room for more. Reading only;
 * proxy-protocol-writer.ts writes.
 *
 * The bytes may come in any pieces, so they are gathered until the header is whole; that is at most a few hundred bytes
 * of a connection's life. A byte that cannot belong to a header ends it at once and not at the limit of time. Nothing is
 * guessed: who is expected to send a header and sends something else is refused (§2, "must not try to guess").
 */
import { bytesToIp, ipToBytes } from "./ip-bytes.ts";
import { crc32c } from "./crc32c.ts";

/** `CR LF CR LF NUL CR LF Q U I T LF`: nothing that HTTP or TLS begins with. */
export const SIGNATURE = Uint8Array.from([13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]);
export const V2_FIXED_BYTES = 16;
/** With CR LF (§2.1). */
export const V1_BYTES_MAX = 107;

/** Kinds of what follows the addresses in version 2 (§2.2). */
export const TLV = {
  ALPN: 0x01,
  AUTHORITY: 0x02,
  CRC32C: 0x03,
  UNIQUE_ID: 0x05,
  SSL: 0x20,
  SSL_VERSION: 0x21,
  SSL_CN: 0x22,
  SSL_CIPHER: 0x23,
} as const;

const UNIQUE_ID_BYTES_MAX = 128;
const UNIX_PATH_BYTES = 108;

/** A client's connection, as the load balancer in front saw it. */
export interface ProxyHeader {
  readonly version: 1 | 2;
  /** The load balancer speaks for itself (a check of its own), or does not know: the socket's own ends are the ends. */
  readonly local: boolean;
  /** Empty while `local`; `unix:` for a client on a Unix socket. */
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** Empty where it was not told. */
  readonly alpn: string;
  /** The name that the client asked for: SNI. */
  readonly authority: string;
  /** In hex digits. */
  readonly uniqueId: string;
  /** The client came over TLS. Null: it did not, or that was not told. */
  readonly tls: ProxiedTls | null;
}

export interface ProxiedTls {
  readonly version: string;
  readonly cipher: string;
  /** Of the client's certificate, which the load balancer has verified. Empty: none was shown, or it was not good. */
  readonly commonName: string;
}

export type ProxyRefusal =
  /** Something else: HTTP without a header, TLS, noise. */
  | "no-header"
  | "too-long"
  | "malformed"
  /** A version, a command or a family that is not specified. */
  | "unspecified"
  | "checksum";

export const PROXY_REFUSALS: Readonly<Record<ProxyRefusal, string>> = {
  "no-header": "what came does not begin with a PROXY protocol header",
  "too-long": "its header is longer than is taken (proxyProtocol.bytes)",
  malformed: "its header breaks the form that the protocol prescribes",
  unspecified: "its header has a version, a command or a family that the protocol does not specify",
  checksum: "the checksum of its header does not match",
};

type Step =
  | { readonly kind: "more" }
  | { readonly kind: "refused"; readonly why: ProxyRefusal }
  | { readonly kind: "done"; readonly header: ProxyHeader; readonly length: number };

const MORE: Step = { kind: "more" };

/** Reads one header, from the first byte of a connection. */
export class ProxyHeaderReader {
  header: ProxyHeader | null = null;
  refusal: ProxyRefusal | null = null;
  readonly #bytesMax: number;
  #held: Buffer = Buffer.alloc(0);

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** How many bytes have come and were not enough. */
  get heldBytes(): number {
    return this.#held.length;
  }

  /** Takes `[start, end)` and returns where the header ended; `end` while more is needed, or when it is refused. */
  execute(bytes: Uint8Array, start: number, end: number): number {
    const before = this.#held.length;
    const all = Buffer.concat([this.#held, bytes.subarray(start, end)]);
    const step = readHeader(all, this.#bytesMax);
    switch (step.kind) {
      case "more":
        this.#held = all;
        return end;
      case "refused":
        this.refusal = step.why;
        return end;
      case "done":
        this.header = step.header;
        return start + step.length - before;
    }
  }
}

function readHeader(bytes: Buffer, bytesMax: number): Step {
  if (bytes.length === 0) return MORE;
  // The two differ in the first byte.
  return bytes[0] === SIGNATURE[0] ? readV2(bytes, bytesMax) : readV1(bytes);
}

function refused(why: ProxyRefusal): Step {
  return { kind: "refused", why };
}

// ------------------------------------------------------------------ version 1

const V1_BEGINS = "PROXY ";
const V1_PORT = /^(?:0|[1-9]\d{0,4})$/;

function readV1(bytes: Buffer): Step {
  const begins = Math.min(bytes.length, V1_BEGINS.length);
  if (bytes.latin1Slice(0, begins) !== V1_BEGINS.slice(0, begins)) return refused("no-header");
  const line = bytes.indexOf(10);
  if (line === -1) return bytes.length >= V1_BYTES_MAX ? refused("malformed") : MORE;
  if (line >= V1_BYTES_MAX || bytes[line - 1] !== 13) return refused("malformed");
  const header = v1Header(bytes.latin1Slice(V1_BEGINS.length, line - 1));
  return header === null ? refused("malformed") : { kind: "done", header, length: line + 1 };
}

function v1Header(text: string): ProxyHeader | null {
  // "the receiver must ignore anything presented before the CRLF" (§2.1).
  if (text === "UNKNOWN" || text.startsWith("UNKNOWN ")) return localHeader(1);
  const [family, source = "", destination = "", sourcePort = "", destinationPort = "", ...more] = text.split(" ");
  const length = family === "TCP4" ? 4 : family === "TCP6" ? 16 : 0;
  const from = ipToBytes(source);
  const to = ipToBytes(destination);
  if (from?.length !== length || to?.length !== length || more.length > 0) return null;
  if (!isPort(sourcePort) || !isPort(destinationPort)) return null;
  return {
    ...localHeader(1),
    local: false,
    source: bytesToIp(from),
    sourcePort: Number(sourcePort),
    destination: bytesToIp(to),
    destinationPort: Number(destinationPort),
  };
}

function isPort(text: string): boolean {
  return V1_PORT.test(text) && Number(text) <= 65_535;
}

// ------------------------------------------------------------------ version 2

function readV2(bytes: Buffer, bytesMax: number): Step {
  const known = Math.min(bytes.length, SIGNATURE.length);
  for (let i = 0; i < known; i += 1) if (bytes[i] !== SIGNATURE[i]) return refused("no-header");
  const command = bytes[12] ?? 0x20;
  if (command !== 0x20 && command !== 0x21) return refused("unspecified");
  if (bytes.length < V2_FIXED_BYTES) return MORE;
  const length = V2_FIXED_BYTES + bytes.readUInt16BE(14);
  if (length > bytesMax) return refused("too-long");
  if (bytes.length < length) return MORE;
  const whole = bytes.subarray(0, length);
  const family = whole[13] ?? 0;
  const sizes = ADDRESS_BYTES.get(family);
  if (sizes === undefined) return refused("unspecified");
  const tlvsAt = V2_FIXED_BYTES + sizes * 2 + (family >> 4 === 1 || family >> 4 === 2 ? 4 : 0);
  if (tlvsAt > length) return refused("malformed");
  // What LOCAL carries is to be ignored, addresses and all (§2.2).
  if (command === 0x20) return { kind: "done", header: localHeader(2), length };
  const tlvs = tlvsIn(whole, tlvsAt, length);
  if (tlvs === null) return refused("malformed");
  if (!checksumHolds(whole, tlvs)) return refused("checksum");
  return { kind: "done", header: { ...addressesOf(whole, sizes), ...toldBy(tlvs) }, length };
}

/** Family and transport → bytes of one address. UDP over a stream makes no sense, and the addresses are the same. */
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 4],
  [0x12, 4],
  [0x21, 16],
  [0x22, 16],
  [0x31, UNIX_PATH_BYTES],
  [0x32, UNIX_PATH_BYTES],
]);

function addressesOf(bytes: Buffer, size: number): ProxyHeader {
  const at = V2_FIXED_BYTES;
  const header = localHeader(2);
  if (size === 0) return header;
  if (size === UNIX_PATH_BYTES) return { ...header, local: false, source: "unix:", destination: "unix:" };
  return {
    ...header,
    local: false,
    source: bytesToIp(bytes.subarray(at, at + size)),
    destination: bytesToIp(bytes.subarray(at + size, at + size * 2)),
    sourcePort: bytes.readUInt16BE(at + size * 2),
    destinationPort: bytes.readUInt16BE(at + size * 2 + 2),
  };
}

interface Tlv {
  readonly type: number;
  /** Where its value begins in what was read. */
  readonly at: number;
  readonly value: Buffer;
}

/** Null: one reaches beyond the end. */
function tlvsIn(bytes: Buffer, start: number, end: number): Tlv[] | null {
  const tlvs: Tlv[] = [];
  for (let at = start; at < end;) {
    if (at + 3 > end) return null;
    const next = at + 3 + bytes.readUInt16BE(at + 1);
    if (next > end) return null;
    tlvs.push({ type: bytes[at] ?? 0, at: at + 3, value: bytes.subarray(at + 3, next) });
    at = next;
  }
  return tlvs;
}

/** Over the whole header with the sum itself as zeros (§2.2.3). */
function checksumHolds(bytes: Buffer, tlvs: readonly Tlv[]): boolean {
  const sums = tlvs.filter(({ type }) => type === TLV.CRC32C);
  const [sum] = sums;
  if (sum === undefined) return true;
  if (sums.length > 1 || sum.value.length !== 4) return false;
  const zeroed = Buffer.from(bytes).fill(0, sum.at, sum.at + 4);
  return crc32c(zeroed) === sum.value.readUInt32BE(0);
}

function toldBy(tlvs: readonly Tlv[]): Pick<ProxyHeader, "alpn" | "authority" | "uniqueId" | "tls"> {
  const id = valueOf(tlvs, TLV.UNIQUE_ID);
  return {
    alpn: textOf(valueOf(tlvs, TLV.ALPN)),
    authority: textOf(valueOf(tlvs, TLV.AUTHORITY)),
    uniqueId: id === null || id.length > UNIQUE_ID_BYTES_MAX ? "" : id.toString("hex"),
    tls: tlsIn(valueOf(tlvs, TLV.SSL)),
  };
}

const CLIENT_SSL = 1;
const CLIENT_CERT = 2 | 4;

/** `client`, `verify`, and TLVs of their own (§2.2.6). */
function tlsIn(value: Buffer | null): ProxiedTls | null {
  if (value === null || value.length < 5) return null;
  const client = value[0] ?? 0;
  const inner = tlvsIn(value, 5, value.length);
  if ((client & CLIENT_SSL) === 0 || inner === null) return null;
  const isVerified = (client & CLIENT_CERT) !== 0 && value.readUInt32BE(1) === 0;
  return {
    version: textOf(valueOf(inner, TLV.SSL_VERSION)),
    cipher: textOf(valueOf(inner, TLV.SSL_CIPHER)),
    commonName: isVerified ? textOf(valueOf(inner, TLV.SSL_CN)) : "",
  };
}

function valueOf(tlvs: readonly Tlv[], type: number): Buffer | null {
  return tlvs.find((tlv) => tlv.type === type)?.value ?? null;
}

const TEXT_BYTES_MAX = 255;
const PRINTABLE = /^[ -~]*$/;

/** It ends up in records and logs: what could be mistaken there counts as not told. */
function textOf(value: Buffer | null): string {
  if (value === null || value.length > TEXT_BYTES_MAX) return "";
  const text = value.latin1Slice();
  return PRINTABLE.test(text) ? text : "";
}

function localHeader(version: 1 | 2): ProxyHeader {
  return {
    version,
    local: true,
    source: "",
    sourcePort: 0,
    destination: "",
    destinationPort: 0,
    alpn: "",
    authority: "",
    uniqueId: "",
    tls: null,
  };
}
