#!/usr/bin/env node
/**
 * The entry of the command, plain JavaScript that any Node since 18 can read. The program itself needs
 * Node 24.15 (it runs TypeScript unbuilt in a checkout), so on an older one this starts the Node that
 * the project brings as an optional package, or says what to install.
 *
 * A checkout runs its sources, the published package its build: whichever there is, so that nobody runs a
 * stale build by accident.
 */
import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import * as nodeModule from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const NEEDED = [24, 15];
/** Set for the child, so that a bundled Node that is itself too old ends in words and not in a loop. */
const GUARD = "GOODGATE_REEXECUTED";
/** As in src/cli/exit-codes.ts. */
const CANNOT_START = 4;

// npm link, npx and package managers reach this file through symlinks; the packages lie beside its real place.
const root = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));

if (isNewEnough(process.versions.node)) {
  const source = join(root, "src", "main.ts");
  const isCheckout = existsSync(source);
  // Stripping the types of all sources takes half a second of CPU, which a short command would feel. Kept in
  // the project itself: what lies in a shared temporary folder could have been put there by somebody else.
  if (isCheckout) nodeModule.enableCompileCache?.(join(root, "node_modules", ".cache", "goodgate"));
  try {
    await import(pathToFileURL(isCheckout ? source : join(root, "dist", "main.js")).href);
  } catch (error) {
    // A process whose place this one was to take says why it does not.
    if (process.env.GOODGATE_TESTAMENT !== undefined) process.send?.({ kind: "failed", said: String(error) });
    throw error;
  }
} else {
  const bundled = process.env[GUARD] === undefined ? bundledNode() : null;
  if (bundled === null) {
    process.stderr.write(
      `goodgate: needs Node ${NEEDED.join(".")} or newer; this is ${process.versions.node} (${process.execPath}).\n` +
        "  In a checkout,  npm ci  brings a fitting one along on Linux (x64 and arm64).\n" +
        "  Otherwise install Node 24 or newer:  https://nodejs.org/en/download\n",
    );
    process.exitCode = CANNOT_START;
  } else {
    handOver(bundled);
  }
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1]);
}

/** Looks in this package's own node_modules and in those above it, where a package manager may have hoisted it. */
function bundledNode() {
  for (let folder = root; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", `node-${process.platform}-${process.arch}`, "bin", "node");
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return null;
  }
}

function handOver(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, [GUARD]: "1" },
  });
  // Ctrl-C in a terminal reaches both processes and so the child twice; npm doubles it too. The child takes
  // signals that come together for one, so everything may be passed on.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGQUIT"]) {
    process.on(signal, () => child.kill(signal));
  }
  child.on("error", (error) => {
    process.stderr.write(`goodgate: cannot start ${node}: ${error.message}\n`);
    process.exitCode = CANNOT_START;
  });
  child.on("close", (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0);
  });
}
