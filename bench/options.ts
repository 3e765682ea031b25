/** The command line of `npm run bench`. */
import { parseArgs } from "node:util";
import { PEER_NAMES, type PeerName } from "./peers.ts";
import { ROW_NAMES, type RowName } from "./rows.ts";

export interface Options {
  readonly rows: readonly RowName[];
  readonly peers: readonly PeerName[];
  readonly rounds: number;
  /** Of load per peer, row and round. */
  readonly seconds: number;
  readonly idleConnections: number;
  readonly accessLog: boolean;
  readonly jsonFile: string | null;
  readonly write: boolean;
}

export const USAGE = `npm run bench -- [options]           how much work an exchange is
npm run bench -- policies [options]  what each policy adds to that (policies --help)
npm run bench -- faults [options]    what clients see while origins fail (faults --help)

  --rows a,b          of: ${ROW_NAMES.join(", ")}
  --peers a,b         of: ${PEER_NAMES.join(", ")} (those not installed are left out)
  --rounds N          rounds, interleaved over the peers (default 5)
  --seconds N         of load for each peer, row and round (default 5)
  --access-log on|off for all peers alike (default on)
  --quick             one round of one second, rows small and 64k, unless said otherwise
  --json FILE         every measurement
  --write             put the table into docs/performance.md
`;

/** Throws with words for the user when the arguments make no sense. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { type: "string" },
      peers: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      "access-log": { type: "string", default: "on" },
      quick: { type: "boolean", default: false },
      json: { type: "string" },
      write: { type: "boolean", default: false },
    },
  });
  const rows = values.rows ?? (values.quick ? "small,64k" : ROW_NAMES.join(","));
  if (values["access-log"] !== "on" && values["access-log"] !== "off") throw new Error("--access-log is on or off");
  return {
    rows: names(rows, ROW_NAMES, "--rows"),
    peers: names(values.peers ?? PEER_NAMES.join(","), PEER_NAMES, "--peers"),
    rounds: whole(values.rounds ?? (values.quick ? "1" : "5"), "--rounds"),
    seconds: whole(values.seconds ?? (values.quick ? "1" : "5"), "--seconds"),
    idleConnections: values.quick ? 500 : 5_000,
    accessLog: values["access-log"] === "on",
    jsonFile: values.json ?? null,
    write: values.write,
  };
}

function names<Name extends string>(list: string, known: readonly Name[], option: string): Name[] {
  return list.split(",").map((word) => {
    const found = known.find((name) => name === word.trim());
    if (found === undefined) throw new Error(`${option}: no ${JSON.stringify(word)}; known: ${known.join(", ")}`);
    return found;
  });
}

function whole(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${option} is a whole number from 1`);
  return value;
}
