/** One line for each event of a gateway that runs in a terminal: when, what, why. UTC, as records and the access log have it. */
import type { GatewayEvent, OriginAddressView } from "../contract/view.ts";
import { plain } from "./page.ts";
import type { PaintStyle, Terminal } from "./ports.ts";

export function eventLine(event: Exclude<GatewayEvent, { kind: "exchange" }>, terminal: Terminal): string {
  const { paint } = terminal;
  const time = paint("dim", new Date(event.at).toISOString().slice("2026-11-21T".length, -1));
  switch (event.kind) {
    case "origin": {
      const state = paint(STATE_STYLES[event.state], event.state);
      const where = plain(`${event.origin} (${event.address}) of ${event.service} / ${event.pool}`);
      return `${time}  origin ${where} is ${state}: ${plain(event.because)}`;
    }
    case "pool":
      return `${time}  ${plain(`service ${event.service} moves from pool ${event.from} to ${event.to}: ${event.because}`)}`;
    case "spill":
      return `${time}  ${plain(`service ${event.service} shares ${sharesText(event.shares)}: ${event.because}`)}`;
    case "fail-open": {
      const what = event.state === "begin" ? "is used although it fails" : "is used as usual again";
      return `${time}  ${plain(`pool ${event.pool} of ${event.service} ${what}: ${event.because}`)}`;
    }
    case "disagreement": {
      const what = event.state === "begin" ? "checks and traffic disagree" : "checks and traffic agree again";
      const where = `${event.origin} (${event.address}) of ${event.service} / ${event.pool}`;
      return `${time}  ${plain(`origin ${where}: ${what}: ${event.because}`)}`;
    }
    case "resolution":
      return `${time}  ${plain(`origin ${event.origin} of ${event.service}: ${event.because}`)}`;
    case "gateway":
      return `${time}  ${plain(`gateway ${event.code}: ${event.detail}`)}`;
  }
}

function sharesText(shares: readonly { readonly pool: string; readonly share: number }[]): string {
  return shares.map(({ pool, share }) => `${pool} ${Math.round(share * 100)} %`).join(", ");
}

const STATE_STYLES: Readonly<Record<OriginAddressView["state"], PaintStyle>> = {
  up: "green",
  ramping: "green",
  drained: "yellow",
  probation: "yellow",
  down: "red",
  ejected: "red",
};
