import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { isIP } from "node:net";
import { expect, test } from "vitest";
import { bytesToIp, ipToBytes } from "./ip-bytes.ts";

const v4Bytes = fc.uint8Array({ minLength: 4, maxLength: 4 });
/** Half of the groups are zero, so that `::` has something to do. */
const v6Bytes = fc
  .array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 })
  .map((groups) => Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255])));

test("what is written is read back as the same bytes", () => {
  fc.assert(
    fc.property(fc.oneof(v4Bytes, v6Bytes), (bytes) => {
      expect(ipToBytes(bytesToIp(bytes))).toEqual(bytes);
    }),
  );
});

test("what is written is what another library writes", () => {
  fc.assert(
    fc.property(v6Bytes, (bytes) => {
      const address = new ipaddr.IPv6([...bytes]);
      if (!address.isIPv4MappedAddress()) expect(bytesToIp(bytes)).toBe(address.toRFC5952String());
    }),
  );
});

test("what is no address to the system is none here, and the other way round", () => {
  const piece = fc.constantFrom(":", "::", ".", "0", "00", "1", "ffff", "fffff", "255", "256", "127.0.0.1", "g", "");
  const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, (written) => {
      expect(ipToBytes(written) !== null).toBe(isIP(written) !== 0);
    }),
    { numRuns: 2_000 },
  );
});

test("IPv4 in IPv6 is shown as IPv4", () => {
  expect(bytesToIp(ipToBytes("::ffff:c000:207") ?? new Uint8Array())).toBe("::ffff:192.0.2.7");
});

test("one group of zeros is written out, the first of two long runs is shortened", () => {
  const again = (text: string): string => bytesToIp(ipToBytes(text) ?? new Uint8Array());
  expect(again("2001:db8:0:1:1:1:1:1")).toBe("2001:db8:0:1:1:1:1:1");
  expect(again("2001:0:0:1:0:0:0:1")).toBe("2001:0:0:1::1");
  expect(again("2001:db8:0:0:1:0:0:1")).toBe("2001:db8::1:0:0:1");
  expect(again("0:0:0:0:0:0:0:0")).toBe("::");
});
