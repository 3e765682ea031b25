/**
 * The ledger as the gateway of this very process has it: by way of the desk that a successor asks too, so that a key
 * that comes to both of them is known to be under way.
 */
import type { LedgerDesk } from "../control/ledger-desk.ts";
import type { KeyMember } from "../control/ledger-desk.ts";
import type { KeyAnswer } from "../contract/succession.ts";
import type { Ledger } from "../kernel/ledger.ts";
import { RemoteLedger } from "../gateway/remote-ledger.ts";

export function deskLedger(desk: LedgerDesk): Ledger {
  // No answer comes from inside the call that it belongs to.
  const later = (message: KeyAnswer): void => queueMicrotask(() => ledger.hear(message));
  const member: KeyMember = {
    answerKey: (number, result, view) => later({ kind: "ledger", number, result, view }),
    keyOver: (id) => later({ kind: "key over", id }),
  };
  const ledger = new RemoteLedger((message) => {
    if (message.kind === "ledger") desk.perform(member, message.number, message.operation);
    else if (message.kind === "key over") desk.over(message.id, member);
  });
  return ledger;
}
