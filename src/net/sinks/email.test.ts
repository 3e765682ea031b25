import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { sampleMessage } from "../../../test/support/sample-message.ts";
import { startSmtpServer } from "../../../test/support/smtp-server.ts";
import type { SmtpOptions, SmtpServer, SmtpStep } from "../../../test/support/smtp-server.ts";
import { createTestAuthority } from "../../../test/support/test-authority.ts";
import type { EmailOptions, EmailPatience } from "./email.ts";
import { createEmailSink } from "./email.ts";

const authority = createTestAuthority();
afterAll(() => authority.close());
const GOOD = authority.issue();
const PASSWORD = "opən sesame";
const account = { user: "gate", password: PASSWORD, by: "PLAIN" } as const;
const text = (name: string) => ({ from: "text", name }) as const;

const servers: SmtpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serverOf(options: SmtpOptions = {}, answers: Partial<Record<SmtpStep, string>> = {}) {
  const server = await startSmtpServer(options);
  servers.push(server);
  for (const [step, answer] of Object.entries(answers)) server.answers.set(step as SmtpStep, answer);
  return server;
}

function sinkTo({ port }: { readonly port: number }, changes: Partial<EmailOptions> = {}, patience?: EmailPatience) {
  const options: EmailOptions = {
    name: "mail",
    host: "127.0.0.1",
    port,
    tls: false,
    from: "gate@example.com",
    to: ["ops@example.com", "boss@example.com"],
    user: "",
    password: null,
    ca: "",
    ...changes,
  };
  return createEmailSink(options, patience);
}

const SIGNED_IN = { user: "gate", password: text(PASSWORD), ca: authority.caFile };

describe("mail", () => {
  it("is one thread for an incident, wants no reply, and no field of it comes from the text", async () => {
    const server = await serverOf();
    const sink = sinkTo(server);
    const hostile = sampleMessage({ headline: "Pool ünwell\r\nBcc: victim@example.com" });
    expect(await sink.send(hostile)).toEqual({ ok: true, detail: "250 kept" });
    const end = sampleMessage({ key: "inc-1768478400-1/all/ops/recovered/1", what: "recovered" });
    expect(await sink.send(end)).toMatchObject({ ok: true });
    expect(server.mails.map(({ to }) => to)).toEqual([
      ["RCPT TO:<ops@example.com>", "RCPT TO:<boss@example.com>"],
      ["RCPT TO:<ops@example.com>", "RCPT TO:<boss@example.com>"],
    ]);
    const field = (data: string, name: string) => new RegExp(`^${name}: (.*)$`, "im").exec(data)?.[1];
    const [first = "", second = ""] = server.mails.map(({ data }) => data);
    expect(field(first, "Bcc")).toBeUndefined();
    expect(field(first, "Auto-Submitted")).toBe("auto-generated");
    expect(field(first, "References")).toBe(field(second, "References"));
    expect(field(first, "Message-ID")).not.toBe(field(second, "Message-ID"));
    expect(first).toContain("Both origins of pool aws refuse connections.");
  });

  for (const by of ["PLAIN", "LOGIN"] as const) {
    for (const from of ["begin", "STARTTLS"] as const) {
      it(`is sent by who signs in with ${by} over TLS from ${from} on, whose certificate an authority of one's own has signed`, async () => {
        const server = await serverOf({ tls: { ...GOOD, from }, account: { ...account, by } });
        const sink = sinkTo(server, { ...SIGNED_IN, tls: from === "begin" });
        expect(await sink.send(sampleMessage())).toEqual({ ok: true, detail: "250 kept" });
        expect(server.mails).toMatchObject([{ isEncrypted: true, by: `gate by ${by}` }]);
      });
    }
  }

  it("goes on by TLS where that is offered and nobody asked for it, and is not sent to who cannot prove to be the server", async () => {
    const server = await serverOf({ tls: { ...GOOD, from: "STARTTLS" } });
    expect(await sinkTo(server).send(sampleMessage())).toMatchObject({ ok: false, isWorthRepeating: true });
    expect(await sinkTo(server, { ca: authority.caFile }).send(sampleMessage())).toMatchObject({ ok: true });
    expect(server.mails).toMatchObject([{ isEncrypted: true }]);
  });

  it("never has its password said in the clear: who takes STARTTLS away gets neither it nor the message", async () => {
    const server = await serverOf({ account });
    const sent = await sinkTo(server, { user: "gate", password: text(PASSWORD) }).send(sampleMessage());
    expect(sent).toMatchObject({ ok: false, isWorthRepeating: true });
    // The name of the machine goes before; nothing else does.
    expect(server.heard.map((line) => line.split(" ")[0])).toEqual(["EHLO", "STARTTLS"]);
    expect(await sinkTo(server, { ca: authority.caFile }).send(sampleMessage())).toMatchObject({ ok: false });
    expect(server.mails).toEqual([]);
  });

  it("with a wrong password is worth another try, as a person puts that right; the password is not told", async () => {
    const server = await serverOf({ tls: { ...GOOD, from: "begin" }, account });
    const sent = await sinkTo(server, { ...SIGNED_IN, tls: true, password: text("hunter2") }).send(sampleMessage());
    expect(sent).toMatchObject({ ok: false, isWorthRepeating: true });
    if (!sent.ok) expect(sent.detail).toContain("535 5.7.8 wrong name or password");
    expect(JSON.stringify(sent)).not.toMatch(/hunter2|aHVudGVyMg/);
  });

  it("has its password read for each message, so that it can be changed", async () => {
    const server = await serverOf({ tls: { ...GOOD, from: "begin" }, account });
    const file = join(authority.folder, "password");
    const sink = sinkTo(server, { ...SIGNED_IN, tls: true, password: { from: "file", name: file } });
    expect(await sink.send(sampleMessage())).toMatchObject({
      ok: false,
      isWorthRepeating: true,
      detail: `the file ${file} cannot be read (ENOENT)`,
    });
    writeFileSync(file, `${PASSWORD}\n`);
    expect(await sink.send(sampleMessage())).toMatchObject({ ok: true });
    rmSync(file);
  });

  it.each([
    ["has expired", authority.issue({ days: [-20, -1] }), "expired"],
    ["is another name's", authority.issue({ names: ["mail.example.com"] }), "127.0.0.1"],
    ["is signed by itself", authority.issue({ selfSigned: true }), "self"],
  ])("is not sent to a server whose certificate %s, and that is said", async (_what, issued, words) => {
    for (const from of ["begin", "STARTTLS"] as const) {
      const server = await serverOf({ tls: { ...issued, from }, account });
      const sent = await sinkTo(server, { ...SIGNED_IN, tls: from === "begin" }).send(sampleMessage());
      expect(sent).toMatchObject({ ok: false, isWorthRepeating: true });
      if (!sent.ok) expect(sent.detail).toContain(words);
      expect(server.mails).toEqual([]);
    }
  });

  it("says which file of authorities is not there", async () => {
    const server = await serverOf();
    expect(await sinkTo(server, { ca: "/does/not/exist" }).send(sampleMessage())).toMatchObject({
      ok: false,
      isWorthRepeating: true,
      detail: "the file /does/not/exist cannot be read (ENOENT)",
    });
  });

  it.each<[SmtpStep, string, boolean]>([
    ["GREETING", "554 not you", true],
    ["MAIL", "451 later", true],
    ["MAIL", "550 never", false],
    ["RCPT", "450 its box is full", true],
    ["RCPT", "550 nobody of that name", false],
    ["DATA", "451 no room", true],
    ["BODY", "452 no room", true],
    ["BODY", "554 no such mail here", false],
  ])("that a server answers at %s with %s: worth another try is %s", async (step, answer, isWorthRepeating) => {
    const server = await serverOf({}, { [step]: answer });
    const sent = await sinkTo(server).send(sampleMessage());
    expect(sent).toMatchObject({ ok: false, isWorthRepeating });
    if (!sent.ok) expect(sent.detail).toContain(answer);
    expect(server.mails).toEqual([]);
  });

  it("that some of its addressees get is delivered, and says who does not", async () => {
    const server = await serverOf();
    const refuses = sinkTo(server, { to: ["ops@example.com", "nobody@example.com"] });
    const only = "nobody@example.com";
    server.refused.add(only);
    const sent = await refuses.send(sampleMessage());
    expect(sent).toMatchObject({ ok: true });
    expect(sent.detail).toContain(`250 kept; not to ${only}: `);
  });

  it.each<SmtpStep>(["GREETING", "EHLO", "AUTH", "MAIL", "BODY"])(
    "gives up on a server that hangs at %s, and the connection is gone",
    async (step) => {
      const server = await serverOf({ tls: { ...GOOD, from: "begin" }, account }, { [step]: "" });
      const patience = { connectMs: 400, silentMs: 400, sendMs: 60_000 };
      const sent = await sinkTo(server, { ...SIGNED_IN, tls: true }, patience).send(sampleMessage());
      expect(sent).toMatchObject({ ok: false, isWorthRepeating: true });
      await server.left();
      expect(server.mails).toEqual([]);
    },
  );

  it("gives up on a server that says something for ever, and the connection is gone", async () => {
    const server = await serverOf();
    server.chatters = true;
    const patience = { connectMs: 60_000, silentMs: 60_000, sendMs: 500 };
    expect(await sinkTo(server, {}, patience).send(sampleMessage())).toEqual({
      ok: false,
      isWorthRepeating: true,
      detail: "it was not done within 0.5 s",
      retryAfterMs: 0,
    });
    await server.left();
  });

  it("to a server that is not there is worth another try", async () => {
    const sent = await sinkTo({ port: 1 }).send(sampleMessage());
    expect(sent).toMatchObject({ ok: false, isWorthRepeating: true });
  });
});
