/**
 * A small SMTP server (RFC 5321) on a socket of this machine, with TLS from the first byte (RFC 8314) or by STARTTLS
 * (RFC 3207) and with sign-in (RFC 4954: PLAIN and LOGIN): keeps what it is sent, or answers as it is told.
 */
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly data: string;
  readonly isEncrypted: boolean;
  /** Who had signed in, and how; empty: nobody. */
  readonly by: string;
}

/** Where in the conversation it answers otherwise. `BODY`: after the dot that ends the message. */
export type SmtpStep = "GREETING" | "EHLO" | "STARTTLS" | "AUTH" | "MAIL" | "RCPT" | "DATA" | "BODY";

export interface SmtpOptions {
  readonly tls?: { readonly cert: string; readonly key: string; readonly from: "begin" | "STARTTLS" };
  readonly account?: { readonly user: string; readonly password: string; readonly by: "PLAIN" | "LOGIN" };
}

export interface SmtpServer {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** Lines of clients, as they came; those of a sign-in too. */
  readonly heard: readonly string[];
  /** What is answered instead at a step; empty: nothing at all. */
  readonly answers: Map<SmtpStep, string>;
  /** Addresses that it does not know. */
  readonly refused: Set<string>;
  /** It answers EHLO with a line and a line and never with the last. */
  chatters: boolean;
  /** Once nobody is connected. */
  left(): Promise<void>;
  close(): Promise<void>;
}

export async function startSmtpServer(options: SmtpOptions = {}): Promise<SmtpServer> {
  const mails: ReceivedMail[] = [];
  const heard: string[] = [];
  const answers = new Map<SmtpStep, string>();
  const refused = new Set<string>();
  const open = new Set<Socket>();
  let onLeft = (): void => undefined;
  const kept: Kept = { mails, heard, answers, refused, chatters: false };
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => {
      open.delete(socket);
      if (open.size === 0) onLeft();
    });
    socket.on("error", () => undefined);
    const talk = new Conversation(options, kept);
    talk.begin(options.tls?.from === "begin" ? encrypted(socket, options.tls) : socket, options.tls?.from === "begin");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    heard,
    answers,
    refused,
    get chatters() {
      return kept.chatters;
    },
    set chatters(is: boolean) {
      kept.chatters = is;
    },
    left: () =>
      new Promise((resolve) => {
        onLeft = resolve;
        if (open.size === 0) resolve();
      }),
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function encrypted(socket: Socket, { cert, key }: { readonly cert: string; readonly key: string }): TLSSocket {
  const secure = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ cert, key }) });
  // A client that does not believe the certificate goes away.
  secure.on("error", () => undefined);
  return secure;
}

interface Kept {
  readonly mails: ReceivedMail[];
  readonly heard: string[];
  readonly answers: ReadonlyMap<SmtpStep, string>;
  readonly refused: ReadonlySet<string>;
  chatters: boolean;
}

class Conversation {
  readonly #options: SmtpOptions;
  readonly #kept: Kept;
  #socket: Socket | null = null;
  #buffer = "";
  #isEncrypted = false;
  #by = "";
  #from = "";
  #to: string[] = [];
  /** What the next line is, when it is no command. */
  #next: "" | "DATA" | "PLAIN" | "USER" | "PASSWORD" = "";
  #user = "";

  constructor(options: SmtpOptions, kept: Kept) {
    this.#options = options;
    this.#kept = kept;
  }

  begin(socket: Socket, isEncrypted: boolean): void {
    this.#hear(socket, isEncrypted);
    this.#say("GREETING", "220 test ESMTP");
  }

  #hear(socket: Socket, isEncrypted: boolean): void {
    this.#socket = socket;
    this.#isEncrypted = isEncrypted;
    this.#buffer = "";
    socket.on("data", (chunk: Buffer) => {
      this.#buffer += chunk.toString("utf8");
      this.#read();
    });
  }

  #say(step: SmtpStep | null, usual: string): boolean {
    const other = step === null ? undefined : this.#kept.answers.get(step);
    const answer = other ?? usual;
    if (answer !== "") this.#socket?.write(`${answer}\r\n`);
    return other === undefined;
  }

  #read(): void {
    for (;;) {
      const mark = this.#next === "DATA" ? "\r\n.\r\n" : "\r\n";
      const end = this.#buffer.indexOf(mark);
      if (end < 0) return;
      const text = this.#buffer.slice(0, end);
      this.#buffer = this.#buffer.slice(end + mark.length);
      if (this.#next === "DATA") this.#body(text);
      else {
        this.#kept.heard.push(text);
        if (this.#next === "") this.#command(text);
        else this.#signIn(text);
      }
    }
  }

  #body(data: string): void {
    this.#next = "";
    const mail = { from: this.#from, to: this.#to, data, isEncrypted: this.#isEncrypted, by: this.#by };
    if (this.#say("BODY", "250 kept")) this.#kept.mails.push(mail);
  }

  #command(line: string): void {
    const [verb = "", word = "", more = ""] = line.toUpperCase().split(" ", 3);
    if (verb === "EHLO" && this.#kept.chatters) this.#chatter();
    else if (verb === "EHLO" || verb === "HELO") this.#say("EHLO", this.#abilities());
    else if (verb === "STARTTLS") this.#startTls();
    else if (verb === "AUTH") this.#beginSignIn(word, more === "" ? "" : (line.split(" ")[2] ?? ""));
    else if (verb === "MAIL") {
      this.#from = line;
      this.#to = [];
      const isKnown = this.#options.account === undefined || this.#by !== "";
      this.#say("MAIL", isKnown ? "250 go on" : "530 5.7.0 sign in first");
    } else if (verb === "RCPT") {
      const isKnown = ![...this.#kept.refused].some((address) => line.includes(`<${address}>`));
      if (!isKnown) this.#say(null, "550 5.1.1 nobody of that name");
      else if (this.#say("RCPT", "250 go on")) this.#to.push(line);
    } else if (verb === "DATA") {
      if (this.#say("DATA", "354 end with a dot")) this.#next = "DATA";
    } else if (verb === "QUIT") {
      this.#say(null, "221 bye");
      this.#socket?.end();
    } else this.#say(null, "500 what");
  }

  #chatter(): void {
    const timer = setInterval(() => this.#socket?.write("250-and\r\n"), 20);
    this.#socket?.once("close", () => clearInterval(timer));
  }

  #abilities(): string {
    const { tls, account } = this.#options;
    const lines = ["test"];
    if (tls?.from === "STARTTLS" && !this.#isEncrypted) lines.push("STARTTLS");
    if (account !== undefined) lines.push(`AUTH ${account.by}`);
    return lines.map((line, at) => `250${at === lines.length - 1 ? " " : "-"}${line}`).join("\r\n");
  }

  #startTls(): void {
    const { tls } = this.#options;
    const socket = this.#socket;
    if (tls === undefined || socket === null) return void this.#say("STARTTLS", "500 what");
    if (!this.#say("STARTTLS", "220 go on")) return;
    socket.removeAllListeners("data");
    this.#hear(encrypted(socket, tls), true);
  }

  #beginSignIn(by: string, initial: string): void {
    if (by !== this.#options.account?.by) return void this.#say("AUTH", "504 5.5.4 not that way");
    this.#next = by === "PLAIN" ? "PLAIN" : "USER";
    if (initial !== "") this.#signIn(initial);
    else this.#say(null, by === "PLAIN" ? "334 " : "334 VXNlcm5hbWU6");
  }

  #signIn(line: string): void {
    const text = Buffer.from(line, "base64").toString("utf8");
    if (this.#next === "USER") {
      this.#user = text;
      this.#next = "PASSWORD";
      this.#say(null, "334 UGFzc3dvcmQ6");
      return;
    }
    const [, user = "", password = ""] = this.#next === "PLAIN" ? text.split("\0") : ["", this.#user, text];
    this.#next = "";
    const { account } = this.#options;
    const isRight = user === account?.user && password === account.password;
    if (!isRight) this.#say("AUTH", "535 5.7.8 wrong name or password");
    else if (this.#say("AUTH", "235 2.7.0 welcome")) this.#by = `${user} by ${account.by}`;
  }
}
