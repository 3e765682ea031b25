/**
 * Gentle traffic on a gateway in front of samples, so that its pages have something to show and an outage somebody to
 * hurt: a handful of requests a second, evenly spread, mostly reads. It is a client like any other.
 */
import http from "node:http";

export const SAMPLE_PER_SECOND = 12;
/** Those that wait longer than the gateway waits for an origin have been forgotten. */
const PATIENCE_MS = 20_000;
const UNDER_WAY_MAX = 128;
const POST_EVERY = 6;

export interface SampleTraffic {
  close(): void;
}

/** `url`: the gateway's listener. */
export function startSampleTraffic(url: string): SampleTraffic {
  const agent = new http.Agent({ keepAlive: true, maxSockets: UNDER_WAY_MAX });
  let sent = 0;
  let underWay = 0;
  const timer = setInterval(() => {
    if (underWay >= UNDER_WAY_MAX) return;
    sent += 1;
    underWay += 1;
    const isPost = sent % POST_EVERY === 0;
    const request = http.request(`${url}${isPost ? "/echo" : `/?sample=${sent}`}`, {
      agent,
      method: isPost ? "POST" : "GET",
      timeout: PATIENCE_MS,
      headers: { "user-agent": "goodgate-sample-traffic", accept: "application/json" },
    });
    request.on("response", (response) => response.resume());
    request.on("timeout", () => request.destroy());
    request.on("error", () => undefined);
    request.on("close", () => {
      underWay -= 1;
    });
    request.end(isPost ? "a sample" : undefined);
  }, 1000 / SAMPLE_PER_SECOND);
  timer.unref();
  return {
    close() {
      clearInterval(timer);
      agent.destroy();
    },
  };
}
