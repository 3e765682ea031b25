/**
 * The live events as server-sent events, for all who watch at once.
 *
 * The gateway is listened to only while somebody watches (and a little longer), and each event is put into
 * words once, whoever wants it. Everything has a bound, and each bound that is reached is told to the reader
 * as a `lost` event, so that a hole in the stream never looks like calm: a client that is too slow, more
 * exchanges in a second than a stream should carry, a reader that comes back too late.
 *
 * What the gateway tells and what the control plane concludes come in one stream, so that a reader has one connection
 * to watch. A control plane that is silent is told by its state (`control`), and by pulses that do not come.
 *
 * `Last-Event-ID` is honoured as far as it is true: an id says which run of the gateway and which event. From
 * the same run, with nothing forgotten in between, the missed events come again; otherwise `lost` comes first.
 */
import type { EventsLost } from "../contract/api-responses.ts";
import type { ControlPort, News } from "../contract/control-port.ts";
import type { GatewayEvent, GatewayView } from "../contract/view.ts";
import type { Clock, Schedule } from "../kernel/clock.ts";
import { Ring } from "../kernel/ring.ts";

export type EventKind = GatewayEvent["kind"] | News["kind"];
export const EVENT_KINDS = [
  "exchange",
  "origin",
  "pool",
  "spill",
  "fail-open",
  "disagreement",
  "resolution",
  "gateway",
  "incident",
  "forecast",
  "probe",
  "pulse",
  "control",
] as const satisfies readonly EventKind[];

export const STREAMS_MAX = 32;
/** A second's worth of exchanges; the last half is kept for those that did not go well. */
export const EXCHANGES_PER_SECOND_MAX = 200;
export const REPLAY_MAX = 512;
export const HEARTBEAT_MS = 15_000;
/** How long events go on being kept for a reader whose connection broke. */
export const LINGER_MS = 30_000;
const RECONNECT_MS = 2000;

export interface EventHub {
  /** Whether one more stream may open. */
  hasRoom(): boolean;
  /** Starts a stream; the returned function ends it. */
  open(wanted: EventWish, write: (chunk: string) => boolean): () => void;
}

export interface EventWish {
  /** Null: all. */
  readonly kinds: ReadonlySet<EventKind> | null;
  /** As the client sent it; empty when it did not. */
  readonly lastEventId: string;
}

interface Stream {
  readonly kinds: ReadonlySet<EventKind> | null;
  readonly write: (chunk: string) => boolean;
  /** Events that the server did not take since the last one it took. */
  refused: number;
}

interface ToldEvent {
  readonly number: number;
  readonly kind: EventKind;
  readonly chunk: string;
}

export function createEventHub(
  view: GatewayView,
  control: ControlPort | null,
  clock: Clock,
  schedule: Schedule,
): EventHub {
  /** Names this run of the gateway in ids; known once it has started. */
  let run = "";
  const streams = new Set<Stream>();
  const newRing = (): Ring<ToldEvent> =>
    new Ring(REPLAY_MAX, (event) => {
      forgottenTo = event.number;
    });
  let told = newRing();
  /** Number of the newest event. */
  let newest = 0;
  /** Events up to this number can no longer be told again, or may have missed others before them. */
  let forgottenTo = 0;
  /** The same for exchanges alone: those that nobody wanted got a number and no words. */
  let exchangesForgottenTo = 0;
  let exchangeReaders = 0;
  /** When the last reader of exchanges left, monotonic ms. */
  let exchangeReadersLeftAt = -Infinity;
  let unsubscribe: (() => void) | null = null;
  let cancelHeartbeat: (() => void) | null = null;
  let cancelLinger: (() => void) | null = null;
  let secondBegan = 0;
  let exchangesThisSecond = 0;
  let exchangesLeftOut = 0;

  function listen(): void {
    cancelLinger?.();
    cancelLinger = null;
    if (unsubscribe !== null) return;
    run = view.status().startedAt.toString(36);
    // Nobody listened until now, so the ids from before lead nowhere.
    newest += 1;
    forgottenTo = newest;
    told = newRing();
    const leaveGateway = view.subscribe(onEvent);
    const leaveControl = control?.subscribe(onNews);
    unsubscribe = () => {
      leaveGateway();
      leaveControl?.();
    };
  }

  /** A pulse is worth nothing once the next one is there, so it is never told again and has no id. */
  function onNews(news: News): void {
    if (news.kind !== "pulse") {
      tell(news.kind, news);
      return;
    }
    const chunk = `event: pulse\ndata: ${JSON.stringify(news)}\n\n`;
    for (const stream of streams) if (wants(stream, "pulse")) send(stream, chunk, 0);
  }

  function stopListening(): void {
    cancelLinger = null;
    unsubscribe?.();
    unsubscribe = null;
  }

  function onEvent(event: GatewayEvent): void {
    if (event.kind === "exchange") {
      if (!areExchangesWanted()) {
        newest += 1;
        exchangesForgottenTo = newest;
        return;
      }
      if (!isWithinBound(event.record.outcome === "served")) return;
    }
    tell(event.kind, event);
  }

  function tell(kind: EventKind, event: GatewayEvent | News): void {
    newest += 1;
    const chunk = `id: ${run}-${newest}\nevent: ${kind}\ndata: ${JSON.stringify(event)}\n\n`;
    told.push({ number: newest, kind, chunk });
    for (const stream of streams) {
      if (wants(stream, kind)) send(stream, chunk);
    }
  }

  /** The dashboard wants to hear of origins only; the traffic must not pay for words that nobody reads. */
  function areExchangesWanted(): boolean {
    return exchangeReaders > 0 || clock.monotonic() - exchangeReadersLeftAt < LINGER_MS;
  }

  function isWithinBound(isServed: boolean): boolean {
    const now = clock.monotonic();
    if (now - secondBegan >= 1000) {
      tellLeftOut();
      secondBegan = now;
      exchangesThisSecond = 0;
    }
    if (exchangesThisSecond >= (isServed ? EXCHANGES_PER_SECOND_MAX / 2 : EXCHANGES_PER_SECOND_MAX)) {
      exchangesLeftOut += 1;
      return false;
    }
    exchangesThisSecond += 1;
    return true;
  }

  function tellLeftOut(): void {
    if (exchangesLeftOut === 0) return;
    const because = `there were more exchanges in a second than the ${EXCHANGES_PER_SECOND_MAX} that this stream carries`;
    const count = exchangesLeftOut;
    exchangesLeftOut = 0;
    for (const stream of streams) {
      if (wants(stream, "exchange")) send(stream, lostChunk(count, because), count);
    }
  }

  function heartbeat(): void {
    tellLeftOut();
    // The id moves readers along who filter: events that they did not want need not be kept for them.
    for (const stream of streams) send(stream, `: still here\nid: ${run}-${newest}\n\n`, 0);
    cancelHeartbeat = schedule(HEARTBEAT_MS, heartbeat);
  }

  function resume(stream: Stream, lastEventId: string): void {
    if (lastEventId === "") return;
    const [, idRun = "", number = ""] = /^([0-9a-z]+)-(\d{1,15})$/.exec(lastEventId) ?? [];
    const seen = Number(number);
    if (idRun !== run || seen > newest) {
      send(stream, lostChunk(null, "that Last-Event-ID is not of this run of the gateway"));
    } else if (seen < forgottenTo || (wants(stream, "exchange") && seen < exchangesForgottenTo)) {
      send(
        stream,
        lostChunk(
          null,
          `events are kept for ${LINGER_MS / 1000} s after the last reader left, and ${REPLAY_MAX} of them`,
        ),
      );
    }
    if (idRun !== run) return;
    for (const event of [...told.newestFirst()].toReversed()) {
      if (event.number > seen && wants(stream, event.kind)) send(stream, event.chunk);
    }
  }

  return {
    hasRoom: () => streams.size < STREAMS_MAX,
    open(wanted, write) {
      listen();
      const stream: Stream = { kinds: wanted.kinds, write, refused: 0 };
      resume(stream, wanted.lastEventId);
      send(stream, `retry: ${RECONNECT_MS}\nid: ${run}-${newest}\n\n`, 0);
      streams.add(stream);
      if (wants(stream, "exchange")) exchangeReaders += 1;
      cancelHeartbeat ??= schedule(HEARTBEAT_MS, heartbeat);
      return () => {
        if (!streams.delete(stream)) return;
        if (wants(stream, "exchange")) {
          exchangeReaders -= 1;
          exchangeReadersLeftAt = clock.monotonic();
        }
        if (streams.size > 0) return;
        cancelHeartbeat?.();
        cancelHeartbeat = null;
        cancelLinger = schedule(LINGER_MS, stopListening);
      };
    },
  };
}

/**
 * A chunk that the server has no room for is dropped here; the reader hears of it before the next one.
 * `events`: how many events the chunk stands for.
 */
function send(stream: Stream, chunk: string, events: number = 1): void {
  if (stream.refused > 0 && stream.write(lostChunk(stream.refused, "this reader was too slow"))) stream.refused = 0;
  if (stream.refused > 0 || !stream.write(chunk)) stream.refused += events;
}

function wants(stream: Stream, kind: EventKind): boolean {
  return stream.kinds === null || stream.kinds.has(kind);
}

/** Without an id: it is about one stream, not an event of the gateway. */
function lostChunk(count: number | null, because: string): string {
  const lost: EventsLost = { kind: "lost", count, because };
  return `event: lost\ndata: ${JSON.stringify(lost)}\n\n`;
}
