/** Services with their pools, and origins with their addresses, on the status page: each with its reason. */
import { countText, durationText } from "../contract/quantities.ts";
import { heldInWords, roomInWords } from "../contract/room-words.ts";
import type { OriginAddressView, OriginView, StatusView } from "../contract/view.ts";
import type { Html, HtmlValue } from "./html.ts";
import { html } from "./html.ts";
import type { Column } from "./page-words.ts";
import { ADDRESS_SIGNS, grouped, lasting, SERVICE_SIGNS, table, tag } from "./page-words.ts";

export function servicesSection(status: StatusView): Html {
  const services = status.services.map((service) => {
    const pools = service.pools.map((pool) => {
      const isUsed = pool.name === service.pool ? html` ${tag(["quiet", "→"], "first")}` : null;
      const share = pool.share > 0 && pool.share < 1 ? `, ${shareText(pool.share)} of the traffic` : "";
      return html`<li>
        ${pool.name}: ${pool.available} of ${countText(pool.origins, "origin")} can be picked${share}${isUsed}
      </li>`;
    });
    const room = roomInWords(service);
    return html`<li>
      <h3>${service.name} ${tag(SERVICE_SIGNS[service.state], service.state)}</h3>
      <p>${service.because}</p>
      ${room === "" ? null : html`<p>${room}</p>`}
      <p class="soft">Hosts: ${service.hosts.join(", ")}</p>
      <p class="soft">Pools, in order of preference:</p>
      <ul>
        ${pools}
      </ul>
    </li> `;
  });
  return html`<section aria-labelledby="services">
    <h2 id="services">Services and pools</h2>
    <ul class="cards">
      ${services}
    </ul>
  </section>`;
}

/** `0.4 %`, `12 %`. */
function shareText(share: number): string {
  return `${share < 0.01 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;
}

const ORIGIN_COLUMNS: readonly Column[] = [
  { name: "Origin" },
  { name: "State" },
  { name: "Because" },
  { name: "Held", isNumber: true },
  { name: "In flight", isNumber: true },
  { name: "Connections", isNumber: true },
  { name: "Latency", isNumber: true },
  { name: "Failed attempts", isNumber: true },
];

export function originsSection(origins: readonly OriginView[], now: number): Html {
  const rows = origins.flatMap((origin) => originRows(origin, now));
  return html`<section aria-labelledby="origins">
    <h2 id="origins">Origins</h2>
    ${table("Every origin with its health and the reason for it.", ORIGIN_COLUMNS, rows)}
  </section>`;
}

function originRows(origin: OriginView, now: number): HtmlValue[][] {
  const place = html`<small
    >${origin.service}, pool ${origin.pool}${origin.weight === 100 ? "" : `, weight ${origin.weight}`}</small
  >`;
  const resolution =
    origin.resolution === "" ? null : html`<small>${tag(["warn", "!"], "name")} ${origin.resolution}</small>`;
  if (origin.addresses.length === 0) {
    return [
      [
        html`${origin.origin}${place}`,
        tag(["bad", "✕"], "no address"),
        html`${origin.resolution}`,
        "–",
        "–",
        "–",
        "–",
        "–",
      ],
    ];
  }
  return origin.addresses.map((address, index) => [
    html`${origin.origin}${origin.origin.endsWith(`//${address.address}`) ? null : html`<small>${address.address}</small>`}${place}`,
    html`${tag(ADDRESS_SIGNS[address.state], stateWord(address))}<small>${lasting(address.since, now)}</small>`,
    html`${address.because}${disagreement(address)}${breakers(address)}<small>${checkText(address)}</small>${index === 0 ? resolution : null}`,
    heldInWords(address),
    address.inFlight,
    html`${address.connectionsOpen} <small>${address.connectionsIdle} idle</small>`,
    address.attempts === 0 ? "–" : durationText(address.latencyMs * 1000),
    `${grouped(address.failures)} of ${grouped(address.attempts)}`,
  ]);
}

function stateWord(address: OriginAddressView): string {
  return address.share < 1 && address.state === "ramping"
    ? `ramping, ${Math.round(address.share * 100)} %`
    : address.state;
}

function disagreement(address: OriginAddressView): Html | null {
  return address.disagreement === "" ? null : html` ${tag(["warn", "≠"], "disagreement")} ${address.disagreement}`;
}

function breakers(address: OriginAddressView): Html | null {
  return address.breakers === "" ? null : html` ${tag(["warn", "⊘"], "breaker")} ${address.breakers}`;
}

function checkText({ check }: OriginAddressView): string {
  if (check.kind === "none") return "not checked";
  const kind = check.kind === "http" ? "HTTP check" : "connect check";
  if (check.ok === null) return `${kind}: not yet made`;
  return `${kind}: ${check.ok ? "good" : "failed"}${check.detail === "" ? "" : `, ${check.detail}`}`;
}
