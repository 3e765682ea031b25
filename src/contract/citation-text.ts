/** What an evidence stands on, in a few words, for texts that cannot open it. */
import type { Citation } from "./evidence.ts";

export function citationText(citation: Citation): string {
  switch (citation.kind) {
    case "figure": {
      const usual = citation.usual === null ? "" : `, usually ${rounded(citation.usual)}`;
      return `${citation.figure} ${rounded(citation.value)} ${citation.unit}${usual}`;
    }
    case "exchange":
      return `exchange ${citation.id}`;
    case "change":
      return `change ${citation.id}`;
    case "event":
      return `event ${citation.code}`;
    case "probe":
      return `probe ${citation.rung} ${citation.result}`;
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
