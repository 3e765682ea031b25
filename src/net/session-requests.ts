/**
 * How many requests an origin takes on one HTTP/2 connection before it leaves it: nginx's `keepalive_requests` and its
 * kin. Whoever asks for more than that on a connection is refused by GOAWAY and has to ask again, and behind a low number
 * again and again. No setting of HTTP/2 says it, so it is learned: two connections in a row that the origin left behind
 * the same number of requests. A stop or a deploy ends them behind any number, and hardly two behind the same.
 *
 * What was learned and does not hold is forgotten as soon as a connection outlives it.
 */
export class SessionRequests {
  #max = Infinity;
  #last = 0;

  /** Infinity: not known, or any number. */
  get max(): number {
    return this.#max;
  }

  /** The origin left a connection in order, behind so many requests. */
  left(requests: number): void {
    if (requests > 0 && requests === this.#last) this.#max = requests;
    this.#last = requests;
  }

  /** It has answered as many as it takes, and the connection is still there. */
  stayed(): void {
    this.#max = Infinity;
    this.#last = 0;
  }
}
