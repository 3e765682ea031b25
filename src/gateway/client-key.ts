/**
 * Whom a client is counted as: the network its address lies in, as a number that only this process can make. One
 * household has an IPv6 network of 2^64 addresses, so single addresses would tell nobody from anybody.
 */
import ipaddr from "ipaddr.js";
import type { HashKey } from "../kernel/keyed-hash.ts";
import { keyedHash } from "../kernel/keyed-hash.ts";

export interface ClientBits {
  readonly ipv4: number;
  readonly ipv6: number;
}

/** From 32 hex digits of chance. */
export function hashKeyFrom(hex: string): HashKey {
  return { k0: Number.parseInt(hex.slice(0, 8), 16) | 0, k1: Number.parseInt(hex.slice(8, 16), 16) | 0 };
}

/** The network as text: `192.0.2.7`, `2001:db8:0:1::/64`. Words that a proxy gives instead of an address stay as they are. */
export function networkOf(address: string, { ipv4, ipv6 }: ClientBits): string {
  const colon = address.includes(":");
  if (!colon && ipv4 === 32) return address;
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  const isV4 = parsed.kind() === "ipv4";
  const bits = isV4 ? ipv4 : ipv6;
  const all = isV4 ? 32 : 128;
  if (bits === all) return parsed.toString();
  const bytes = parsed.toByteArray().map((byte, index) => byte & maskOf(bits - index * 8));
  return `${ipaddr.fromByteArray(bytes).toString()}/${bits}`;
}

export function clientKey(address: string, bits: ClientBits, key: HashKey): number {
  return keyedHash(key, networkOf(address, bits));
}

/** Of a byte of which so many leading bits count. */
function maskOf(bits: number): number {
  return bits >= 8 ? 255 : bits <= 0 ? 0 : (255 << (8 - bits)) & 255;
}
