import { DISTURBANCES } from "./disturbances.ts";
import { play } from "./score.ts";

const only = process.argv[2] ?? "";
const seeds = (process.argv[3] ?? "1,2,3").split(",").map(Number);
for (const maker of DISTURBANCES) {
  for (const seed of seeds) {
    const r = play(maker, seed);
    if (!r.name.includes(only)) continue;
    const main = r.incidents[0];
    const ok = (x: boolean | null): string => (x === null ? "·" : x ? "ok" : "NO");
    console.log(
      `${r.name.padEnd(42).slice(0, 42)} ${seed} party ${ok(r.partyRight)} cause ${ok(r.causeRight)} abst ${ok(r.abstained)} n=${r.incidents.length} t=${r.detectS} ${main?.cause ?? main?.verdict} ${main?.hypotheses.map((h) => `${h.cause}:${h.confidence}`).join(" ")}`,
    );
    if (only !== "") for (const i of r.incidents) console.log(JSON.stringify(i, null, 1).slice(0, 6000));
  }
}
