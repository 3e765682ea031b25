/**
 * Several workers of one node in one process: real gateways on networks of their own, and the real hub between them.
 * Messages are copied and lie in a queue until time moves, so that a test can look in between and let a worker die with
 * what it had not sent.
 */
import { LedgerDesk } from "../../src/control/ledger-desk.ts";
import { WorkerHub } from "../../src/control/worker-hub.ts";
import type { HubMember } from "../../src/control/worker-hub.ts";
import type { FromHub, News, ToHub } from "../../src/contract/shared-knowledge.ts";
import { WorkerLink } from "../../src/gateway/worker-link.ts";
import type { Channel } from "../../src/contract/shared-knowledge.ts";
import type { GatewayPorts } from "../../src/gateway/gateway-ports.ts";
import type { ExchangeRecord } from "../../src/contract/record.ts";
import { manualSchedule } from "./manual-schedule.ts";
import type { ManualSchedule } from "./manual-schedule.ts";
import { memoryGateway, memorySettings } from "./memory-gateway.ts";
import type { MemoryGateway, MemoryGatewayOptions } from "./memory-gateway.ts";

export interface GroupWorker extends MemoryGateway {
  /** Whether the hub has it do the active checks. */
  readonly checks: boolean;
  /** Everything that it sent to the hub and that the hub sent to it, in order. */
  readonly sent: readonly ToHub[];
  readonly heard: readonly FromHub[];
  /** It takes no more connections; what it has begun goes on. */
  retire(): void;
  /** It hears and says nothing for a while, as a process that stands still. */
  mute(): void;
  /** The hub's process is gone. */
  disconnect(): void;
  /** Its process ends without a word. */
  kill(): void;
}

export interface WorkerGroup {
  /** Copies of records that have come to the hub. */
  readonly kept: readonly ExchangeRecord[];
  readonly hub: WorkerHub;
  /** Begins a worker and lets it hear what the others know. `worker`: its number; default the next. */
  join(worker?: number): Promise<GroupWorker>;
  /** Moves the clocks of all by steps of 5 ms, and delivers messages between the steps. */
  advance(ms: number): void;
}

/** `workers`: how many share what is limited, however many are begun. `known`: what they begin with. */
export function workerGroup(
  options: MemoryGatewayOptions = {},
  workers: number = 2,
  known: readonly News[] = [],
): WorkerGroup {
  const hubTime = manualSchedule(5_000_000);
  const settings = memorySettings(options);
  const kept: ExchangeRecord[] = [];
  const hub = new WorkerHub({
    clock: hubTime.clock,
    settings,
    workers,
    keys: new LedgerDesk(options.ledger ?? null),
    onKept: (records) => kept.push(...records),
    known,
  });
  const members: { readonly worker: { advance(ms: number): void }; deliver(): boolean }[] = [];

  function deliver(): void {
    while (members.map((member) => member.deliver()).includes(true));
  }

  let joined = 0;

  async function join(worker: number = joined + 1): Promise<GroupWorker> {
    joined += 1;
    const toHub: ToHub[] = [];
    const toWorker: FromHub[] = [];
    const sent: ToHub[] = [];
    const heard: FromHub[] = [];
    let alive = true;
    let muted = false;
    let end = (): void => undefined;
    const state = { checks: false };
    const member: HubMember = hub.join(worker, (message) => void toWorker.push(structuredClone(message)));
    const channel: Channel<ToHub, FromHub> = {
      send(message) {
        if (!alive) return;
        sent.push(message);
        toHub.push(structuredClone(message));
      },
      onMessage: () => undefined,
    };
    const one = {
      deliver(): boolean {
        if (!alive || muted) return false;
        const [up, down] = [toHub.splice(0), toWorker.splice(0)];
        for (const message of up) member.hear(message);
        for (const message of down) {
          heard.push(message);
          channel.onMessage(message);
        }
        return up.length + down.length > 0;
      },
    };
    const ofWorker = (time: ManualSchedule): Partial<GatewayPorts> => {
      // Queues are emptied while it starts, too.
      const poll = (): void => {
        deliver();
        time.schedule(1, poll);
      };
      time.schedule(1, poll);
      const link = new WorkerLink({ clock: time.clock, schedule: time.schedule, channel, workers });
      link.followChecker((on) => {
        state.checks = on;
      });
      end = () => link.lost();
      const ledger = options.ledger === undefined ? null : link.ledger;
      return { ...link.ports("5eed".repeat(8)), ledger };
    };
    members.push({ worker: { advance: () => undefined }, ...one });
    const gateway = await memoryGateway({ ...options, ofWorker });
    members.push({ worker: gateway, deliver: () => false });
    return {
      ...gateway,
      get checks() {
        return state.checks;
      },
      sent,
      heard,
      mute() {
        muted = true;
      },
      disconnect() {
        alive = false;
        member.leave();
        end();
      },
      retire: () => member.retire(),
      kill() {
        alive = false;
        member.leave();
      },
    };
  }

  return {
    kept,
    hub,
    join,
    advance(ms) {
      for (let left = ms; left > 0; left -= 5) {
        hubTime.advance(Math.min(left, 5));
        for (const { worker } of members) worker.advance(Math.min(left, 5));
        deliver();
      }
    },
  };
}
