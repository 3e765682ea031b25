import fc from "fast-check";
import { expect, test } from "vitest";
import { lookUpLocally, parseHosts } from "./hosts-file.ts";

const FILE = `
# a comment
127.0.0.1\tlocalhost
::1  localhost ip6-localhost   # the other family
10.0.0.5 DB.Internal db
2001:db8::5 db
10.0.0.5 db
not-an-address nothing
10.0.0.6
`;

test("every name of a line has the address, in any case and over several lines, once", () => {
  const table = parseHosts(FILE);
  expect(table.get("db.internal")).toEqual([{ ip: "10.0.0.5", family: 4 }]);
  expect(table.get("db")).toEqual([
    { ip: "10.0.0.5", family: 4 },
    { ip: "2001:db8::5", family: 6 },
  ]);
  expect(table.get("nothing")).toBe(undefined);
  expect(table.get("a")).toBe(undefined);
});

test("localhost and everything under it is loopback, whatever the file says (RFC 6761 §6.3)", () => {
  const both = parseHosts(FILE);
  expect(lookUpLocally(both, "localhost")).toHaveLength(2);
  expect(lookUpLocally(both, "shop.localhost")).toHaveLength(2);
  const hostile = parseHosts("203.0.113.66 localhost shop.localhost\n127.0.0.1 localhost\n");
  expect(lookUpLocally(hostile, "localhost")).toEqual([{ ip: "127.0.0.1", family: 4 }]);
  expect(lookUpLocally(hostile, "shop.localhost")?.map((address) => address.ip)).toEqual(["::1", "127.0.0.1"]);
  expect(lookUpLocally(parseHosts(""), "localhost")?.map((address) => address.ip)).toEqual(["::1", "127.0.0.1"]);
});

test("a name that the file does not have is not the machine's to answer", () => {
  expect(lookUpLocally(parseHosts(FILE), "example.com")).toBe(null);
  expect(lookUpLocally(parseHosts(FILE), "notlocalhost")).toBe(null);
});

test("no text makes it throw, and the names kept are bounded", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseHosts(text);
    }),
  );
  const long = Array.from({ length: 30_000 }, (_, index) => `10.0.0.1 name${index}`).join("\n");
  expect(parseHosts(long).size).toBe(20_000);
});
