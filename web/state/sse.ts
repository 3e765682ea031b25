/**
 * Server-sent events out of a stream of text, as the HTML standard parses them (§9.2.6). The browser's own reader cannot
 * send a token, so this one is fed by `fetch`. It keeps what is incomplete until the rest comes, wherever the cut was.
 */
export interface ServerEvent {
  readonly name: string;
  readonly data: string;
}

export interface SseParser {
  /** The events that this piece completes. */
  push(text: string): ServerEvent[];
  /** Of the last event that had one; empty: none yet. */
  readonly lastId: string;
}

export function createSseParser(): SseParser {
  let rest = "";
  let name = "";
  let data: string[] = [];
  let id = "";
  let lastId = "";

  function line(text: string, events: ServerEvent[]): void {
    if (text === "") {
      lastId = id;
      if (data.length > 0) events.push({ name: name === "" ? "message" : name, data: data.join("\n") });
      name = "";
      data = [];
      return;
    }
    if (text.startsWith(":")) return;
    const colon = text.indexOf(":");
    const field = colon === -1 ? text : text.slice(0, colon);
    const value = colon === -1 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (field === "event") name = value;
    else if (field === "data") data.push(value);
    else if (field === "id" && !value.includes("\0")) id = value;
  }

  return {
    push(text) {
      const events: ServerEvent[] = [];
      const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      for (const one of lines) line(one, events);
      return events;
    },
    get lastId() {
      return lastId;
    },
  };
}
