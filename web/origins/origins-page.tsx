/** Every origin: how it is and why, when that ends, what it may carry; and the way to take it out or give it back. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { heldInWords } from "../../src/contract/room-words.ts";
import type { OriginAddressView, OriginView } from "../../src/contract/view.ts";
import { toneOfOrigin } from "../now/map-layout.ts";
import { Ago, Lasting } from "../parts/moment.tsx";
import { Bar, Tag } from "../parts/tag.tsx";
import { diagnosis, freshness, originKey, originRates, origins, status } from "../state/facts.ts";
import { place, queryOf, replaceQuery } from "../state/router.ts";
import { useTitle } from "../state/title.ts";
import { grouped, msText, rateText, ratioText } from "../words/figures.ts";
import { ADDRESS_SIGNS } from "../words/signs.ts";
import { DrainDialog } from "./drain-dialog.tsx";
import { ProbeDialog } from "./probe-dialog.tsx";

interface Asked {
  readonly what: "drain" | "restore" | "probe";
  readonly origin: OriginView;
}

export function OriginsPage(): JSX.Element {
  useTitle("Origins");
  const asked = useMemo(() => signal<Asked | null>(null), []);
  const all = origins.value?.origins ?? null;
  const service = new URLSearchParams(place.value.query).get("service") ?? "";
  const shown = (all ?? []).filter((one) => service === "" || one.service === service);
  const pools = [...new Set(shown.map((one) => `${one.service}\n${one.pool}`))];
  const close = (): void => {
    asked.value = null;
  };
  return (
    <div class={freshness.value.kind === "stale" ? "stale" : ""}>
      <div class="section-head">
        <h1>Origins</h1>
        <label>
          Service{" "}
          <select
            data-search
            value={service}
            onChange={(event) => replaceQuery(queryOf({ service: event.currentTarget.value }))}
          >
            <option value="">all</option>
            {status.value?.services.map(({ name }) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      {all === null ? <p class="empty">Asking…</p> : null}
      {pools.map((key) => {
        const own = shown.filter((one) => `${one.service}\n${one.pool}` === key);
        return <PoolSection key={key} origins={own} onAsk={(one) => (asked.value = one)} />;
      })}
      {asked.value === null ? null : asked.value.what === "probe" ? (
        <ProbeDialog origin={asked.value.origin} onClose={close} />
      ) : (
        <DrainDialog what={asked.value.what} origin={asked.value.origin} onClose={close} />
      )}
    </div>
  );
}

function PoolSection({
  origins,
  onAsk,
}: {
  origins: readonly OriginView[];
  onAsk: (asked: Asked) => void;
}): JSX.Element | null {
  const [first] = origins;
  if (first === undefined) return null;
  const service = status.value?.services.find(({ name }) => name === first.service);
  const pool = service?.pools.find(({ name }) => name === first.pool);
  const id = encodeURIComponent(`pool ${first.service} ${first.pool}`);
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>
        {first.service} / {first.pool}
        {pool === undefined ? null : (
          <span class="soft small">
            {" "}
            {pool.available} of {pool.origins} usable, {ratioText(pool.share)} of the traffic
          </span>
        )}
      </h2>
      <ul class="cards origins">
        {origins.map((origin) => (
          <OriginCard origin={origin} onAsk={onAsk} key={origin.origin} />
        ))}
      </ul>
    </section>
  );
}

function OriginCard({ origin, onAsk }: { origin: OriginView; onAsk: (asked: Asked) => void }): JSX.Element {
  const rate = originRates.value.get(originKey(origin.service, origin.pool, origin.origin));
  const isDrained = origin.addresses.some(({ state }) => state === "drained");
  const id = encodeURIComponent(origin.origin);
  const card = useRef<HTMLLIElement>(null);
  // A link to it was followed, from the map or from somebody's message.
  useEffect(() => {
    if (location.hash === `#${id}`) card.current?.scrollIntoView({ block: "center" });
  }, []);
  return (
    <li class={`card ${toneOfOrigin(origin)}`} id={id} ref={card}>
      <h3>{origin.origin}</h3>
      <p class="soft small">
        {rate === undefined ? "" : `${rateText(rate)} attempts, `}weight {origin.weight}
        {" · "}
        <a href={`/exchanges${queryOf({ origin: origin.origin })}`}>Its exchanges</a>
      </p>
      {origin.resolution === "" ? null : (
        <p>
          <Tag sign={["warn", "!"]} word="name" /> {origin.resolution}
        </p>
      )}
      {origin.addresses.length === 0 ? <Tag sign={["bad", "✕"]} word="no address" /> : null}
      {origin.addresses.map((address) => (
        <Address address={address} key={address.address} isShown={!origin.origin.endsWith(`//${address.address}`)} />
      ))}
      <div class="acts">
        {isDrained ? (
          <button type="button" class="primary" onClick={() => onAsk({ what: "restore", origin })}>
            Restore<span class="unseen"> {origin.origin}</span>
          </button>
        ) : (
          <button type="button" onClick={() => onAsk({ what: "drain", origin })}>
            Drain<span class="unseen"> {origin.origin}</span>
          </button>
        )}
        {diagnosis.value.kind === "running" ? (
          <button type="button" onClick={() => onAsk({ what: "probe", origin })}>
            Probe<span class="unseen"> {origin.origin}</span>
          </button>
        ) : null}
      </div>
    </li>
  );
}

function Address({ address, isShown }: { address: OriginAddressView; isShown: boolean }): JSX.Element {
  const used = address.limit === 0 ? 0 : address.held / address.limit;
  const word = address.state === "ramping" ? `ramping, ${ratioText(address.share)}` : address.state;
  return (
    <div class="address">
      <p>
        {isShown ? <b>{address.address} </b> : null}
        <Tag sign={ADDRESS_SIGNS[address.state]} word={word} /> <Lasting since={address.since} />
        {address.until === null ? null : (
          <>
            , {UNTIL_WORDS[address.state]} <Ago at={address.until} />
          </>
        )}
      </p>
      <p>{address.because}</p>
      {address.disagreement === "" ? null : (
        <p>
          <Tag sign={["warn", "≠"]} word="disagreement" /> {address.disagreement}
        </p>
      )}
      {address.breakers === "" ? null : (
        <p>
          <Tag sign={["warn", "⊘"]} word="breaker" /> {address.breakers}
        </p>
      )}
      <dl class="pairs">
        <div>
          <dt>Waiting for a first byte</dt>
          <dd>
            {heldInWords(address)} {address.limit === 0 ? "" : <Bar ratio={used} tone={used > 0.9 ? "warn" : "info"} />}
          </dd>
        </div>
        <div>
          <dt>Response time</dt>
          <dd>{address.attempts === 0 ? "–" : msText(address.latencyMs)}</dd>
        </div>
        <div>
          <dt>Failed attempts</dt>
          <dd>
            {grouped(address.failures)} of {grouped(address.attempts)}
          </dd>
        </div>
        <div>
          <dt>Connections</dt>
          <dd>
            {address.connectionsOpen} open, {address.connectionsIdle} idle
          </dd>
        </div>
        <div>
          <dt>Idle ones are kept</dt>
          <dd title={address.keepAliveBecause}>{msText(address.keepAliveMs)}</dd>
        </div>
        <div>
          <dt>Check</dt>
          <dd>{checkText(address)}</dd>
        </div>
      </dl>
    </div>
  );
}

/** What the time that is told will bring. */
const UNTIL_WORDS: Readonly<Record<OriginAddressView["state"], string>> = {
  ejected: "tried again",
  ramping: "has all its share",
  drained: "comes back by itself",
  up: "ends",
  down: "ends",
  probation: "ends",
};

function checkText({ check }: OriginAddressView): string {
  if (check.kind === "none") return "none configured";
  const kind = check.kind === "http" ? "HTTP" : check.kind === "grpc" ? "gRPC" : "connect";
  if (check.ok === null) return `${kind}, not yet made`;
  return `${kind}, ${check.ok ? "good" : "failed"}${check.detail === "" ? "" : `: ${check.detail}`}`;
}
