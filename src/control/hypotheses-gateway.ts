/** What may be wrong here: a process that stands still, limits of its own, a worker unlike the others, a defence that hits friends. */
import type { Evidence } from "../contract/evidence.ts";
import type { CauseId } from "../kernel/causes.ts";
import { certificateIn } from "../contract/verdict/handshakes.ts";
import { Weighing } from "./claim.ts";
import { CRASH_LOOP } from "./crash-watch.ts";
import type { Claim } from "./claim.ts";
import { said } from "./hypotheses-origin.ts";
import type { Signs } from "./signs.ts";
import { figure, part, percent, unique } from "./signs.ts";

const WALLS: readonly CauseId[] = ["gw.fd_exhausted", "gw.ports_exhausted", "gw.mem_or_buffers"];

export function gatewayClaims(signs: Signs): Claim[] {
  return [
    ...crashClaims(signs),
    ...starved(signs),
    ...wall(signs),
    ...drift(signs),
    ...selfBlock(signs),
    ...clock(signs),
  ];
}

/** Told by the supervisor, which sees each end; nothing else has to be weighed. */
export function crashClaims(signs: Signs): Claim[] {
  if (!signs.kinds.has("crash")) return [];
  const ends = signs.case.events.filter(({ event }) => event.kind === "gateway" && event.code === CRASH_LOOP);
  const last = new Map(ends.map((fact) => [`${fact.node}/${fact.worker}`, fact]));
  const crashing = [...last.values()];
  const [only] = crashing;
  if (only === undefined) return [];
  const isOne = crashing.length === 1;
  const nodes = unique(crashing.map(({ node }) => node)).join(", ");
  const where: Record<string, string> = isOne ? { worker: `${only.node}/${only.worker}` } : { node: nodes };
  const weighing = new Weighing(
    "gw.crash_loop",
    isOne
      ? `Worker ${only.worker} of ${nodes} crashes again and again`
      : `${crashing.length} workers of ${nodes} crash again and again`,
    where,
  );
  for (const { node, worker, at, event } of crashing.slice(0, CRASHING_CITED)) {
    const text = event.kind === "gateway" ? event.detail : "";
    weighing.speaksFor(4.5 / Math.min(crashing.length, CRASHING_CITED), {
      text: `Worker ${worker} of ${node}: ${text}.`,
      cites: [{ kind: "event", at, code: CRASH_LOOP, text }],
    });
  }
  return [weighing.done()];
}

const CRASHING_CITED = 5;

/** As many certificates do not run out in the same minutes. */
const CERTIFICATES_MIN = 3;

function clock(signs: Signs): Claim[] {
  const timed = part(signs, "tls.cert_time");
  const certificates = unique(
    signs.case.samples
      .flatMap(({ attempts }) => attempts)
      .filter(({ cause }) => cause === "tls.cert_time")
      .map(({ evidence }) => certificateIn(evidence)),
  );
  if (timed < 0.5 || certificates.length < CERTIFICATES_MIN) return [];
  const different = figure(signs, `${certificates.length} different certificates were out of date at once.`, {
    name: "certificates out of date",
    value: certificates.length,
    unit: "certificates",
  });
  return [
    new Weighing("gw.clock_wrong", "This machine's clock makes good certificates look out of date")
      .speaksFor(3.5, different)
      .speaksFor(2.5, said(signs, ["tls.cert_time"]))
      .done(),
  ];
}

function starved(signs: Signs): Claim[] {
  const stalls = part(signs, "gw.loop_stall");
  if (signs.stallSeconds < 2 && stalls < 0.3) return [];
  const most = Math.max(0, ...signs.tellers.map(({ loopDelayMaxMs }) => loopDelayMaxMs));
  const where = stalledWorker(signs);
  const stood = figure(
    signs,
    `The gateway's loop was late in ${signs.stallSeconds} s, by up to ${Math.round(most)} ms.`,
    {
      name: "loop delay",
      where,
      value: most,
      usual: 0,
      unit: "ms",
    },
  );
  const together = figure(signs, `${percent(signs.stalledPart)} of what went wrong did so in those seconds.`, {
    name: "failures while the loop was late",
    where,
    value: signs.stalledPart,
    unit: "ratio",
  });
  const origins = unique([...signs.failing, ...signs.slow].map(({ origin }) => origin));
  const tried = unique(signs.here.filter(({ attempts }) => attempts >= 3).map(({ origin }) => origin));
  const all = figure(signs, `${origins.length} of ${tried.length} origins looked bad at the same time.`, {
    name: "origins that looked bad",
    value: origins.length,
    unit: "origins",
  });
  return [
    new Weighing("gw.starved", "The gateway itself stood still", where)
      .speaksFor(2.5, stood, signs.stallSeconds >= 2)
      .speaksFor(2, said(signs, ["gw.loop_stall"]), stalls >= 0.3)
      .speaksFor(1.5, together, signs.stalledPart >= 0.4 && signs.bad > 0)
      .speaksFor(1, all, tried.length >= 2 && origins.length === tried.length)
      .speaksAgainst(2, all, origins.length === 1 && tried.length >= 3)
      .speaksAgainst(1.5, together, signs.stalledPart < 0.2 && signs.bad >= 10 && stalls < 0.1)
      .done(),
  ];
}

function stalledWorker(signs: Signs): Record<string, string> {
  const stalled = signs.tellers.filter(({ stallSeconds }) => stallSeconds >= 2);
  const [only] = stalled;
  return only !== undefined && stalled.length === 1 && signs.tellers.length > 1
    ? { worker: `${only.node}/${only.worker}` }
    : { node: unique(stalled.map(({ node }) => node)).join(", ") || (signs.tellers[0]?.node ?? "") };
}

function wall(signs: Signs): Claim[] {
  const caused = part(signs, ...WALLS);
  const atWall = signs.tellers.filter(({ wallSeconds }) => wallSeconds >= 2);
  if (caused < 0.3 && atWall.length === 0) return [];
  const names = part(signs, "dns.nxdomain");
  const limit =
    atWall[0]?.wall ??
    (part(signs, "gw.ports_exhausted") > 0
      ? "local ports"
      : part(signs, "gw.mem_or_buffers") > 0
        ? "memory for sockets"
        : "descriptors");
  const where = { node: atWall[0]?.node ?? signs.tellers[0]?.node ?? "", limit };
  const reached = figure(signs, `The ${limit} of this process were all in use for ${atWall[0]?.wallSeconds ?? 0} s.`, {
    name: "time at the limit",
    where,
    value: atWall[0]?.wallSeconds ?? 0,
    unit: "s",
  });
  return [
    new Weighing("gw.resource_wall", `The gateway has no ${limit} left`, where)
      .speaksFor(3.5, said(signs, WALLS), caused >= 0.3)
      .speaksFor(2, reached, atWall.length > 0)
      .speaksFor(2, said(signs, ["dns.nxdomain"]), atWall.length > 0 && names >= 0.3)
      .speaksFor(1, said(signs, ["gw.shed"]), atWall.length > 0 && part(signs, "gw.shed") >= 0.5)
      .done(),
  ];
}

/** That failures are at a few workers, while the others do the same with the same origins and do well; null: it is not so. */
export function atSomeWorkers(signs: Signs): { readonly names: string; readonly split: Evidence } | null {
  const { byTeller, tellers } = signs;
  if (byTeller === null || tellers.length < 2 || byTeller.values.length > tellers.length / 2) return null;
  const names = byTeller.values.join(", ");
  const split = figure(
    signs,
    `${percent(byTeller.explained)} of the failures are at ${names}, which has ${percent(byTeller.exposure)} of the exchanges of the routes that fail.`,
    {
      name: "failures",
      where: { worker: names },
      value: byTeller.explained,
      usual: byTeller.exposure,
      unit: "ratio",
    },
  );
  return { names, split };
}

function drift(signs: Signs): Claim[] {
  const at = atSomeWorkers(signs);
  if (at === null) return [];
  const { names, split } = at;
  const { tellers } = signs;
  const apart = new Set(signs.byTeller?.values);
  const origins = unique(signs.failing.map(({ origin }) => origin));
  const even = figure(signs, `It fails there towards ${origins.length} origins.`, {
    name: "origins",
    value: origins.length,
    unit: "origins",
  });
  const revisions = unique(tellers.flatMap(({ revisions: its }) => [...its]));
  const differs = figure(signs, `The workers serve by ${revisions.length} configurations.`, {
    name: "revisions",
    value: revisions.length,
    unit: "revisions",
  });
  const stall = tellers.some(({ node, worker, stallSeconds }) => apart.has(`${node}/${worker}`) && stallSeconds >= 2);
  return [
    new Weighing("gw.drift", `${names} is unlike the others`, { worker: names })
      .speaksFor(3.5, split)
      .speaksFor(0.7, even, origins.length !== 1)
      .speaksFor(1, differs, revisions.length > 1)
      .speaksAgainst(
        3,
        figure(signs, `It stood still in ${signs.stallSeconds} s.`, {
          name: "loop stalls",
          value: signs.stallSeconds,
          unit: "s",
        }),
        stall,
      )
      .done(),
  ];
}

function selfBlock(signs: Signs): Claim[] {
  if (!signs.kinds.has("refused")) return [];
  const refused = signs.routes.reduce(
    (all, { byCause }) => all + (byCause["client.flood"] ?? 0) + (byCause["client.rate_limited"] ?? 0),
    0,
  );
  if (refused === 0) return [];
  const hit = [...signs.case.networks].filter(([, { refused: count }]) => count > 0).map(([network]) => network);
  const known = hit.filter((network) => signs.watches.isFriend(network));
  const friends = figure(
    signs,
    `${refused} requests were refused; ${known.length} of ${hit.length} client networks that met it had been served well before.`,
    {
      name: "refused exchanges",
      value: refused,
      unit: "exchanges",
    },
  );
  return [
    new Weighing("gw.self_block", "A defence of the gateway refuses clients that were always welcome", {
      service: [...signs.services][0] ?? "",
      ...(known.length > 0 && known.length <= 3 ? { network: known.join(", ") } : {}),
    })
      .speaksFor(3.5, friends, known.length >= Math.max(1, hit.length * 0.5))
      .speaksAgainst(3, friends, known.length < hit.length * 0.5)
      .done(),
  ];
}
