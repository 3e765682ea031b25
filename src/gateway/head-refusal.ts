/**
 * Admit: whether a request may go on, decided from its head alone, before it costs an origin anything. Limits of the
 * gateway first, then what a gateway does not do, then what must end here.
 */
import { FIELD } from "../http1/field-ids.ts";
import type { MessageHead } from "../http1/head.ts";
import type { CauseId } from "../kernel/causes.ts";
import type { Surplus } from "./listener-runtime.ts";

export interface Refusal {
  readonly cause: CauseId;
  readonly evidence: string;
  /** 0: the cause's own. */
  readonly status: number;
}

export interface Admission {
  /** The client's connection is one more than may be: of all, or of this client. */
  readonly surplus: Surplus;
  readonly connectionsMax: number;
  readonly connectionsPerClientMax: number;
  /** This gateway's name in Via. */
  readonly pseudonym: string;
}

/** Null: it goes on. */
export function refusalOf(
  head: MessageHead,
  { surplus, connectionsMax, connectionsPerClientMax, pseudonym }: Admission,
): Refusal | null {
  if (surplus === "client") {
    return {
      cause: "client.flood",
      evidence: `${connectionsPerClientMax} connections of this client are open (limits.connectionsPerClient)`,
      status: 0,
    };
  }
  if (surplus === "all") {
    return { cause: "gw.shed", evidence: `${connectionsMax} connections are open (limits.connections)`, status: 0 };
  }
  if (head.method === "CONNECT") {
    return bad("CONNECT asks for a tunnel; this is a gateway, not a forward proxy", 501);
  }
  if (head.targetForm === "authority") return bad("the target names a host and no path", 400);
  if (head.find(FIELD.VIA) !== -1 && hasPassed(head, pseudonym)) {
    return { cause: "gw.loop", evidence: "the request's Via names this very gateway", status: 0 };
  }
  if (head.find(FIELD.MAX_FORWARDS) !== -1 && endsHere(head)) {
    return bad("Max-Forwards is 0: the request ends here (RFC 9110 §7.6.2)", 501);
  }
  return null;
}

function bad(evidence: string, status: number): Refusal {
  return { cause: "client.bad_request", evidence, status };
}

function hasPassed(head: MessageHead, pseudonym: string): boolean {
  for (let i = head.find(FIELD.VIA); i !== -1; i = head.next(i)) if (head.value(i).includes(pseudonym)) return true;
  return false;
}

/** RFC 9110 §7.6.2: only OPTIONS and TRACE are counted. */
function endsHere(head: MessageHead): boolean {
  const counted = head.method === "OPTIONS" || head.method === "TRACE";
  return counted && (head.valueOf(FIELD.MAX_FORWARDS) ?? "").trim() === "0";
}
