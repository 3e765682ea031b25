import { describe, expect, it } from "vitest";
import { CAUSES } from "../kernel/causes.ts";
import { CONCLUSIONS } from "../kernel/conclusions.ts";
import { grpcAnswerOf, hintFor } from "./foreign/grpc.ts";
import { allCodes, equivalentsText, FOREIGN_CODES, translateCode } from "./foreign-codes.ts";
import type { ForeignSystem } from "./foreign-codes.ts";

function meanings(text: string): string[] {
  return translateCode(text).map(({ system, code }) => `${system} ${code}`);
}

function here(text: string, system: ForeignSystem): readonly string[] {
  return translateCode(text).find((each) => each.system === system)?.here ?? [];
}

describe("the lists of codes", () => {
  it("have every code that a cause or a conclusion names as its equivalent", () => {
    for (const { id, equivalents } of [...Object.values(CAUSES), ...Object.values(CONCLUSIONS)]) {
      for (const [system, codes] of Object.entries(equivalents)) {
        for (const code of codes) {
          const known = FOREIGN_CODES.some((each) => each.system === system && each.code === code);
          expect(known, `${id}: ${system} ${code}`).toBe(true);
        }
      }
    }
  });

  it("say each code once, and say what it means in words", () => {
    const spelled = FOREIGN_CODES.flatMap(({ system, code, also }) =>
      [code, ...also].map((each) => `${system} ${each}`),
    );
    expect(new Set(spelled).size).toBe(spelled.length);
    for (const { means, code } of FOREIGN_CODES) {
      expect(means, code).toMatch(/^\S.*[^.]$/);
      expect(means.toLowerCase()).not.toContain("upstream");
    }
  });

  it("have all flags of Envoy and all error types of Proxy-Status", () => {
    const count = (system: ForeignSystem): number => FOREIGN_CODES.filter((each) => each.system === system).length;
    expect(count("envoy")).toBe(28);
    expect(count("proxy-status")).toBe(32);
  });

  it("have for every error type that a cause answers with the way back to it", () => {
    for (const { id, proxyStatus } of Object.values(CAUSES)) {
      if (proxyStatus !== null) expect(here(proxyStatus, "proxy-status")).toContain(id);
    }
  });
});

describe("translating a code", () => {
  it("tells each system that knows it, and what it can be here", () => {
    expect(meanings("UC")).toEqual(["envoy UC"]);
    expect(here("UC", "envoy")).toContain("origin.keepalive_race");
    expect(here("UC", "envoy")).toContain("origin.reset_before_response");
    expect(meanings("499")).toEqual(["nginx 499", "cloudflare 499"]);
    expect(meanings("522")).toEqual(["cloudflare 522"]);
    expect(here("522", "cloudflare")).toContain("net.connect_timeout");
    expect(meanings("460")).toEqual(["alb 460"]);
    expect(meanings("502")).toEqual(["goodgate 502", "nginx 502", "cloudflare 502", "alb 502"]);
    expect(here("503", "goodgate")).toContain("gw.shed");
    expect(here("EMFILE", "node")).toEqual(["gw.fd_exhausted"]);
    expect(here("URX", "envoy")).toEqual(["sys.retry_storm"]);
  });

  it("reads HAProxy's states with and without the letters of the cookie, and minds their case", () => {
    expect(meanings("sH--")).toEqual(["haproxy sH"]);
    expect(meanings("sH")).toEqual(["haproxy sH"]);
    expect(meanings("SHNI")).toEqual(["haproxy SH"]);
    expect(here("sH--", "haproxy")).toContain("origin.ttfb_timeout");
    expect(here("SH--", "haproxy")).not.toContain("origin.ttfb_timeout");
    expect(translateCode("DH--")[0]).toMatchObject({
      system: "haproxy",
      means: "killed because its server went down, while the server's headers were awaited",
      here: ["origin.down"],
    });
    // Envoy has a flag that HAProxy could write, too, but does not document.
    expect(meanings("DC")).toEqual(["envoy DC"]);
  });

  it("takes a list of flags, long names, and another case where that leaves no doubt", () => {
    expect(meanings("UF,URX")).toEqual(["envoy UF", "envoy URX"]);
    expect(meanings("UpstreamConnectionTermination")).toEqual(["envoy UC"]);
    expect(meanings("upstream_reset_before_response_started{connection_termination}")).toEqual(["envoy UC"]);
    expect(meanings("econnrefused")).toEqual(["node ECONNREFUSED"]);
    expect(meanings("1007")).toEqual(["cloudflare 1006"]);
  });

  it("finds a message by a part of it", () => {
    expect(meanings("upstream prematurely closed")).toEqual([
      "nginx upstream prematurely closed connection while reading response header from upstream",
      "nginx upstream prematurely closed connection while reading upstream",
    ]);
    expect(meanings("no live upstreams")).toEqual(["nginx no live upstreams"]);
  });

  it("finds the message in a whole line of nginx's log, with the place where it happened", () => {
    const line = (text: string): string =>
      `2026/11/21 10:00:00 [error] 7#7: *3 ${text}, client: 10.0.0.9, server: shop, request: "GET / HTTP/1.1", upstream: "http://10.0.0.1:80/", host: "shop"`;
    expect(meanings(line("upstream timed out (110: Connection timed out) while connecting to upstream"))).toEqual([
      "nginx upstream timed out (110: Connection timed out) while connecting to upstream",
    ]);
    expect(meanings(line("connect() failed (111: Connection refused) while connecting to upstream"))).toEqual([
      "nginx connect() failed (111: Connection refused)",
    ]);
    expect(meanings(line("recv() failed (104: Connection reset by peer) while reading upstream"))).toEqual([
      "nginx recv() failed (104: Connection reset by peer) while reading upstream",
    ]);
    expect(
      meanings(
        line("connect() to 10.0.0.1:80 failed (99: Cannot assign requested address) while connecting to upstream"),
      ),
    ).toEqual(["nginx (99: Cannot assign requested address)"]);
  });

  it("takes the outcome of a call of gRPC by name, by number, and as libraries write it", () => {
    for (const text of [
      "UNAVAILABLE",
      "unavailable",
      "14",
      "grpc-14",
      "grpc-status: 14",
      '"grpc_status":"14"',
      "rpc error: code = Unavailable desc = connection error",
      "<_InactiveRpcError: StatusCode.UNAVAILABLE, failed to connect>",
      "io.grpc.StatusRuntimeException: UNAVAILABLE: io exception",
      "Error: 14 UNAVAILABLE: No connection established",
    ])
      expect(meanings(text), text).toEqual(["grpc UNAVAILABLE"]);
    expect(meanings("code = Canceled")).toEqual(["grpc CANCELLED"]);
    expect(meanings("DeadlineExceeded")).toEqual(["grpc DEADLINE_EXCEEDED"]);
    for (const text of ["17", "grpc-17", "grpc-timeout: 5S", "code = Nonsense"])
      expect(meanings(text), text).toEqual([]);
    // A word of gRPC in a sentence of somebody else is that word.
    expect(meanings("no live upstreams, service unavailable")).toEqual(["nginx no live upstreams"]);
  });

  it("tells for an outcome of gRPC what the origin did, what this gateway answers so, and what is no failure", () => {
    expect(here("UNAVAILABLE", "grpc")[0]).toBe("origin.grpc_error");
    expect(here("UNAVAILABLE", "grpc")).toContain("origin.refused");
    expect(here("DEADLINE_EXCEEDED", "grpc")).toEqual(["origin.grpc_error", "gw.deadline", "origin.deadline"]);
    expect(here("RESOURCE_EXHAUSTED", "grpc")).toContain("client.rate_limited");
    expect(here("CANCELLED", "grpc")).toContain("client.abort_wait");
    expect(here("NOT_FOUND", "grpc")).toEqual([]);
    expect(translateCode("NOT_FOUND")[0]?.means).toContain("from an origin it is an answer");
    // Each that this gateway answers with leads back to it.
    for (const { id, status } of Object.values(CAUSES)) {
      if (status !== 0) expect(here(`grpc-${grpcAnswerOf(id, status)}`, "grpc")).toContain(id);
    }
  });

  it("says that a number alone may be another one", () => {
    expect(hintFor("14")).toContain("grpc-14 is this one without doubt");
    expect([hintFor("grpc-14"), hintFor("UNAVAILABLE"), hintFor("99"), hintFor("502")]).toEqual(["", "", "", ""]);
  });

  it("knows nothing of what nobody wrote", () => {
    for (const text of ["", " ", "QQ", "999", "no such thing at all", "constructor"])
      expect(meanings(text)).toEqual([]);
    expect(allCodes().length).toBeGreaterThan(400);
  });
});

it("a cause in others' words names only those who have some", () => {
  expect(equivalentsText(CAUSES["origin.refused"].equivalents)).toBe(
    "Envoy UF · HAProxy SC, EREFUSED · nginx connect() failed (111: Connection refused) · Cloudflare 521 · AWS ALB 502 · Google Cloud failed_to_connect_to_backend",
  );
  expect(equivalentsText(CAUSES["gw.loop_stall"].equivalents)).toBe("");
});
