/** With an authority in this process that says what a test wants; the real one is in test/e2e/acme.test.ts. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import { afterEach, expect, test } from "vitest";
import { AcmeAuthority } from "./acme-authority.ts";
import { renewalName } from "./acme-certificates.ts";
import { systemSchedule } from "./clock.ts";
import { issueCertificate, makeAuthority } from "./make-certificate.ts";

interface Said {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

/** `answer` gets the path and how often it was asked for; null: what a good authority says. */
async function authority(answer: (path: string, times: number) => Said | null): Promise<{
  readonly url: string;
  readonly asked: readonly string[];
}> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    asked.push(path);
    request.resume();
    const base = `http://${request.headers.host ?? ""}`;
    const directory = {
      newNonce: `${base}/nonce`,
      newAccount: `${base}/account`,
      newOrder: `${base}/order`,
      renewalInfo: `${base}/info`,
    };
    const usual: Readonly<Record<string, Said>> = {
      "/dir": { status: 200, body: directory },
      "/nonce": { status: 200 },
      "/account": { status: 201, body: {}, headers: { location: `${base}/account/1` } },
    };
    const times = asked.filter((one) => one === path).length;
    const { status, body, headers } = answer(path, times) ?? usual[path] ?? { status: 404 };
    response.writeHead(status, { "replay-nonce": `n${asked.length}`, ...headers });
    response.end(body === undefined ? "" : JSON.stringify(body));
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  return { url: `http://127.0.0.1:${typeof at === "object" && at !== null ? at.port : 0}/dir`, asked };
}

function client(url: string): AcmeAuthority {
  return new AcmeAuthority({
    directory: url,
    email: "",
    externalAccount: null,
    ca: "",
    account: () => null,
    keepAccount: () => Promise.resolve(),
    schedule: systemSchedule,
    wall: () => Date.now(),
    userAgent: "test",
  });
}

const ORDER = { name: "a.test", challenges: ["http-01"] as const, replaces: null, present: () => Promise.resolve() };

function problem(kind: string, status: number, headers: Readonly<Record<string, string>> = {}): Said {
  return { status, body: { type: `urn:ietf:params:acme:error:${kind}`, detail: "because" }, headers };
}

test("too much is the authority's word, with the time that it says", async () => {
  const { url } = await authority((path) =>
    path === "/order" ? problem("rateLimited", 429, { "retry-after": "7200" }) : null,
  );
  expect(await client(url).issue(ORDER)).toEqual({
    ok: false,
    fault: "authority",
    detail: "rateLimited: because",
    retryAfterMs: 7_200_000,
  });
});

test("a name that it does not serve is the name's fault", async () => {
  const { url } = await authority((path) => (path === "/order" ? problem("rejectedIdentifier", 400) : null));
  expect(await client(url).issue(ORDER)).toMatchObject({ fault: "name", detail: "rejectedIdentifier: because" });
});

test("a nonce that is refused is answered with a fresh one, a few times", async () => {
  const { url, asked } = await authority((path, times) =>
    path === "/order" ? (times < 3 ? problem("badNonce", 400) : problem("malformed", 400)) : null,
  );
  expect(await client(url).issue(ORDER)).toMatchObject({ detail: "malformed: because" });
  expect(asked.filter((path) => path === "/order").length).toBe(3);
  const always = await authority((path) => (path === "/order" ? problem("badNonce", 400) : null));
  expect(await client(always.url).issue(ORDER)).toMatchObject({ fault: "authority", detail: "badNonce: because" });
});

test("what is no ACME, and nobody at all, is the authority's fault", async () => {
  const { url } = await authority(() => ({ status: 200, body: "<html>" }));
  expect(await client(url).issue(ORDER)).toMatchObject({
    fault: "authority",
    detail: expect.stringContaining("no ACME"),
  });
  expect(await client("http://127.0.0.1:1/dir").issue(ORDER)).toMatchObject({
    fault: "authority",
    detail: "127.0.0.1:1: ECONNREFUSED",
  });
});

test("one that has forgotten the account gets to know the same key again", async () => {
  const { url, asked } = await authority((path, times) =>
    path !== "/order" ? null : times === 1 ? problem("accountDoesNotExist", 400) : problem("rejectedIdentifier", 400),
  );
  expect(await client(url).issue(ORDER)).toMatchObject({ fault: "name" });
  expect(asked.filter((path) => path === "/account").length).toBe(2);
});

test("its suggestion for a renewal is asked for by the certificate's own name", async () => {
  const validity = { notBefore: new Date(), notAfter: new Date(Date.now() + 86_400_000) };
  const issuer = await makeAuthority("CA", validity, null);
  const { cert } = await issueCertificate(issuer, { names: ["a.test"], subject: "CN=a", isClient: false }, validity);
  const window = { start: "2027-01-02T04:00:00Z", end: "2027-01-03T04:00:00Z" };
  const { url, asked } = await authority((path) =>
    path.startsWith("/info/")
      ? { status: 200, body: { suggestedWindow: window }, headers: { "retry-after": "60" } }
      : null,
  );
  expect(await client(url).renewalInfo(cert)).toEqual({
    start: Date.parse(window.start),
    end: Date.parse(window.end),
    againMs: 60_000,
  });
  expect(asked.at(-1)).toBe(`/info/${renewalName(cert)}`);
  expect(asked.at(-1)).toMatch(/^\/info\/[\w-]{27}\.[\w-]+$/);
});
