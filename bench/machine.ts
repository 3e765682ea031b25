/** The machine in a line, for the head of a table. */
import { cpus, release, totalmem } from "node:os";

export function machine(): string {
  const cores = cpus();
  return `${cores.length} cores ${cores[0]?.model.trim() ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}`;
}
