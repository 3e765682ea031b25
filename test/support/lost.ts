/**
 * What was lost to that which happened to origins. A machine that has much else to do may have no room for all that a
 * test asks of it, and then some of it is turned away, or not repeated, for that reason: how many is judged in the
 * simulator, where time is a number. Here it is told apart.
 */
import type { ExchangesResponse } from "../../src/contract/api-responses.ts";
import type { ExchangeRecord } from "../../src/contract/record.ts";
import type { GatewayProcess } from "./gateway-process.ts";

export interface Losses {
  /** Without those that there was no room for. */
  readonly lost: readonly Pick<ExchangeRecord, "cause" | "evidence" | "decisions">[];
  /** All that failed. */
  readonly failed: number;
}

/** Of a gateway that had no more than a thousand failures since its start. */
export async function lossesOf(gateway: GatewayProcess): Promise<Losses> {
  const { exchanges } = await gateway.api<ExchangesResponse>("/exchanges?outcome=failed&limit=1000");
  const lost = exchanges
    .filter((record) => !hadNoRoom(record))
    .map(({ cause, evidence, decisions }) => ({ cause, evidence, decisions }));
  return { lost, failed: exchanges.length };
}

const NO_ROOM: ReadonlySet<string> = new Set([
  "retry.refused.shedding",
  "retry.refused.budget",
  "admit.no-room-to-repeat",
]);

function hadNoRoom({ cause, decisions }: ExchangeRecord): boolean {
  return cause === "gw.shed" || decisions.some(({ code }) => NO_ROOM.has(code));
}
