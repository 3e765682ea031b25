/**
 * Deliberate defects, put between the gateway and its ports or into the world around it. A simulator that never finds
 * anything may be blind; each of these has to be found, by the checker that is there for it. `checkers.test.ts` sees
 * to that, and that no checker is without one.
 */
import type { GatewayPorts } from "../src/gateway/gateway-ports.ts";
import { DEAF } from "../src/kernel/socket.ts";
import type { Address, Dial, Listen, SocketListener, SocketPort } from "../src/kernel/socket.ts";
import type { RunOptions } from "./scenario.ts";
import type { World } from "./world.ts";

export interface Defect {
  readonly name: string;
  readonly what: string;
  /** In which scenario it does harm. */
  readonly scenario: string;
  /** Who has to find it. */
  readonly checker: string;
  readonly options: Omit<RunOptions, "seed">;
}

/** Beyond the head of every message here: so only bodies are changed. */
const INTO_BODY_BYTES = 500;
/** When its name has just moved. */
const STUCK_FROM_MS = 5_500;
/** Nobody listens there. */
const NOWHERE: Address = { ip: "10.99.0.1", port: 1, family: 4 };

export const DEFECTS: readonly Defect[] = [
  {
    name: "changed-response",
    what: "One byte of a response body changes between the origin and the gateway.",
    scenario: "calm",
    checker: "own response",
    options: bending((ports) => ({
      dial: hearing(ports.dial, (bytes, start, end) => {
        if (end - start > INTO_BODY_BYTES) bytes[end - 3] = (bytes[end - 3] ?? 0) ^ 1;
      }),
    })),
  },
  {
    name: "short-response",
    what: "A response ends before its time and looks complete.",
    scenario: "calm",
    checker: "no false end",
    options: {
      onWorld: (world) => {
        for (const origin of world.origins)
          origin.script = ({ answerBytes }) => ({ bytes: Math.max(0, answerBytes - 1) });
      },
    },
  },
  {
    name: "changed-request",
    what: "One byte of a request body changes between the gateway and the origin.",
    scenario: "calm",
    checker: "request intact",
    options: bending((ports) => ({
      dial: writing(ports.dial, (_, bytes, write) => {
        if (bytes.length > INTO_BODY_BYTES) bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
        return write(bytes);
      }),
    })),
  },
  {
    name: "said-twice",
    what: "What is written to a client is now and then written twice.",
    scenario: "calm",
    checker: "answered once",
    options: bending((ports) => {
      let writes = 0;
      return {
        listen: accepting(ports.listen, (socket) =>
          rewritten(socket, (_, bytes, write) => {
            writes += 1;
            const again = Buffer.from(bytes);
            const taken = write(bytes);
            return writes % 20 === 0 && taken ? write(again) : taken;
          }),
        ),
      };
    }),
  },
  {
    name: "run-twice",
    what: "A request that found an origin is also sent to it on a second connection.",
    scenario: "calm",
    checker: "run at most once",
    options: bending((ports) => ({
      dial: (address, listener) => {
        const first = ports.dial(address, listener);
        return rewritten(first, (_, bytes, write) => {
          if (!bytes.latin1Slice(0, 5).startsWith("POST ")) return write(bytes);
          const copy = Buffer.from(bytes);
          const second = ports.dial(address, { ...DEAF, onConnect: () => void second.write(copy) });
          return write(bytes);
        });
      },
    })),
  },
  {
    name: "lost-record",
    what: "Every tenth record gets lost.",
    scenario: "calm",
    checker: "one record",
    options: bending(({ log }) => {
      let count = 0;
      return {
        log: (record) => {
          count += 1;
          if (count % 10 !== 0) log?.(record);
        },
      };
    }),
  },
  {
    name: "false-record",
    what: "A record says that what failed was served.",
    scenario: "all-fail",
    checker: "true record",
    options: bending(({ log }) => ({ log: (record) => log?.({ ...record, outcome: "served", cause: null }) })),
  },
  {
    name: "no-evidence",
    what: "Records come without evidence.",
    scenario: "all-fail",
    checker: "explained",
    options: bending(({ log }) => ({ log: (record) => log?.({ ...record, evidence: "" }) })),
  },
  {
    name: "too-many-attempts",
    what: "Records tell of twice the attempts.",
    scenario: "all-fail",
    checker: "attempts in bounds",
    options: bending(({ log }) => ({
      log: (record) => log?.({ ...record, attempts: [...record.attempts, ...record.attempts] }),
    })),
  },
  {
    name: "storm",
    what: "Each exchange tells of forty repeats.",
    scenario: "calm",
    checker: "retries in budget",
    options: bending(({ log }) => ({
      log: (record) => log?.({ ...record, attempts: Array.from({ length: 40 }, () => record.attempts).flat() }),
    })),
  },
  {
    name: "never-closed",
    what: "The gateway does not hear that its connections to origins are closed.",
    scenario: "rolling-crash",
    checker: "nothing left",
    options: bending((ports) => ({
      dial: (address, listener) => ports.dial(address, { ...bound(listener), onClose: () => undefined }),
    })),
  },
  {
    name: "scribbled",
    what: "Bytes change while a write waits for them.",
    scenario: "slow-reader",
    checker: "port contract",
    options: bending((ports) => ({
      listen: accepting(ports.listen, (socket) =>
        rewritten(socket, (_, bytes, write) => {
          const taken = write(bytes);
          if (!taken) bytes.fill(0x20);
          return taken;
        }),
      ),
    })),
  },
  {
    name: "unstoppable",
    what: "Clients cannot be told to wait.",
    scenario: "slow-upload",
    checker: "memory in bounds",
    options: bending((ports) => ({
      listen: accepting(ports.listen, (socket) => Object.assign(socket, { pause: () => undefined })),
    })),
  },
  {
    name: "never-back",
    what: "An origin that was gone is said to be back and cannot be reached.",
    scenario: "refused",
    checker: "traffic returns",
    options: {
      onWorld: (world) => world.at(30_001, () => world.network.setReach(world.origin("a2").place.ip, "silent")),
    },
  },
  {
    name: "stuck",
    what: "Once it has been in trouble the gateway finds no origin any more.",
    scenario: "name-moves",
    checker: "goodput returns",
    options: {
      bend: (ports, world) => ({
        ...ports,
        dial: (address, listener) => ports.dial(world.clock.elapsedMs > STUCK_FROM_MS ? NOWHERE : address, listener),
      }),
    },
  },
  {
    name: "asks-twice",
    what: "Whatever is asked of an origin is asked of it on a second connection, too.",
    scenario: "name-moves",
    checker: "origins spared",
    options: bending((ports) => ({
      dial: writing(ports.dial, (socket, bytes, write) => {
        const copy = Buffer.from(bytes);
        const address: Address = { ip: socket.remoteAddress, port: socket.remotePort, family: 4 };
        const second = ports.dial(address, { ...DEAF, onConnect: () => void second.write(copy) });
        return write(bytes);
      }),
    })),
  },
  {
    name: "emptied",
    what: "The gateway says of a pool that nothing of it may be used.",
    scenario: "calm",
    checker: "pool never empty",
    options: { onWorld: (world) => void world.samples.push({ atMs: 0, pool: "a", addresses: 3, available: 0 }) },
  },
  {
    name: "throws",
    what: "A port throws in the middle of an exchange.",
    scenario: "calm",
    checker: "runs to its end",
    options: bending(({ newId }) => {
      let ids = 0;
      return {
        newId: () => {
          ids += 1;
          if (ids === 50) throw new Error("no more ids");
          return newId();
        },
      };
    }),
  },
];

// -------------------------------------------------------------------- inside

type Writing = (socket: SocketPort, bytes: Buffer, write: (bytes: Buffer) => boolean) => boolean;

function bending(bend: (ports: GatewayPorts) => Partial<GatewayPorts>): {
  bend: (ports: GatewayPorts, world: World) => GatewayPorts;
} {
  return { bend: (ports) => ({ ...ports, ...bend(ports) }) };
}

function hearing(dial: Dial, change: (bytes: Buffer, start: number, end: number) => void): Dial {
  return (address, listener) => {
    const heard = bound(listener);
    return dial(address, {
      ...heard,
      onData(bytes, start, end) {
        change(bytes, start, end);
        heard.onData(bytes, start, end);
      },
    });
  };
}

function writing(dial: Dial, how: Writing): Dial {
  return (address, listener) => rewritten(dial(address, listener), how);
}

function accepting(listen: Listen, change: (socket: SocketPort) => SocketPort): Listen {
  return (bind, onSocket, options) => listen(bind, (socket) => onSocket(change(socket)), options);
}

/** The same socket with another `write`. */
function rewritten(socket: SocketPort, how: Writing): SocketPort {
  const write = socket.write.bind(socket);
  return Object.assign(socket, { write: (bytes: Buffer) => how(socket, bytes, write) });
}

/** Calls of a listener as functions of their own. */
function bound(listener: SocketListener): SocketListener {
  return {
    onConnect: () => listener.onConnect(),
    onData: (bytes, start, end) => listener.onData(bytes, start, end),
    onDrain: () => listener.onDrain(),
    onFin: () => listener.onFin(),
    onError: (error) => listener.onError(error),
    onClose: () => listener.onClose(),
    onFault: (error) => listener.onFault(error),
  };
}
