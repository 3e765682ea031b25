/** What load and clients may do: more work than fits, repeats that are the load, an overload that outlives its trigger, people who leave. */
import type { CauseId } from "../kernel/causes.ts";
import { Weighing } from "./claim.ts";
import type { Claim } from "./claim.ts";
import { isProviders } from "./hypotheses-network.ts";
import { loadEvidence, said } from "./hypotheses-origin.ts";
import type { Signs } from "./signs.ts";
import { figure, part, percent } from "./signs.ts";

const PRESSED: readonly CauseId[] = [
  "gw.shed",
  "gw.pool_wait",
  "gw.deadline",
  "origin.ttfb_timeout",
  "origin.deadline",
  "origin.overload_reply",
];

export function loadClaims(signs: Signs): Claim[] {
  return [...surge(signs), ...storms(signs), ...leaving(signs), ...silent(signs)];
}

function surge(signs: Signs): Claim[] {
  const pressed = part(signs, ...PRESSED);
  if (!signs.roseFirst && signs.loadFactorBefore < 1.3 && signs.loadFactor < 1.3) return [];
  if (pressed < 0.4 && signs.slowPart < 0.1) return [];
  const attempts = attemptsEvidence(signs);
  const load = loadEvidence(signs);
  return [
    new Weighing("client.surge", "More work came than fits", {
      service: [...signs.services][0] ?? "",
      ...(signs.byNetwork === null ? {} : { network: signs.byNetwork.values.slice(0, 3).join(", ") }),
    })
      .speaksFor(3, load, signs.roseFirst)
      .speaksFor(1, load, signs.loadFactor >= 1.3)
      .speaksFor(1, said(signs, PRESSED), pressed >= 0.5)
      .speaksFor(0.5, attempts, signs.attemptsFactor < 1.2)
      .speaksAgainst(1.5, load, signs.loadFactorBefore < 1.2 && !signs.roseFirst)
      .speaksAgainst(3, lullEvidence(signs), signs.lullSeconds > 0)
      .speaksAgainst(3, said(signs, NAMES), part(signs, ...NAMES) >= 0.5)
      .speaksAgainst(2, attempts, signs.attemptsFactor >= 1.3)
      .speaksAgainst(3, load, hadTrigger(signs))
      .done(),
  ];
}

function storms(signs: Signs): Claim[] {
  const pressed = part(signs, ...PRESSED);
  const attempts = attemptsEvidence(signs);
  const load = loadEvidence(signs);
  const retried = signs.exchanges === 0 ? 0 : signs.retries / signs.exchanges;
  const repeats = figure(signs, `${percent(retried)} of the exchanges were repeated here.`, {
    name: "repeats per exchange",
    value: retried,
    unit: "ratio",
  });
  const elsewhere = figure(signs, "It fails with one provider only, and what is repeated elsewhere is served there.", {
    name: "rescued exchanges",
    value: signs.rescued,
    unit: "exchanges",
  });
  const claims: Weighing[] = [];
  const grewAfter = signs.loadFactorBefore < 1.25 && signs.loadFactor >= 1.4 && !signs.roseFirst;
  if (pressed >= 0.4 && (signs.attemptsFactor >= 1.25 || grewAfter)) {
    claims.push(
      new Weighing("sys.retry_storm", "Repeats are the load", { service: [...signs.services][0] ?? "" })
        .speaksFor(2.5, attempts, signs.attemptsFactor >= 1.25 && retried >= 0.1)
        .speaksFor(2.5, load, grewAfter)
        .speaksFor(0.7, repeats, retried >= 0.1)
        .speaksFor(0.5, said(signs, PRESSED))
        .speaksAgainst(3, lullEvidence(signs), signs.lullSeconds > 0)
        .speaksAgainst(2, load, signs.loadFactorBefore >= 1.4)
        // Repeats that find somebody who answers are no load that feeds itself.
        .speaksAgainst(2, elsewhere, isProviders(signs) && signs.loadFactor < 1.3),
    );
  }
  if (pressed >= 0.3 && signs.lullSeconds > 0) {
    claims.push(
      new Weighing("sys.herd", "Everybody came back at once", { service: [...signs.services][0] ?? "" })
        .speaksFor(3.5, lullEvidence(signs))
        .speaksFor(1, load, signs.loadFactor >= 1.3)
        .speaksFor(0.5, said(signs, PRESSED), pressed >= 0.5),
    );
  }
  if (signs.attemptsFactor >= 1.5 && retried < 0.1) {
    claims.push(
      new Weighing("sys.stampede", "The cache was lost, origins get everything", {
        service: [...signs.services][0] ?? "",
      })
        .speaksFor(3.5, attempts)
        .speaksFor(0.7, load, signs.loadFactor < 1.3)
        .speaksAgainst(1, load, signs.loadFactorBefore >= 1.5),
    );
  }
  const lastMs = signs.case.to - signs.firstFailureAt;
  if (pressed >= 0.5 && lastMs >= 30_000 && hadTrigger(signs)) {
    claims.push(
      new Weighing("sys.metastable", "An overload keeps itself up", { service: [...signs.services][0] ?? "" })
        .speaksFor(2, said(signs, PRESSED))
        .speaksFor(
          3,
          figure(signs, "The load is as always again, and it goes on failing.", {
            name: "exchanges per second against the usual",
            value: signs.loadFactor,
            usual: 1,
            unit: "ratio",
          }),
        ),
    );
  }
  return claims.map((weighing) => weighing.done());
}

/** Seconds of nothing, and then more than ever. */
function lullEvidence(signs: Signs): ReturnType<typeof figure> {
  return figure(signs, `For ${signs.lullSeconds} s nobody came or nobody was answered; then more came than usual.`, {
    name: "time without answers before",
    value: signs.lullSeconds,
    usual: 0,
    unit: "s",
  });
}

const NAMES: readonly CauseId[] = ["dns.timeout", "dns.servfail"];

/** The load was high for a while after the beginning and is as always since, and it fails on. */
function hadTrigger(signs: Signs): boolean {
  const all = signs.case.seconds.filter(({ service }) => signs.services.has(service));
  const last = all.findLastIndex((second) => second.bad >= Math.max(1, second.exchanges * 0.2));
  const seconds = all.slice(0, last + 1);
  const tail = seconds.slice(-15);
  const usual = signs.usualPerSecond;
  if (usual === 0 || tail.length < 15) return false;
  const rate = (stretch: typeof seconds): number =>
    stretch.reduce((sum, { exchanges }) => sum + exchanges, 0) / Math.max(1, stretch.length);
  const bad =
    tail.reduce((all, second) => all + second.bad, 0) /
    Math.max(
      1,
      tail.reduce((all, second) => all + second.exchanges, 0),
    );
  const peaks = seconds.filter(({ exchanges }) => exchanges >= usual * 1.5).length;
  return peaks >= 5 && rate(tail) < usual * 1.25 && bad >= 0.3;
}

function leaving(signs: Signs): Claim[] {
  if (!signs.kinds.has("left")) return [];
  const leftPart = signs.exchanges === 0 ? 0 : signs.left / signs.exchanges;
  const left = figure(signs, `${signs.left} clients (${percent(leftPart)}) left before their answer.`, {
    name: "clients that left",
    value: signs.left,
    unit: "exchanges",
  });
  const isSlow = signs.kinds.has("slow origin") || signs.slow.length > 0;
  const latency = figure(
    signs,
    isSlow ? `${percent(signs.slowPart)} of the answers are slow.` : "Those who stayed were answered as fast as ever.",
    { name: "slow answers", value: signs.slowPart, unit: "ratio" },
  );
  const network = signs.byNetwork;
  const who = figure(signs, `${network?.values.join(", ") ?? ""} had ${percent(network?.explained ?? 0)} of them.`, {
    name: "clients that left",
    where: { network: network?.values.join(", ") ?? "" },
    value: network?.explained ?? 0,
    unit: "ratio",
  });
  return [
    new Weighing("client.abort_wave", "Many clients leave before their answer", {
      service: [...signs.services][0] ?? "",
      ...(network === null || network.values.length > 3 ? {} : { network: network.values.join(", ") }),
    })
      .speaksFor(2, left)
      .speaksFor(1.5, latency, !isSlow)
      .speaksFor(0.7, who, network !== null)
      .speaksAgainst(3, latency, isSlow)
      .done(),
  ];
}

function silent(signs: Signs): Claim[] {
  if (!signs.kinds.has("silence")) return [];
  const service = [...signs.services][0] ?? "";
  const usual = signs.watches.services.get(service)?.silence.perSecond ?? 0;
  const none = figure(
    signs,
    `Nothing was asked of ${service}, where ${Math.round(usual * 10) / 10} requests come in a second.`,
    {
      name: "exchanges per second",
      where: { service },
      value: 0,
      usual,
      unit: "exchanges/s",
    },
  );
  const others = [...signs.watches.services.values()].some(
    (watch) => watch.service !== service && !watch.silence.alarm && watch.normal.perSecond > 0,
  );
  const elsewhere = figure(signs, "Other services are asked as always.", {
    name: "other services",
    value: 1,
    unit: "services",
  });
  return [
    new Weighing("front.silence", `Requests to ${service} stopped arriving`, { service })
      .speaksFor(3.5, none)
      .speaksFor(0.5, elsewhere, others)
      .speaksAgainst(3, said(signs, ["origin.refused"]), signs.bad > 10)
      .done(),
  ];
}

function attemptsEvidence(signs: Signs): ReturnType<typeof figure> {
  return figure(
    signs,
    `Origins were asked ${percent(signs.attemptsFactor)} of the usual number of times per exchange.`,
    {
      name: "attempts per exchange against the usual",
      value: signs.attemptsFactor,
      usual: 1,
      unit: "ratio",
    },
  );
}
