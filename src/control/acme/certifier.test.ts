/** On virtual time, with authorities that say what a test wants of them. */
import { expect, test } from "vitest";
import type { AcmeMaterial } from "../../contract/acme.ts";
import { manualSchedule } from "../../../test/support/manual-schedule.ts";
import { ONLY_HOLDER, createCertifier } from "./certifier.ts";
import type { Issued, IssueOrder } from "../../contract/acme.ts";
import type { Certifier, CertificateShelf, RenewalInfo, ShelfContent } from "./certifier.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const EMPTY: ShelfContent = { names: [], authorities: [], certificates: [] };

interface World {
  readonly certifier: Certifier;
  /** Every order, as `NAME at AUTHORITY`. */
  readonly orders: string[];
  readonly published: AcmeMaterial[];
  readonly told: string[];
  readonly now: () => number;
  /** What is kept, as the next process finds it. */
  readonly kept: () => ShelfContent;
  info: RenewalInfo | null;
  /** Whenever something is written down, which takes as long as the disk likes. */
  onKeep: () => void;
  answer: (url: string, order: IssueOrder) => Promise<Issued> | Issued;
  /** In steps, with time for what is asked in between. */
  pass(ms: number, step?: number): Promise<void>;
}

function world(kept: ShelfContent = EMPTY, names = ["a.test"]): World {
  const time = manualSchedule();
  let content = kept;
  const shelf: CertificateShelf = {
    kept,
    keepCertificate(pair, states) {
      here.onKeep();
      const others = content.certificates.filter(({ name }) => name !== pair.name);
      content = { ...structuredClone(states), certificates: [...others, pair] };
      return Promise.resolve("kept");
    },
    keepStates(states) {
      here.onKeep();
      content = { ...content, ...structuredClone(states) };
      return Promise.resolve("kept");
    },
  };
  const here: World = {
    certifier: createCertifier(
      { names, authorities: ["https://one", "https://two"], challenges: ["http-01", "tls-alpn-01"], perWeekMax: 4 },
      {
        clock: time.clock,
        schedule: time.schedule,
        chance: () => 0.5,
        shelf,
        lease: ONLY_HOLDER,
        authorityAt: (url) => ({
          url,
          async issue(order) {
            here.orders.push(`${order.name} at ${url}`);
            return here.answer(url, order);
          },
          renewalInfo: () => Promise.resolve(here.info),
        }),
        publish(material) {
          here.published.push(material);
          return Promise.resolve();
        },
        tell: (code, detail) => here.told.push(`${code}: ${detail}`),
      },
    ),
    orders: [],
    published: [],
    told: [],
    now: () => time.clock.wall(),
    kept: () => content,
    info: null,
    onKeep: () => undefined,
    answer: () => good(here),
    async pass(ms, step = HOUR) {
      for (let left = ms; left > 0; left -= step) {
        time.advance(Math.min(left, step));
        // oxlint-disable-next-line no-await-in-loop -- A look is a handful of promises.
        for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
      }
    },
  };
  return here;
}

let serial = 0;

function good({ now }: World, days = 90): Issued {
  serial += 1;
  return { ok: true, cert: `cert ${serial}`, key: "key", notBefore: now(), notAfter: now() + days * DAY };
}

function bad(fault: "authority" | "name", retryAfterMs = -1): Issued {
  return { ok: false, fault, detail: "no", retryAfterMs };
}

test("what is missing is ordered, proven, published and kept", async () => {
  const here = world();
  here.answer = async (_url, { present }) => {
    await present({ kind: "http-01", token: "t", answer: "t.k" });
    return good(here);
  };
  here.certifier.start();
  await here.pass(HOUR);
  expect(here.orders).toEqual(["a.test at https://one"]);
  const [proof, after] = here.published;
  expect(proof?.tokens).toEqual([{ token: "t", answer: "t.k" }]);
  expect(after).toMatchObject({ tokens: [], certificates: [{ name: "a.test" }] });
  expect(here.certifier.list()).toMatchObject([{ state: "good", authority: "https://one", lately: 1 }]);

  const next = world(here.kept());
  expect(next.certifier.material.certificates).toMatchObject([{ name: "a.test" }]);
  next.certifier.start();
  await next.pass(DAY);
  expect(next.orders).toEqual([]);
});

test("it is called good when those who serve have it, and not before", async () => {
  const here = world();
  const seen: { readonly isGood: boolean; readonly isShown: boolean }[] = [];
  here.onKeep = () => {
    const isShown = here.published.some(({ certificates }) => certificates.length > 0);
    seen.push({ isGood: here.certifier.list()[0]?.state === "good", isShown });
  };
  here.certifier.start();
  await here.pass(2 * HOUR);
  expect(seen).toContainEqual({ isGood: true, isShown: true });
  expect(seen).not.toContainEqual({ isGood: true, isShown: false });
});

test("it is renewed at two thirds of its life, and the old one stays while that fails", async () => {
  const here = world();
  here.certifier.start();
  await here.pass(50 * DAY);
  expect(here.orders.length).toBe(1);
  const first = here.published.at(-1)?.certificates[0]?.cert;
  here.answer = () => bad("name");
  await here.pass(15 * DAY);
  expect(here.orders.length).toBeGreaterThan(5);
  expect(here.certifier.material.certificates[0]?.cert).toBe(first);
  expect(here.certifier.list()).toMatchObject([{ state: "failing", lastError: "https://one: no" }]);
  here.answer = () => good(here);
  await here.pass(3 * DAY);
  expect(here.certifier.list()).toMatchObject([{ state: "good", lastError: "" }]);
});

test("when its end comes near that is told once a day", async () => {
  const here = world();
  here.certifier.start();
  await here.pass(DAY);
  here.answer = () => bad("name");
  await here.pass(88 * DAY);
  const warnings = here.told.filter((text) => text.startsWith("certificate.ends-soon"));
  expect(warnings.length).toBeGreaterThan(10);
  expect(warnings.length).toBeLessThan(17);
  expect(warnings[0]).toContain("the last try failed: https://one: no");
});

test("its issuer's word for when to renew it goes before the two thirds", async () => {
  const here = world();
  here.certifier.start();
  await here.pass(HOUR);
  here.info = { start: here.now() + 10 * DAY, end: here.now() + 12 * DAY, againMs: 6 * HOUR };
  await here.pass(10 * DAY);
  expect(here.orders.length).toBe(1);
  here.info = null;
  await here.pass(DAY + 2 * HOUR);
  expect(here.orders.length).toBe(2);
});

test("an authority that is down costs nothing but the next one's being asked", async () => {
  const here = world();
  here.answer = (url) => (url === "https://one" ? bad("authority") : good(here));
  here.certifier.start();
  await here.pass(3_000, 1_000);
  expect(here.orders).toEqual(["a.test at https://one", "a.test at https://two"]);
  expect(here.certifier.list()).toMatchObject([{ state: "good", authority: "https://two" }]);
});

test("when all say that it is too much, nobody is asked before the time they say", async () => {
  const here = world();
  here.answer = () => bad("authority", 30 * HOUR);
  here.certifier.start();
  await here.pass(29 * HOUR);
  expect(here.orders.length).toBe(2);
  here.answer = () => good(here);
  await here.pass(4 * HOUR);
  expect(here.orders.length).toBe(3);
});

test("after a failure the other way of proving comes first", async () => {
  const here = world();
  const first: string[] = [];
  here.answer = (_url, { challenges }) => {
    first.push(challenges[0] ?? "");
    return bad("name");
  };
  here.certifier.start();
  await here.pass(6 * HOUR);
  expect(first.slice(0, 3)).toEqual(["http-01", "tls-alpn-01", "http-01"]);
});

test("by hand it is ordered at once, and refused where the week has had enough", async () => {
  const here = world();
  here.certifier.start();
  await here.pass(HOUR);
  for (let i = 0; i < 3; i += 1) {
    expect(here.certifier.renew("a.test")).toBeNull();
    // oxlint-disable-next-line no-await-in-loop -- One after the other.
    await here.pass(HOUR);
  }
  expect(here.orders.length).toBe(4);
  expect(here.certifier.renew("a.test")).toContain("acme.certificatesPerWeek");
  await here.pass(HOUR);
  expect(here.orders.length).toBe(4);
  expect(here.certifier.renew("b.test")).toContain("b.test");
});

test("a certificate that is not kept any more is ordered, whatever is known of it", async () => {
  const here = world();
  here.certifier.start();
  await here.pass(HOUR);
  const next = world({ ...here.kept(), certificates: [] });
  expect(next.certifier.list()).toMatchObject([{ state: "missing" }]);
  next.certifier.start();
  await next.pass(HOUR);
  expect(next.orders.length).toBe(1);
});
