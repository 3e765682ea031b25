/** The event stream, kept open: it reconnects with growing patience, and goes on where it broke off. */
import { signal } from "@preact/signals";
import { access, heard, refused, request } from "./api.ts";
import { STREAM_SILENCE_MS } from "./freshness.ts";
import { createSseParser } from "./sse.ts";
import type { ServerEvent } from "./sse.ts";

export const STREAM_KINDS =
  "origin,pool,spill,fail-open,disagreement,resolution,gateway,incident,forecast,probe,pulse,control";

/** Browser's clock, ms; null: it is up. */
export const streamDownSince = signal<number | null>(Date.now());

const PATIENCE_MS = [500, 1_000, 2_000, 4_000, 8_000] as const;

/** `onOpen`: what was shown may be old. Runs until the page is closed. */
export async function followEvents(onOpen: () => void, onEvent: (event: ServerEvent) => void): Promise<never> {
  let lastId = "";
  let tries = 0;
  for (;;) {
    const parser = createSseParser();
    const silence = new AbortController();
    let timer = setTimeout(() => silence.abort(), STREAM_SILENCE_MS);
    try {
      const response = await request(`/events?kind=${STREAM_KINDS}`, silence.signal, undefined, {
        accept: "text/event-stream",
        ...(lastId === "" ? {} : { "last-event-id": lastId }),
      });
      if (response.status === 401) refused();
      if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
      tries = 0;
      streamDownSince.value = null;
      heard();
      onOpen();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), STREAM_SILENCE_MS);
        heard();
        for (const event of parser.push(value)) onEvent(event);
        if (parser.lastId !== "") lastId = parser.lastId;
      }
    } catch {
      // Whatever it was, the answer is to come back; what is shown says since when it is old.
    }
    clearTimeout(timer);
    streamDownSince.value ??= Date.now();
    const patience = PATIENCE_MS[Math.min(tries, PATIENCE_MS.length - 1)] ?? 8_000;
    tries += 1;
    await pause(patience * (0.75 + Math.random() / 2));
    while (access.value !== "granted") await pause(250);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
