/**
 * What a gateway and the process that takes its place say to each other. The sockets go along with the start of the
 * successor; what only one of them can have at a time goes when its predecessor says so.
 */
export type ToSuccessor =
  /** The control process has ended: facts and incidents can be read and written by another. */
  | { readonly kind: "control is free" }
  /** The ledger of keys is closed: nothing that was promised is under way any more. */
  | { readonly kind: "keys are free" };

export type FromSuccessor =
  /** It accepts connections. */
  { readonly kind: "ready" };
