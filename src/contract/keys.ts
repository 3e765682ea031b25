/**
 * What people see of Idempotency-Keys, and the one thing that they can do: say what became of a request of which the
 * gateway only knows that it was sent.
 */
export interface KeyView {
  /** Hex; of several uses of one key (other clients, other paths) each has its own. */
  id: string;
  /** As the client wrote it. */
  key: string;
  service: string;
  route: string;
  method: string;
  target: string;
  /** Of the exchange that was sent; `goodgate explain` knows it for a while. */
  requestId: string;
  /** Epoch ms. */
  startedAt: number;
  /** Epoch ms; then the key is forgotten. */
  expiresAt: number;
  state: "started" | "answered" | "uncertain";
  /** Of the answer; 0: none is known. */
  status: number;
  /** The answer is stored and given to whoever repeats the request. */
  kept: boolean;
  /** Why it is uncertain, or why its answer is not kept; otherwise empty. */
  because: string;
}

/** `GET /keys`, newest first. */
export interface KeysResponse {
  keys: KeyView[];
}

export type KeySettled =
  | { readonly kind: "settled"; readonly key: KeyView }
  | { readonly kind: "unknown" }
  | { readonly kind: "not uncertain"; readonly detail: string }
  | { readonly kind: "failed"; readonly detail: string };

export interface KeyDesk {
  /** Text: why they cannot be read. */
  find(filter: {
    readonly key?: string;
    readonly uncertain: boolean;
    readonly limit: number;
  }): Promise<KeyView[] | string>;
  /** A person knows whether the request was carried out. */
  settle(id: string, executed: boolean): Promise<KeySettled>;
}
