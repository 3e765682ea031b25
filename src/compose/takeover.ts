/**
 * Taking a place and giving it on. What a process finds when it starts (sockets, a predecessor, a service manager), and
 * how its own place goes to a successor: sockets first, so that both accept; then what only one can have at a time. No
 * key is begun by the successor while the predecessor may still promise something about it (inherited-ledger.ts).
 */
import type { Settings } from "../config/settings.ts";
import type { Ledger } from "../kernel/ledger.ts";
import type { ToControl } from "../contract/control-messages.ts";
import { leaveKnown, readKnown } from "../contract/known-news.ts";
import type { News } from "../contract/shared-knowledge.ts";
import { systemClock, systemSchedule } from "../net/clock.ts";
import type { ChannelListener, ControlChannel } from "../net/control-process.ts";
import { readHeritage } from "../net/heritage.ts";
import type { Heritage } from "../net/heritage.ts";
import type { NextSocket, StartNext } from "../net/keeper.ts";
import { meetPredecessor } from "../net/predecessor.ts";
import type { Predecessor } from "../net/predecessor.ts";
import { findServiceManager } from "../net/service-manager.ts";
import type { ServiceManager } from "../net/service-manager.ts";
import { startSuccessor } from "../net/successor.ts";
import type { Succession } from "../net/successor.ts";
import type { KeyMember, LedgerDesk } from "../control/ledger-desk.ts";
import type { ConfigurationLeft, KeyAnswer } from "../contract/succession.ts";
import { RemoteLedger } from "../gateway/remote-ledger.ts";
import type { EmbeddedLedger } from "../store/ledger.ts";
import { InheritedLedger } from "./inherited-ledger.ts";
import type { Events } from "./events.ts";
import { openKeys, withoutPlaceForKeys } from "./state.ts";
import type { StartResult } from "../cli/ports.ts";

export interface Takeover {
  readonly heritage: Heritage;
  readonly predecessor: Predecessor | null;
  readonly manager: ServiceManager | null;
}

/** While it gives its place on, a connection that asks nothing for so long is closed. */
export const HAND_OVER_IDLE_MS = 5_000;

/** It was sent when this process was started. */
const KNOWN_WAIT_MS = 2_000;

export function findTakeover(tell: Events["tell"]): Takeover {
  const heritage = readHeritage(process.env, process.pid);
  return {
    heritage,
    predecessor: heritage.from === "predecessor" ? meetPredecessor() : null,
    manager: findServiceManager(process.env, process.pid, (detail) => tell("service-manager.deaf", detail)),
  };
}

/** What the predecessor knew of the origins. An older one says nothing of it, and soon that is clear. */
export async function knownBefore({ predecessor }: Takeover, tell: Events["tell"]): Promise<readonly News[]> {
  if (predecessor === null) return [];
  const waited = new Promise<null>((resolve) => systemSchedule(KNOWN_WAIT_MS, () => resolve(null)));
  const left = await Promise.race([predecessor.known, waited]);
  if (left === null) return [];
  const read = readKnown(left, systemClock.wall());
  if (read.ok) {
    if (read.passedOver !== "")
      tell(
        "upgrade.knowledge-ignored",
        `what the predecessor knew of the load that origins can take ${read.passedOver}: it is found out anew`,
      );
    return read.news;
  }
  tell("upgrade.knowledge-ignored", `what the predecessor knew of the origins ${read.because}: it is found out anew`);
  return [];
}

/** Everything serves: what is left over is closed, and whoever waits for this hears it. */
export async function tookOver({ heritage, predecessor, manager }: Takeover, tell: Events["tell"]): Promise<void> {
  const rest = heritage.closeRest();
  if (rest.length > 0) {
    tell(
      "listeners.not-used",
      `sockets were left to this process that no listener is configured for: ${rest.join(", ")}`,
    );
  }
  // Before the predecessor may end: the service manager must know by then whom to look at.
  await manager?.serves();
  predecessor?.ready();
}

export interface Keys {
  readonly ledger: Ledger | null;
  /** Other settings hold. */
  follow(settings: Settings): void;
  close(): Promise<void>;
}

/** The ledger of keys: our own, or the predecessor's until it lets that go. */
export async function takeKeys(
  settings: Settings,
  state: string | null,
  { heritage, predecessor }: Takeover,
  tell: Events["tell"],
): Promise<{ readonly ok: true; readonly keys: Keys } | Extract<StartResult, { ok: false }>> {
  if (state !== null && predecessor !== null && heritage.state === state) {
    const remote = new RemoteLedger((message) => {
      if (message.kind === "ledger" || message.kind === "key over") predecessor.ask(message);
    });
    predecessor.onAnswer = (message) => remote.hear(message);
    const ledger = new InheritedLedger(remote);
    predecessor.onKeysEnd = () => ledger.hold();
    let holds = settings;
    const opened = openInherited(ledger, remote, predecessor.keysAreFree, (underWay) =>
      openKeys(state, holds, tell, underWay),
    );
    const follow = (next: Settings): void => {
      holds = next;
      void opened.then((own) => own.bound(next.idempotency.bytesMax));
    };
    return { ok: true, keys: { ledger, follow, close: async () => (await opened).close() } };
  }
  const ledger = state === null ? null : await openKeys(state, settings, tell);
  const placeless = withoutPlaceForKeys(settings, state, ledger);
  if (placeless === null) {
    const follow = ({ idempotency }: Settings): void => ledger?.bound(idempotency.bytesMax);
    return { ok: true, keys: { ledger, follow, close: async () => ledger?.close() } };
  }
  await ledger?.close();
  return placeless;
}

async function openInherited(
  ledger: InheritedLedger,
  remote: RemoteLedger,
  free: Promise<void>,
  open: (underWay: readonly string[]) => Promise<EmbeddedLedger>,
): Promise<EmbeddedLedger> {
  await free;
  // Of a predecessor that ended without a word nothing was heard of what was asked last.
  const quiet = ledger.hold();
  remote.lost();
  await quiet;
  const own = await open(ledger.underWay);
  ledger.open(own);
  return own;
}

/** A control process whose first life waits until there is no other. */
export function lateChannel(
  free: Promise<void>,
  start: (listener: ChannelListener) => ControlChannel,
): (listener: ChannelListener) => ControlChannel {
  return (listener) => {
    let channel: ControlChannel | null = null;
    let isKilled = false;
    const early: ToControl[] = [];
    const begin = async (): Promise<void> => {
      await free;
      if (isKilled) return;
      channel = start(listener);
      for (const message of early) channel.send(message);
    };
    void begin();
    return {
      send: (message) => (channel === null ? void early.push(message) : channel.send(message)),
      residentBytes: () => channel?.residentBytes() ?? 0,
      kill() {
        if (channel !== null) channel.kill();
        else if (!isKilled) {
          isKilled = true;
          listener.onEnd("there is still another");
        }
      },
    };
  };
}

/** What a successor is told to begin with, and why there is to be one. */
export interface Order {
  /** The first words of what is told. */
  readonly because: string;
  /** Null: with the file on the disk. */
  readonly configuration: ConfigurationLeft | null;
  /** Somebody waits for the end of the process that starts it. */
  readonly stays: boolean;
  readonly start: StartNext;
  /** The successor is not wanted any more. */
  readonly unwanted: AbortSignal;
  /** What this process does when it has finished what is under way. */
  readonly afterwards: string;
}

/** What there is to hand on. */
export interface Estate {
  readonly sockets: readonly NextSocket[];
  readonly state: string | null;
  readonly desk: LedgerDesk;
  /** What is known of the origins. */
  readonly known: readonly News[];
}

/** When there is no successor, that is told, and this process goes on. */
export async function giveOn(
  { sockets, state, desk, known }: Estate,
  { because, configuration, afterwards, ...rest }: Order,
  tell: Events["tell"],
): Promise<Succession> {
  const begins = configuration === null ? "the configuration that are there now" : "another configuration";
  tell("upgrade.started", `${because}: a successor is started with the program and ${begins}`);
  let answer: (message: KeyAnswer) => void = () => undefined;
  const member: KeyMember = {
    answerKey: (number, result, view) => answer({ kind: "ledger", number, result, view }),
    keyOver: (id) => answer({ kind: "key over", id }),
  };
  const started = await startSuccessor({
    sockets,
    state,
    configuration,
    ...rest,
    known: leaveKnown(known, systemClock.wall()),
    schedule: systemSchedule,
    onKey(message, reply) {
      answer = reply;
      if (message.kind === "ledger") desk.perform(member, message.number, message.operation);
      else desk.over(message.id, member);
    },
    onEnd: () => desk.leave(member),
  });
  if (started.ok) {
    tell(
      "upgrade.done",
      `process ${started.successor.pid} serves; this one finishes what is under way and ${afterwards}`,
    );
  } else {
    for (const socket of sockets) socket.takeBack?.();
    tell("upgrade.failed", `the successor does not serve: ${started.because}; this process goes on as before`);
  }
  return started;
}
