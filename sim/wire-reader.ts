/**
 * A small reader of HTTP/1.1 for simulated clients and origins. It shares no code with the gateway's codec, so a
 * mistake there cannot hide here, and it takes only what a careful sender sends: whatever else comes out of the
 * gateway is a finding.
 */
export interface WireHead {
  readonly startLine: string;
  /** Lower-case names. A name that comes twice is kept as a list, ", " between. */
  readonly fields: ReadonlyMap<string, string>;
}

export interface WireEvents {
  onHead(head: WireHead): void;
  onBody(bytes: Buffer, start: number, end: number): void;
  onEnd(): void;
  /** Nothing is read after that. */
  onBroken(why: string): void;
}

type State = "head" | "length" | "until end" | "chunk size" | "chunk" | "chunk end" | "trailers" | "broken";

const TEXT_MAX = 64 * 1024;
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*$/;

export class WireReader {
  readonly #kind: "request" | "response";
  readonly #events: WireEvents;
  #state: State = "head";
  #text = "";
  #left = 0;
  #expected = "";

  constructor(kind: "request" | "response", events: WireEvents) {
    this.#kind = kind;
    this.#events = events;
  }

  /** No part of a message has come. */
  get idle(): boolean {
    return this.#state === "head" && this.#text === "";
  }

  /** Method of the request whose response comes next. */
  expect(method: string): void {
    this.#expected = method;
  }

  push(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && this.#state !== "broken") at = this.#step(bytes, at, end);
  }

  /** The peer's FIN. True when nothing is missing. */
  end(): boolean {
    if (this.#state === "until end") {
      this.#finish();
      return true;
    }
    return this.idle;
  }

  #step(bytes: Buffer, at: number, end: number): number {
    switch (this.#state) {
      case "head": {
        const after = this.#line(bytes, at, end, "\r\n\r\n");
        if (after !== -1) this.#head();
        return after === -1 ? end : after;
      }
      case "length":
      case "chunk": {
        const stop = Math.min(end, at + this.#left);
        this.#left -= stop - at;
        this.#events.onBody(bytes, at, stop);
        if (this.#left === 0) {
          if (this.#state === "length") this.#finish();
          else this.#state = "chunk end";
        }
        return stop;
      }
      case "until end":
        this.#events.onBody(bytes, at, end);
        return end;
      case "chunk end":
      case "chunk size":
      case "trailers": {
        const after = this.#line(bytes, at, end, "\r\n");
        if (after !== -1) this.#framingLine(this.#takeText(2));
        return after === -1 ? end : after;
      }
      case "broken":
        return end;
    }
  }

  /** Collects text up to and with `mark`; -1 when it has not come yet. */
  #line(bytes: Buffer, at: number, end: number, mark: string): number {
    const before = this.#text.length;
    this.#text += bytes.latin1Slice(at, end);
    const found = this.#text.indexOf(mark, Math.max(0, before - mark.length + 1));
    if (found === -1) {
      if (this.#text.length > TEXT_MAX) this.#break("a line or head without end");
      return -1;
    }
    const length = found + mark.length;
    this.#text = this.#text.slice(0, length);
    return at + length - before;
  }

  #takeText(markLength: number): string {
    const text = this.#text.slice(0, -markLength);
    this.#text = "";
    return text;
  }

  #framingLine(line: string): void {
    if (this.#state === "chunk end") {
      if (line === "") this.#state = "chunk size";
      else this.#break("a chunk longer than its size");
    } else if (this.#state === "trailers") {
      if (line === "") this.#finish();
      else if (!FIELD_LINE.test(line)) this.#break(`not a trailer field: ${line}`);
    } else if (/^[0-9a-f]{1,8}$/i.test(line)) {
      this.#left = Number.parseInt(line, 16);
      this.#state = this.#left === 0 ? "trailers" : "chunk";
    } else this.#break(`not a chunk size: ${line.slice(0, 40)}`);
  }

  #head(): void {
    const [startLine = "", ...lines] = this.#takeText(4).split("\r\n");
    const fields = new Map<string, string>();
    for (const line of lines) {
      const match = FIELD_LINE.exec(line);
      if (match === null) {
        this.#break(`not a field line: ${line.slice(0, 80)}`);
        return;
      }
      const name = (match[1] ?? "").toLowerCase();
      const known = fields.get(name);
      fields.set(name, known === undefined ? (match[2] ?? "") : `${known}, ${match[2] ?? ""}`);
    }
    const isRight = this.#kind === "request" ? /^[A-Z]+ [!-~]+ HTTP\/1\.1$/ : /^HTTP\/1\.1 [1-5]\d\d [\t -~]*$/;
    if (!isRight.test(startLine)) {
      this.#break(`not a start line: ${startLine.slice(0, 80)}`);
      return;
    }
    this.#frame(startLine, fields);
  }

  #frame(startLine: string, fields: ReadonlyMap<string, string>): void {
    const length = fields.get("content-length");
    const coding = fields.get("transfer-encoding");
    if (length !== undefined && coding !== undefined) return this.#break("both Content-Length and Transfer-Encoding");
    if (coding !== undefined && coding !== "chunked") return this.#break(`Transfer-Encoding: ${coding}`);
    if (length !== undefined && !/^\d{1,12}$/.test(length)) return this.#break(`Content-Length: ${length}`);
    const status = this.#kind === "response" ? Number(startLine.slice(9, 12)) : 0;
    const isInterim = status >= 100 && status < 200;
    const isBodyless = isInterim || status === 204 || status === 304 || (status !== 0 && this.#expected === "HEAD");
    this.#left = isBodyless ? 0 : Number(length ?? 0);
    if (!isBodyless && coding !== undefined) this.#state = "chunk size";
    else if (!isBodyless && status !== 0 && length === undefined) this.#state = "until end";
    else this.#state = "length";
    this.#events.onHead({ startLine, fields });
    if (this.#state !== "length" || this.#left > 0) return;
    this.#state = "head";
    if (!isInterim) this.#events.onEnd();
  }

  #finish(): void {
    this.#state = "head";
    this.#events.onEnd();
  }

  #break(why: string): void {
    this.#state = "broken";
    this.#text = "";
    this.#events.onBroken(why);
  }
}
