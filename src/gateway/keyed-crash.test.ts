/**
 * Payments under crashes. A gateway on a disk in memory is stopped dead at any moment: between two commits, after a
 * commit that nobody heard of, while its origin works. Clients repeat what they do not know, with the same key, at the
 * next gateway on the same disk. The origin knows nothing of keys and counts what it carries out.
 */
import { expect, test } from "vitest";
import { memoryGateway, seededChance } from "../../test/support/memory-gateway.ts";
import type { MemoryGateway } from "../../test/support/memory-gateway.ts";
import { memoryLedger } from "../../test/support/memory-ledger.ts";
import type { MemoryLedger } from "../../test/support/memory-ledger.ts";
import type { Peer } from "../../test/support/memory-socket.ts";

const PAYMENTS = 12;
const STEPS = 160;

interface Payment {
  readonly key: string;
  executions: number;
  /** What its client was told for good; empty: nothing yet. */
  told: string;
  client: Peer | null;
}

class Shop {
  readonly payments: Payment[] = Array.from({ length: PAYMENTS }, (_, number) => {
    return { key: `key-${number}`, executions: 0, told: "", client: null };
  });
  readonly roll: () => number;
  ledger: MemoryLedger = memoryLedger();
  world: MemoryGateway | null = null;
  /** Defects of gateways that are gone. */
  readonly faults: unknown[] = [];
  /** How far the requests on each of the origin's connections have been handled. */
  #handled = new Map<Peer, number>();

  constructor(seed: number) {
    this.roll = seededChance(seed);
  }

  async start(): Promise<void> {
    this.world = await memoryGateway({
      ledger: this.ledger,
      chance: this.roll,
      origins: ["http://10.0.0.1", "http://10.0.0.2"],
      service: { routes: [{ name: "all", idempotencyKey: "required", timeouts: { firstByte: "1s" } }] },
      rest: { idempotency: { late: "3s", wait: "2s" } },
    });
  }

  get running(): MemoryGateway {
    if (this.world === null) throw new Error("there is no gateway");
    return this.world;
  }

  pick<Item>(items: readonly Item[]): Item | null {
    return items[Math.floor(this.roll() * items.length)] ?? null;
  }

  /** A client asks for the first time, or again because it does not know. */
  ask(payment: Payment): void {
    if (payment.told !== "") return;
    if (this.roll() < 0.2) payment.client?.rst();
    const client = this.running.client();
    const body = `pay ${payment.key}`;
    client.send(
      `POST /pay HTTP/1.1\r\nHost: x\r\nIdempotency-Key: "${payment.key}"\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    payment.client = client;
  }

  /** The origin carries out a request that has arrived, and may or may not say so. */
  work(how: number): void {
    const peer = this.pick(this.#waiting());
    if (peer === null) return;
    const payment = this.#execute(peer, how < 0.9);
    if (payment === null) return;
    if (how < 0.6) peer.send(`HTTP/1.1 201 Created\r\nContent-Length: ${payment.key.length}\r\n\r\n${payment.key}`);
    else if (how < 0.7) peer.send("HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\nbroken");
    if (how >= 0.6 && how < 0.9) peer.rst();
    if (how >= 0.9) peer.send("HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n");
  }

  #waiting(): Peer[] {
    return this.running.network.dialled.filter(
      (peer) => /pay key-\d+$/.test(this.#unhandled(peer)) && peer.ended === "",
    );
  }

  #unhandled(peer: Peer): string {
    return peer.received.slice(this.#handled.get(peer) ?? 0);
  }

  #execute(peer: Peer, really: boolean): Payment | null {
    const key = /pay (key-\d+)$/.exec(this.#unhandled(peer))?.[1];
    this.#handled.set(peer, peer.received.length);
    const payment = this.payments.find((one) => one.key === key) ?? null;
    if (payment !== null && really) payment.executions += 1;
    return payment;
  }

  /** What the clients have heard by now. */
  listen(): void {
    for (const payment of this.payments) {
      const { client } = payment;
      if (client === null || payment.told !== "") continue;
      const status = /^HTTP\/1\.1 (\d{3})/.exec(client.received)?.[1];
      if (status === "201" && client.received.endsWith("\r\n\r\n" + payment.key)) payment.told = "paid";
      else if (status === "201") throw new Error(`a wrong answer: ${client.received}`);
      else if (status === "409" && client.received.includes("may have been carried out")) payment.told = "uncertain";
      // 5xx, 429, "under way": it asks again.
    }
  }

  /** The process is gone; what the origin has received it may still carry out. */
  async crash(): Promise<void> {
    const unheard = Math.floor(this.roll() * 3);
    for (let count = 0; count < unheard; count += 1) this.ledger.commitUnheard();
    for (const peer of this.#waiting()) if (this.roll() < 0.5) this.#execute(peer, true);
    this.faults.push(...this.running.faults);
    this.ledger = this.ledger.afterCrash();
    await this.start();
  }

  async step(): Promise<void> {
    const what = this.roll();
    if (what < 0.3) {
      const payment = this.pick(this.payments);
      if (payment !== null) this.ask(payment);
    } else if (what < 0.55) this.ledger.commit();
    else if (what < 0.8) this.work(this.roll());
    else if (what < 0.92) this.running.advance(this.roll() * 800);
    else if (what < 0.95) this.pick(this.payments)?.client?.rst();
    else if (what < 0.98) await this.crash();
    this.running.network.settle();
    this.listen();
  }

  /** Nothing fails any more, and everybody asks until they know. */
  async settle(): Promise<void> {
    for (let round = 0; round < 12; round += 1) {
      for (const payment of this.payments) this.ask(payment);
      for (let turn = 0; turn < 60; turn += 1) {
        this.ledger.commitAll();
        this.running.network.settle();
        this.work(0);
        this.listen();
      }
      this.running.advance(5_000);
    }
    this.ledger.commitAll();
    this.running.network.settle();
    this.listen();
  }
}

test.each(Array.from({ length: 60 }, (_, seed) => seed + 1))(
  "seed %i: nothing is carried out twice, and everybody learns the truth or that nobody knows it",
  async (seed) => {
    const shop = new Shop(seed);
    await shop.start();
    for (let step = 0; step < STEPS; step += 1) await shop.step();
    await shop.settle();
    for (const payment of shop.payments) {
      expect(payment.executions, payment.key).toBeLessThanOrEqual(1);
      expect(payment.told, payment.key).not.toBe("");
      if (payment.told === "paid") expect(payment.executions, payment.key).toBe(1);
    }
    // What was given once had been stored before: it is given again, whatever has crashed since.
    const paid = shop.payments.filter((payment) => payment.told === "paid");
    for (const payment of paid) payment.told = "";
    await shop.settle();
    for (const payment of paid) expect(payment.told, payment.key).toBe("paid");
    for (const payment of shop.payments) expect(payment.executions, payment.key).toBeLessThanOrEqual(1);
    expect([...shop.faults, ...shop.running.faults]).toEqual([]);
  },
);
