/**
 * The composition root: it gives the commands the operating system's clocks, sockets, files and signals. A gateway is
 * put together in compose/. It decides nothing about traffic.
 */
import { styleText } from "node:util";
import { EXIT } from "./cli/exit-codes.ts";
import type { CliPorts, ReplayResult, Terminal } from "./cli/ports.ts";
import { runCli } from "./cli/program.ts";
import { codeOf, describe } from "./compose/error-text.ts";
import { readText, readTextAgain } from "./compose/read-text.ts";
import { startGateway } from "./compose/start-gateway.ts";
import { tryState } from "./compose/state.ts";
import { VERSION } from "./compose/version.ts";
import type { DnsSettings } from "./config/settings.ts";
import type { Resolution } from "./kernel/resolver.ts";
import { fetchJson } from "./net/admin-client.ts";
import { systemChance } from "./net/chance.ts";
import { systemClock, systemSchedule } from "./net/clock.ts";
import { readConfigurationLeft, TESTAMENT } from "./net/heritage.ts";
import { readMachineFacts } from "./net/machine-facts.ts";
import { dateToldBy, tryBind, tryConnect, tryHandshake } from "./net/reach.ts";
import { tellOfFailure } from "./net/predecessor.ts";
import { createResolver } from "./net/resolver.ts";
import { startSampleOrigins } from "./net/sample-origins.ts";
import { linesOf } from "./store/lines.ts";

async function main(): Promise<void> {
  // A reader that went away (`goodgate status | head -1`) is no fault, and a gateway outlives its terminal.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  // An upgrade that is asked for before there is anything to upgrade ends nothing.
  process.on("SIGUSR2", () => undefined);
  // Timers and some sockets of the parts do not keep a process alive, rightly; a command under way does.
  const underWay = setInterval(() => undefined, 2 ** 30);
  const ports = cliPorts();
  const said = { first: "" };
  const stderr = (text: string): void => {
    if (said.first.length < SAID_MAX) said.first += text;
    ports.stderr(text);
  };
  try {
    process.exitCode = await runCli(process.argv.slice(2), { ...ports, stderr });
  } catch (error) {
    stderr(`goodgate: a fault in Goodgate itself (gw.internal):\n${describe(error)}\n`);
    process.exitCode = EXIT.internal;
  }
  clearInterval(underWay);
  // The process whose place it was to take says why it does not.
  if (ports.isSuccessor && process.exitCode !== EXIT.ok) await tellOfFailure(said.first);
  // What a pipe had no room for yet is still here (64 KiB on Linux), and whoever reads it wants all of it.
  await Promise.all([process.stdout, process.stderr].map((stream) => written(stream, ports.hasServed())));
  // Whatever still holds a socket has nothing more to say.
  process.exit();
}

/** How long a gateway that ends waits for a reader that may be stuck. A command waits for as long as it has one. */
const LAST_WORDS_MS = 1_000;

function written(stream: NodeJS.WriteStream, hasServed: boolean): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    // Called as well when the reader goes away.
    stream.write("", () => {
      resolve();
    });
    if (hasServed) setTimeout(resolve, LAST_WORDS_MS);
  });
}

/** Characters that may be of interest to others. */
const SAID_MAX = 2_000;

function cliPorts(): CliPorts & { hasServed(): boolean } {
  let hasServed = false;
  return {
    hasServed: () => hasServed,
    version: VERSION,
    env: process.env,
    terminal: terminalOf(process.stdout),
    errorTerminal: terminalOf(process.stderr),
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    readFile: process.env[TESTAMENT] === undefined ? readText : readTextAgain,
    replayFacts,
    fetchJson,
    isSuccessor: process.env[TESTAMENT] !== undefined,
    configurationLeft: () => readConfigurationLeft(process.env),
    startGateway: (...parts) => {
      hasServed = true;
      return startGateway(...parts);
    },
    startSamples: () => startSampleOrigins({ clock: systemClock, schedule: systemSchedule }),
    async makeDevCertificate(directory, hosts) {
      // What makes certificates is large, and a gateway never needs it.
      const { makeDevCertificate } = await import("./net/dev-certificates.ts");
      return makeDevCertificate(directory, hosts, systemClock.wall());
    },
    wall: () => systemClock.wall(),
    pause: createPause(),
    machine: { facts: readMachineFacts, tryBind, tryConnect, tryHandshake, tryState, resolve: resolveOnce, dateToldBy },
  };
}

function terminalOf(stream: NodeJS.WriteStream): Terminal {
  return {
    isTerminal: stream.isTTY,
    columns: stream.isTTY ? stream.columns : 100,
    // Knows NO_COLOR, FORCE_COLOR and what the stream is.
    paint: (style, text) => styleText(style, text, { stream }),
  };
}

async function replayFacts(path: string): Promise<ReplayResult> {
  try {
    // A gateway itself never needs the engine: it is the control process that thinks.
    const { replay } = await import("./control/replay.ts");
    const { factLines, holdsFacts } = await import("./store/recorded-facts.ts");
    return { ok: true, ...(await replay(holdsFacts(path) ? factLines(path) : linesOf(path))) };
  } catch (error) {
    return { ok: false, code: codeOf(error) };
  }
}

/** From the first wait on Ctrl-C asks a command that repeats itself to end, also while it is doing something else. */
function createPause(): (ms: number) => Promise<boolean> {
  let listening = false;
  let stopped = false;
  let wake: () => void = () => undefined;
  return async (ms) => {
    if (!listening) {
      listening = true;
      process.on("SIGINT", () => {
        stopped = true;
        wake();
      });
    }
    if (!stopped) {
      await new Promise<void>((resolve) => {
        const cancel = systemSchedule(ms, resolve);
        wake = () => {
          cancel();
          resolve();
        };
      });
    }
    return !stopped;
  };
}

async function resolveOnce(name: string, dns: DnsSettings): Promise<Resolution> {
  const resolver = createResolver({ dns, clock: systemClock, chance: systemChance, schedule: systemSchedule });
  const resolution = await new Promise<Resolution>((resolve) => resolver.resolve(name, resolve));
  resolver.close();
  return resolution;
}

await main();
