/**
 * Messages that are nearly right: fragments of the grammar put together at random, then a few bytes changed.
 * Bytes at random would be refused at the first one and find nothing.
 */
import fc from "fast-check";

const START_LINES = [
  "GET / HTTP/1.1\r\n",
  "POST /a?b=c HTTP/1.1\r\n",
  "HEAD http://a:80/b HTTP/1.1\r\n",
  "OPTIONS * HTTP/1.0\r\n",
  "CONNECT a:443 HTTP/1.1\r\n",
  "PUT /%41 HTTP/1.0\r\n",
];
const STATUS_LINES = [
  "HTTP/1.1 200 OK\r\n",
  "HTTP/1.1 200\r\n",
  "HTTP/1.0 404 Not Found\r\n",
  "HTTP/1.1 204 No Content\r\n",
  "HTTP/1.1 304 x\r\n",
  "HTTP/1.1 100 Continue\r\n",
  "HTTP/1.1 101 Switching Protocols\r\n",
];
const FIELDS = [
  "Host: a\r\n",
  "Host: a:80\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 0\r\n",
  "Content-Length: 10\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Connection: close\r\n",
  "Connection: keep-alive, x-a\r\n",
  "Connection: upgrade\r\nUpgrade: websocket\r\n",
  "Expect: 100-continue\r\n",
  "X-A: b\r\n",
  "X-Long: lorem ipsum dolor sit amet consetetur\r\n",
  "Cookie: a=b; c=d\r\n",
  "TE: trailers\r\nTrailer: X-T\r\n",
  "X-Empty:\r\n",
];
const BODIES = [
  "",
  "hello",
  "helloworld",
  "5\r\nhello\r\n0\r\n\r\n",
  "5;a=b\r\nhello\r\n0\r\nX-T: v\r\n\r\n",
  "0\r\n\r\n",
  "a\r\n0123456789\r\n5\r\nhello\r\n00\r\n\r\n",
];
/** What changes the meaning when it is put, or taken away, anywhere. */
const SPLINTERS = [
  "\r",
  "\n",
  "\r\n",
  " ",
  "\t",
  ":",
  ",",
  ";",
  "\0",
  "0",
  "5",
  "-",
  "+",
  "x",
  "\x0b",
  "\x7f",
  "\x85",
  "\xff",
  '"',
  "\\",
  "chunked",
  "\r\n\r\n",
  "\r\n ",
];

type Edit = { readonly at: number; readonly cut: number; readonly put: string };

const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.nat(10_000),
  cut: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(3)),
  put: fc.oneof({ weight: 1, arbitrary: fc.constant("") }, { weight: 4, arbitrary: fc.constantFrom(...SPLINTERS) }),
});

function message(startLines: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.constantFrom(...startLines),
      fc.array(fc.constantFrom(...FIELDS), { maxLength: 5 }),
      fc.constantFrom(...BODIES),
    )
    .map(([start, fields, body]) => `${start}${fields.join("")}\r\n${body}`);
}

function nearly(startLines: readonly string[]): fc.Arbitrary<string> {
  return fc
    .tuple(fc.array(message(startLines), { minLength: 1, maxLength: 2 }), fc.array(edit, { maxLength: 3 }))
    .map(([messages, edits]) => edits.reduce(applied, messages.join("")));
}

function applied(text: string, { at, cut, put }: Edit): string {
  const place = at % (text.length + 1);
  return text.slice(0, place) + put + text.slice(place + cut);
}

export const nearlyRequests: fc.Arbitrary<string> = nearly(START_LINES);
export const nearlyResponses: fc.Arbitrary<string> = nearly(STATUS_LINES);

/** Requests of which most are valid: framing and Host fit together before anything is changed. */
export const mostlyValidRequests: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom(...START_LINES.filter((line) => !line.startsWith("CONNECT"))),
    fc.subarray(FIELDS.filter((line) => !/^(?:Host|Content-Length|Transfer|Expect)/.test(line))),
    fc.constantFrom("", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n"),
    fc.array(edit, { maxLength: 1 }),
  )
  .map(([start, fields, framing, edits]) => {
    const content = framing === "" ? "" : framing.startsWith("C") ? "hello" : "5\r\nhello\r\n0\r\n\r\n";
    return edits.reduce(applied, `${start}Host: a\r\n${fields.join("")}${framing}\r\n${content}`);
  });

/**
 * `npm test` does the same few thousand runs each time, so that a failure is somebody's change and not somebody's
 * luck. `FUZZ_RUNS=100` does a hundred times as many with another seed each time; `FUZZ_SEED` repeats one.
 */
export function fuzzSettings(runs: number): { numRuns: number; seed?: number } {
  const factor = Number(process.env["FUZZ_RUNS"] ?? 1);
  const seed = process.env["FUZZ_SEED"] ?? (factor === 1 ? "20261121" : undefined);
  return { numRuns: runs * factor, ...(seed === undefined ? {} : { seed: Number(seed) }) };
}
