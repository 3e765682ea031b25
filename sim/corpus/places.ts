/** The services that disturbances of the corpus happen to: one with two providers, a small one beside it, one with a single pool, one with both address families. */
import type { ModelAddress, ModelRoute, ModelService, ModelSetup } from "./model.ts";

const ROUTES: readonly ModelRoute[] = [
  { name: "pay", class: "critical", weight: 1, ms: 60, method: "POST" },
  { name: "cart", class: "normal", weight: 4, ms: 25, method: "GET" },
  { name: "feed", class: "background", weight: 2, ms: 40, method: "GET" },
];

function pool(service: string, name: string, provider: string, count: number, zone: string): ModelAddress[] {
  return Array.from({ length: count }, (_, index) => ({
    service,
    pool: name,
    provider,
    origin: `http://${name}${index + 1}.${zone}:3000`,
    address: `${provider === "alpha" ? "10.1" : provider === "beta" ? "10.2" : "10.3"}.${service.length}.${index + 1}:3000`,
    family: "IPv4",
  }));
}

export function shop(perSecond: number): ModelService {
  return {
    name: "shop",
    perSecond,
    routes: ROUTES,
    addresses: [
      ...pool("shop", "a", "alpha", 4, "shop-alpha.example"),
      ...pool("shop", "b", "beta", 3, "shop-beta.example"),
    ],
    hasChecks: true,
    objective: 0.999,
  };
}

export function mail(perSecond: number): ModelService {
  return {
    name: "mail",
    perSecond,
    routes: [
      { name: "inbox", class: "normal", weight: 3, ms: 35, method: "GET" },
      { name: "send", class: "critical", weight: 1, ms: 80, method: "POST" },
    ],
    addresses: [
      ...pool("mail", "m", "alpha", 2, "mail-alpha.example"),
      ...pool("mail", "n", "beta", 2, "mail-beta.example"),
    ],
    hasChecks: true,
    objective: null,
  };
}

/** Everything with one provider. */
export function solo(perSecond: number): ModelService {
  return {
    name: "solo",
    perSecond,
    routes: ROUTES,
    addresses: pool("solo", "s", "gamma", 3, "solo.example"),
    hasChecks: true,
    objective: 0.999,
  };
}

/** Each origin at one address of each family. */
export function dual(perSecond: number): ModelService {
  const addresses = [1, 2, 3].flatMap((index): ModelAddress[] => {
    const at = { service: "dual", pool: "d", provider: "alpha", origin: `http://d${index}.dual.example:80` };
    return [
      { ...at, address: `10.4.0.${index}:80`, family: "IPv4" },
      { ...at, address: `[2001:db8::${index}]:80`, family: "IPv6" },
    ];
  });
  return { name: "dual", perSecond, routes: ROUTES, addresses, hasChecks: false, objective: null };
}

export function two(perSecond: number): ModelSetup {
  return { services: [shop(perSecond), mail(perSecond / 2)], workers: 1, networks: 60 };
}

export function one(perSecond: number): ModelSetup {
  return { services: [solo(perSecond)], workers: 1, networks: 60 };
}

export const ELSEWHERE = "198.51.100.7:3000";

/** As `two`; one origin has two addresses, of which a fault says when it is which. */
export function moved(perSecond: number): ModelSetup {
  const { services, ...rest } = two(perSecond);
  const [first, ...others] = services;
  const at = first?.addresses[0];
  if (first === undefined || at === undefined) return { services, ...rest };
  return {
    services: [{ ...first, addresses: [...first.addresses, { ...at, address: ELSEWHERE }] }, ...others],
    ...rest,
  };
}
