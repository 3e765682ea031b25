import fc from "fast-check";
import { expect, test } from "vitest";
import { fullNames, parseResolvConf } from "./resolv-conf.ts";

test("servers, endings and dots are read as resolv.conf(5) has them", () => {
  const text = `
; written by a program
nameserver 10.96.0.10   # cluster
nameserver fe80::1%eth0
nameserver not-an-address
nameserver 192.0.2.1
nameserver 192.0.2.2
domain old.example
search default.svc.cluster.local. svc.cluster.local CLUSTER.local
options timeout:1 ndots:5 rotate
`;
  expect(parseResolvConf(text)).toEqual({
    servers: ["10.96.0.10", "fe80::1%eth0", "192.0.2.1"],
    search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"],
    ndots: 5,
  });
});

test("without a file the name server on this machine is meant", () => {
  expect(parseResolvConf("")).toEqual({ servers: ["127.0.0.1"], search: [], ndots: 1 });
});

test("a name with few dots is tried with the endings first, one with enough dots as it is", () => {
  const conf = { search: ["shop.svc", "svc"], ndots: 2 };
  expect(fullNames("api", conf)).toEqual(["api.shop.svc", "api.svc", "api"]);
  expect(fullNames("api.shop", conf)).toEqual(["api.shop.shop.svc", "api.shop.svc", "api.shop"]);
  expect(fullNames("a.example.com", conf)).toEqual(["a.example.com", "a.example.com.shop.svc", "a.example.com.svc"]);
});

test("a dot at the end says that the name is complete", () => {
  expect(fullNames("api.", { search: ["svc"], ndots: 5 })).toEqual(["api"]);
});

test("no text makes it throw, and there is always a server to ask", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const conf = parseResolvConf(text);
      expect(conf.servers.length).toBeGreaterThan(0);
      expect(conf.search.length).toBeLessThanOrEqual(6);
      expect(fullNames("a", conf)).toContain("a");
    }),
  );
});
