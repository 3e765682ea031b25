/** What is said of a client that keeps up less than its listener asks for: what it did, within what, and which setting that is. */
import type { ListenerSettings } from "../config/settings.ts";

export function slowHead({ headMs }: ListenerSettings): string {
  return `the request head was not complete after ${headMs} ms`;
}

export function slowBody(sentBytes: number, { bodyGapMs, sentBytesMin }: ListenerSettings): string {
  return `${byteText(sentBytes)} of the request body in ${bodyGapMs} ms; at least ${sentBytesMin} are asked for (minRate.request)`;
}

export function slowReader(takenBytes: number, { bodyGapMs, takenBytesMin }: ListenerSettings): string {
  return `the client took ${byteText(takenBytes)} in ${bodyGapMs} ms; at least ${takenBytesMin} are asked for (minRate.response)`;
}

function byteText(count: number): string {
  return count === 0 ? "no byte" : count === 1 ? "1 byte" : `${count} bytes`;
}
