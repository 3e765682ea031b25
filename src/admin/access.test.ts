import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { challenge, checkAccess } from "./access.ts";

const TOKEN = "correct horse:battery";
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString("base64")}`;

describe("access", () => {
  it("is granted to the token as Bearer, in whatever case the scheme is written", () => {
    expect(checkAccess("s3cret", "Bearer s3cret")).toBe("granted");
    expect(checkAccess("s3cret", "bearer  s3cret")).toBe("granted");
  });

  it("is granted to the token as a Basic password with any name, colons included", () => {
    expect(checkAccess(TOKEN, basic(`anybody:${TOKEN}`))).toBe("granted");
    expect(checkAccess(TOKEN, basic(`:${TOKEN}`))).toBe("granted");
  });

  it("tells a missing token from a wrong one", () => {
    expect(checkAccess(TOKEN, undefined)).toBe("no token");
    expect(checkAccess(TOKEN, "")).toBe("no token");
    expect(checkAccess("s3cret", "Bearer s3cre")).toBe("wrong token");
    expect(checkAccess("s3cret", "s3cret")).toBe("wrong token");
    expect(checkAccess("s3cret", "Digest s3cret")).toBe("wrong token");
    expect(checkAccess("s3cret", basic("s3cret"))).toBe("wrong token");
  });

  it("is granted to nothing but the token", () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect(checkAccess("s3cret", header)).not.toBe("granted");
      }),
    );
    fc.assert(
      fc.property(fc.string(), (offered) => {
        fc.pre(offered !== "s3cret");
        expect(checkAccess("s3cret", `Bearer ${offered}`)).not.toBe("granted");
        expect(checkAccess("s3cret", basic(`name:${offered}`))).not.toBe("granted");
      }),
    );
  });

  it("challenges with both schemes and says when the token was wrong", () => {
    expect(challenge("no token")).toBe('Basic realm="goodgate", charset="UTF-8", Bearer realm="goodgate"');
    expect(challenge("wrong token")).toContain('error="invalid_token"');
  });
});
