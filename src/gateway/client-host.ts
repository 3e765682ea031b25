/**
 * Whom a request is for, in the forms in which the steps of an exchange ask: the field as sent, the name by which
 * routes are found, the key of the cache. Made once for as long as a connection's client says the same, which is
 * nearly always as long as the connection lasts.
 */
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import { keyHost } from "./cache/request-key.ts";
import { bounded, hostWithoutPort } from "./request-target.ts";

export interface ClientHost {
  /** Host, or the authority of the target. */
  readonly field: string;
  /** Of no more than is worth keeping. */
  readonly kept: string;
  /** In lower case and without a port. */
  readonly name: string;
  /** Empty: it can be no key. */
  readonly key: string;
}

/** More than this of a host is nobody's name and would only fill the memory of the records. */
const HOST_KEPT = 256;

export function clientHost(field: string): ClientHost {
  const kept = bounded(field, HOST_KEPT);
  return { field, kept, name: hostWithoutPort(field), key: keyHost(kept) };
}

export const NO_HOST: ClientHost = clientHost("");

/** Of a request: `known` is what the last one on its connection was for, and the result where it is the same. */
export function hostOf(head: MessageHead, known: ClientHost): ClientHost {
  if (head.targetForm === "absolute") {
    return clientHost(head.bytes.latin1Slice(head.authorityStart, head.authorityEnd));
  }
  const index = head.find(FIELD.HOST);
  if (index === -1) return NO_HOST;
  return head.valueIs(index, known.field) ? known : clientHost(head.value(index));
}
