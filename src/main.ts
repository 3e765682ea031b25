/**
 * The composition root: the one file that knows every name. It gives the parts the operating system's
 * clocks, sockets, files and signals, and owns the life of the process. It decides nothing about traffic.
 *
 * An exception that nobody caught is a fault of this program (cause gw.internal) in the handling of one
 * socket or timer. It is printed and serving goes on: ending the process would break every other exchange
 * for one that is broken already. A process that throws again and again is past that; it drains and exits
 * with code 70, so that its supervisor starts a new one.
 */
import fs from "node:fs/promises";
import { readFileSync } from "node:fs";
import os from "node:os";
import { styleText } from "node:util";
import { createAdmin } from "./admin/admin.ts";
import { EXIT } from "./cli/exit-codes.ts";
import type { CliPorts, FileText, RunningGateway, StartResult, Terminal } from "./cli/ports.ts";
import { runCli } from "./cli/program.ts";
import type { DnsSettings, Settings } from "./config/settings.ts";
import { createGateway } from "./gateway/gateway.ts";
import type { Resolution } from "./kernel/resolver.ts";
import { fetchJson } from "./net/admin-client.ts";
import { startAdminServer } from "./net/admin-server.ts";
import type { AdminServer } from "./net/admin-server.ts";
import { createIdSource, systemChance } from "./net/chance.ts";
import { systemClock, systemSchedule } from "./net/clock.ts";
import { httpDate, tryBind, tryConnect } from "./net/reach.ts";
import { createResolver } from "./net/resolver.ts";
import { startSampleOrigins } from "./net/sample-origins.ts";
import { onStopSignal } from "./net/stop-signals.ts";
import { dialTcp } from "./net/tcp-dial.ts";
import { createListen } from "./net/tcp-listen.ts";
import { openAccessLog } from "./store/access-log.ts";
import type { AccessLog } from "./store/access-log.ts";
