/**
 * One question for a name: both families at once, over the full names that it may stand for.
 *
 * One family that answers is enough to go on with. The other one is waited for only shortly (RFC 8305 §3 has
 * the same 50 ms), because name servers that are silent about AAAA exist and must not slow down a request; its
 * answer is told later, when it comes.
 */
import type { Schedule } from "../kernel/clock.ts";
import type { DnsClient, Family, FamilyAnswer } from "./dns-client.ts";

export interface NameAnswer {
  /** Null: not answered yet. */
  readonly v4: FamilyAnswer | null;
  readonly v6: FamilyAnswer | null;
  /** True: this is the last call for the question. */
  readonly complete: boolean;
}

const OTHER_FAMILY_MS = 50;

/** Calls back once, or twice when one family was late. The first name that exists answers for all. `once`: see `DnsClient.ask`. */
export function askName(
  client: DnsClient,
  schedule: Schedule,
  names: readonly string[],
  onAnswer: (answer: NameAnswer) => void,
  once = false,
): void {
  const [name = "", ...others] = names;
  let v4: FamilyAnswer | null = null;
  let v6: FamilyAnswer | null = null;
  let cancelWait: (() => void) | null = null;

  function hear(family: Family, answer: FamilyAnswer): void {
    if (family === 4) v4 = answer;
    else v6 = answer;
    if (v4 !== null && v6 !== null) {
      cancelWait?.();
      // Only a name that does not exist is a reason to try the next ending. After a failure nobody knows
      // whether it exists, and another name's addresses would be worse than none.
      if (others.length > 0 && v4.kind === "none" && v6.kind === "none")
        askName(client, schedule, others, onAnswer, once);
      else onAnswer({ v4, v6, complete: true });
    } else if (answer.kind === "addresses") {
      cancelWait = schedule(OTHER_FAMILY_MS, () => onAnswer({ v4, v6, complete: false }));
    }
  }

  client.ask(name, 4, (answer) => hear(4, answer), once);
  client.ask(name, 6, (answer) => hear(6, answer), once);
}

/** What a question without any address amounts to. */
export function failureOf(v4: FamilyAnswer, v6: FamilyAnswer): Exclude<FamilyAnswer, { kind: "addresses" }> | null {
  if (v4.kind === "addresses" || v6.kind === "addresses") return null;
  return SEVERITY.indexOf(v4.cause) <= SEVERITY.indexOf(v6.cause) ? v4 : v6;
}

/**
 * First what is certain about us, then what leaves the question open, then what was answered: one family that
 * could not be asked outweighs another that is empty, and a name with one empty family exists (name servers
 * that answer NXDOMAIN for AAAA alone are common).
 */
const SEVERITY: readonly string[] = [
  "gw.fd_exhausted",
  "dns.servfail",
  "dns.timeout",
  "dns.empty_or_prohibited",
  "dns.nxdomain",
];
