/** A small SMTP server (RFC 5321) on a socket of this machine: keeps what it is sent, or refuses it as it is told. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly data: string;
}

export interface SmtpServer {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** What MAIL FROM is answered; empty: it is taken. */
  refuse: string;
  close(): Promise<void>;
}

export async function startSmtpServer(): Promise<SmtpServer> {
  const mails: ReceivedMail[] = [];
  const state = { refuse: "" };
  const server = createServer((socket) => {
    let buffer = "";
    let from = "";
    let to: string[] = [];
    let isData = false;
    const say = (line: string): void => void socket.write(`${line}\r\n`);
    say("220 test ESMTP");
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      buffer += chunk.toString("utf8");
      for (;;) {
        if (isData) {
          const end = buffer.indexOf("\r\n.\r\n");
          if (end < 0) return;
          mails.push({ from, to, data: buffer.slice(0, end) });
          buffer = buffer.slice(end + 5);
          isData = false;
          say("250 kept");
          continue;
        }
        const end = buffer.indexOf("\r\n");
        if (end < 0) return;
        const line = buffer.slice(0, end);
        buffer = buffer.slice(end + 2);
        const verb = line.slice(0, 4).toUpperCase();
        if (verb === "EHLO" || verb === "HELO") say("250 test");
        else if (verb === "MAIL" && state.refuse !== "") say(state.refuse);
        else if (verb === "MAIL") {
          from = line;
          to = [];
          say("250 go on");
        } else if (verb === "RCPT") {
          to.push(line);
          say("250 go on");
        } else if (verb === "DATA") {
          isData = true;
          say("354 end with a dot");
        } else if (verb === "QUIT") {
          say("221 bye");
          socket.end();
        } else say("500 what");
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    get refuse() {
      return state.refuse;
    },
    set refuse(answer: string) {
      state.refuse = answer;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
