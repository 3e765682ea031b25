/**
 * Writes PROXY protocol headers (see proxy-protocol.ts): version 1 as text, version 2 with a checksum and with what is
 * known of the client's TLS. An end without an IP address (a Unix socket) makes a header that says nothing of ends,
 * which a receiver takes for the proxy itself.
 */
import { crc32c } from "./crc32c.ts";
import { ipToBytes, isMapped, mapped, bytesToIp } from "./ip-bytes.ts";
import type { ProxyHeader } from "./proxy-protocol.ts";
import { SIGNATURE, TLV, V2_FIXED_BYTES } from "./proxy-protocol.ts";

/** Which connection a header tells of. */
export type ProxiedEnds = Pick<ProxyHeader, "source" | "sourcePort" | "destination" | "destinationPort">;

/** What version 2 may say besides. */
export type ProxiedExtras = Pick<ProxyHeader, "alpn" | "authority" | "tls">;

const NOTHING_ELSE: ProxiedExtras = { alpn: "", authority: "", tls: null };

/** Of a connection that no client is behind: a check of the gateway's own. */
export function localProxyHeader(version: 1 | 2): Buffer {
  return version === 1 ? Buffer.from("PROXY UNKNOWN\r\n", "latin1") : withChecksum([0x20, 0x00], [], []);
}

export function writeProxyHeader(version: 1 | 2, ends: ProxiedEnds, extras: ProxiedExtras = NOTHING_ELSE): Buffer {
  const addresses = alike(ipToBytes(ends.source), ipToBytes(ends.destination));
  if (version === 1) return v1(ends, addresses);
  const tlvs = tlvsOf(extras);
  if (addresses === null) return withChecksum([0x21, 0x00], [], tlvs);
  const { from, to } = addresses;
  return withChecksum(
    [0x21, from.length === 4 ? 0x11 : 0x21],
    [...from, ...to, ...uint16(ends.sourcePort), ...uint16(ends.destinationPort)],
    tlvs,
  );
}

interface Pair {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/** Both of one family: IPv4 wherever both can be told so, as a listener on `::` shows its IPv4 clients mapped. */
function alike(from: Uint8Array | null, to: Uint8Array | null): Pair | null {
  if (from === null || to === null) return null;
  const isV4 = (bytes: Uint8Array): boolean => bytes.length === 4 || isMapped(bytes);
  if (isV4(from) && isV4(to)) return { from: from.slice(-4), to: to.slice(-4) };
  const long = (bytes: Uint8Array): Uint8Array => (bytes.length === 4 ? mapped(bytes) : bytes);
  return { from: long(from), to: long(to) };
}

function v1({ sourcePort, destinationPort }: ProxiedEnds, addresses: Pair | null): Buffer {
  if (addresses === null) return localProxyHeader(1);
  const { from, to } = addresses;
  const family = from.length === 4 ? "TCP4" : "TCP6";
  const line = `PROXY ${family} ${bytesToIp(from)} ${bytesToIp(to)} ${sourcePort} ${destinationPort}\r\n`;
  return Buffer.from(line, "latin1");
}

function tlvsOf({ alpn, authority, tls }: ProxiedExtras): number[] {
  const tlvs: number[] = [];
  if (alpn !== "") tlvs.push(...tlv(TLV.ALPN, Buffer.from(alpn, "latin1")));
  if (authority !== "") tlvs.push(...tlv(TLV.AUTHORITY, Buffer.from(authority, "latin1")));
  if (tls !== null) {
    const { version, cipher, commonName } = tls;
    // `client`: over TLS, and with a certificate on this connection; `verify`: 0 is good, 1 is not (or none).
    const isVerified = commonName !== "";
    const value = [
      isVerified ? 1 | 2 : 1,
      0,
      0,
      0,
      isVerified ? 0 : 1,
      ...tlv(TLV.SSL_VERSION, Buffer.from(version, "latin1")),
      ...(isVerified ? tlv(TLV.SSL_CN, Buffer.from(commonName, "latin1")) : []),
      ...tlv(TLV.SSL_CIPHER, Buffer.from(cipher, "latin1")),
    ];
    tlvs.push(...tlv(TLV.SSL, value));
  }
  return tlvs;
}

function tlv(type: number, value: ArrayLike<number>): number[] {
  return [type, ...uint16(value.length), ...Array.from(value)];
}

function uint16(value: number): [number, number] {
  return [(value >> 8) & 255, value & 255];
}

function withChecksum(
  commandAndFamily: readonly number[],
  addresses: readonly number[],
  tlvs: readonly number[],
): Buffer {
  const body = [...addresses, ...tlvs, ...tlv(TLV.CRC32C, [0, 0, 0, 0])];
  const header = Buffer.from([...SIGNATURE, ...commandAndFamily, ...uint16(body.length), ...body]);
  header.writeUInt32BE(crc32c(header), V2_FIXED_BYTES + body.length - 4);
  return header;
}
