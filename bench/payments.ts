/**
 * `node bench/payments.ts [--payments 10000] [--seed 1]`: keyed payments through a real gateway that is killed again
 * and again (test/support/keyed-payments.ts). Ends with 1 when one was carried out twice or somebody was told wrong.
 */
import { parseArgs } from "node:util";
import { runKeyedPayments } from "../test/support/keyed-payments.ts";

const { values } = parseArgs({
  options: {
    payments: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    clients: { type: "string", default: "24" },
    kills: { type: "string", default: "0.01" },
  },
});

const report = await runKeyedPayments({
  payments: Number(values.payments),
  seed: Number(values.seed),
  clients: Number(values.clients),
  killRatio: Number(values.kills),
});
console.log(JSON.stringify(report, null, 2));
const isGood = report.executedTwice.length + report.wrong.length + report.undecided.length === 0;
process.exitCode = isGood ? 0 : 1;
