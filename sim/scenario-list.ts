/** Every scenario, in the order in which they are run. */
import type { Scenario } from "./scenario.ts";
import { poison } from "./scenarios/poison.ts";
import { slowPage } from "./scenarios/slow-page.ts";
import { brokenSegments } from "./scenarios/broken-segments.ts";
import { stampede } from "./scenarios/stampede.ts";
import { stackedGateways } from "./scenarios/stacked-gateways.ts";
import { staleReuse } from "./scenarios/stale-reuse.ts";
import { flapping } from "./scenarios/flapping.ts";
import { sickKeys } from "./scenarios/sick-keys.ts";
import { fastFailing } from "./scenarios/fast-failing.ts";
import { grayOrigin } from "./scenarios/gray-origin.ts";
import { sickDependency } from "./scenarios/sick-dependency.ts";
import { slowNeighbour } from "./scenarios/slow-neighbour.ts";
import { herdOnReturn } from "./scenarios/herd-on-return.ts";
import { nameMoves } from "./scenarios/name-moves.ts";
import { namesShrink } from "./scenarios/names-shrink.ts";
import { namesVanish } from "./scenarios/names-vanish.ts";
import { allFail } from "./scenarios/all-fail.ts";
import { blackHole } from "./scenarios/black-hole.ts";
import { calm } from "./scenarios/calm.ts";
import { changes } from "./scenarios/changes.ts";
import { chaos } from "./scenarios/chaos.ts";
import { cutDownloads } from "./scenarios/cut-downloads.ts";
import { clientAborts } from "./scenarios/client-aborts.ts";
import { connectionFlood } from "./scenarios/connection-flood.ts";
import { dnsDark } from "./scenarios/dns-dark.ts";
import { dnsLoss } from "./scenarios/dns-loss.ts";
import { dnsMove } from "./scenarios/dns-move.ts";
import { doubtfulOrigin } from "./scenarios/doubtful-origin.ts";
import { drainUnderLoad } from "./scenarios/drain-under-load.ts";
import { earlyReply } from "./scenarios/early-reply.ts";
import { failover } from "./scenarios/failover.ts";
import { oneFailure } from "./scenarios/one-failure.ts";
import { hungOrigin } from "./scenarios/hung-origin.ts";
import { keyedPayments } from "./scenarios/keyed-payments.ts";
import { keepAliveRace } from "./scenarios/keep-alive-race.ts";
import { lyingChecks } from "./scenarios/lying-checks.ts";
import { ownStall } from "./scenarios/own-stall.ts";
import { peak } from "./scenarios/peak.ts";
import { powerCut } from "./scenarios/power-cut.ts";
import { powerCutOnePath } from "./scenarios/power-cut-one-path.ts";
import { refused } from "./scenarios/refused.ts";
import { resetAfterRequest } from "./scenarios/reset-after-request.ts";
import { reconnectHerd } from "./scenarios/reconnect-herd.ts";
import { resourceWall } from "./scenarios/resource-wall.ts";
import { retryStorm } from "./scenarios/retry-storm.ts";
import { rollingCrash } from "./scenarios/rolling-crash.ts";
import { sentAhead } from "./scenarios/sent-ahead.ts";
import { sickOrigin } from "./scenarios/sick-origin.ts";
import { slowReader } from "./scenarios/slow-reader.ts";
import { slowUpload } from "./scenarios/slow-upload.ts";
import { weakStandby } from "./scenarios/weak-standby.ts";
import { wrongTenant } from "./scenarios/wrong-tenant.ts";
import { oneWayCut } from "./scenarios/one-way-cut.ts";
import { purge } from "./scenarios/purge.ts";
import { liveStream } from "./scenarios/live-stream.ts";
import { poisonPins } from "./scenarios/poison-pins.ts";
import { latePool } from "./scenarios/late-pool.ts";
import { silentPool } from "./scenarios/silent-pool.ts";
import { truncation } from "./scenarios/truncation.ts";

export const SCENARIOS: readonly Scenario[] = [
  calm,
  changes,
  sentAhead,
  keepAliveRace,
  rollingCrash,
  refused,
  oneFailure,
  blackHole,
  silentPool,
  latePool,
  powerCut,
  powerCutOnePath,
  resetAfterRequest,
  hungOrigin,
  sickOrigin,
  truncation,
  cutDownloads,
  doubtfulOrigin,
  earlyReply,
  slowReader,
  slowUpload,
  clientAborts,
  allFail,
  failover,
  dnsLoss,
  dnsDark,
  dnsMove,
  lyingChecks,
  ownStall,
  drainUnderLoad,
  chaos,
  namesShrink,
  namesVanish,
  nameMoves,
  wrongTenant,
  grayOrigin,
  fastFailing,
  sickKeys,
  staleReuse,
  brokenSegments,
  liveStream,
  stackedGateways,
  connectionFlood,
  flapping,
  oneWayCut,
  stampede,
  purge,
  weakStandby,
  sickDependency,
  retryStorm,
  herdOnReturn,
  reconnectHerd,
  resourceWall,
  peak,
  slowNeighbour,
  poison,
  poisonPins,
  slowPage,
  keyedPayments,
];
