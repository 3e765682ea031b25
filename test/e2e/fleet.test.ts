/**
 * Several nodes on one PostgreSQL: what they have together, who may write it, and what remains when the database is away.
 * Nodes are objects here, with a session, a shelf and a certifier each, and an authority that says what a test wants.
 */
import { X509Certificate, randomBytes } from "node:crypto";
import tls from "node:tls";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Issued, Proof } from "../../src/contract/acme.ts";
import type { CertificatesResponse, ExchangesResponse } from "../../src/contract/api-responses.ts";
import type { SharedRow } from "../../src/contract/fleet.ts";
import { roadTo } from "../support/cuttable-road.ts";
import type { Road } from "../support/cuttable-road.ts";
import * as fleet from "../support/fleet-nodes.ts";
import type { FleetNode, Follower, NodeOptions, SessionOptions } from "../support/fleet-nodes.ts";
import { freePort } from "../support/free-port.ts";
import { startGateway, type GatewayProcess } from "../support/gateway-process.ts";
import { startPebble } from "../support/pebble.ts";
import { installed } from "../support/peers.ts";
import { hasPostgres, startPostgres } from "../support/postgres.ts";
import type { Postgres } from "../support/postgres.ts";
import { until } from "../support/until.ts";

const { connected, issued } = fleet;
/** Others are waited for however late they are. */
const PATIENT = { pollMs: 100_000 };
let postgres: Postgres;
const open: (() => Promise<unknown>)[] = [];

function follow(schema: string, node: string, options: SessionOptions = {}): Follower {
  const made = fleet.follow(postgres, schema, node, options);
  open.push(() => made.session.stop());
  return made;
}

function startNode(schema: string, name: string, options: NodeOptions = {}): FleetNode {
  const node = fleet.startNode(postgres, schema, name, options);
  open.push(async () => {
    node.certifier.stop();
    await node.session.stop();
  });
  return node;
}

async function newRoad(): Promise<Road> {
  const road = await roadTo(postgres.port);
  open.push(() => road.close());
  return road;
}

/** The same certificate, on all of them. */
function agreed(nodes: readonly FleetNode[], name = "a.test"): Promise<string> {
  return until("all to show one certificate", () => {
    const [first = null, ...others] = nodes.map((node) => node.certificateOf(name));
    return others.every((one) => one === first) ? first : null;
  });
}

/** What the authority is about to say is the test's to say, as soon as it was asked. */
function holdAnswer(node: FleetNode): Promise<(answer: Issued) => void> {
  let finish: ((answer: Issued) => void) | null = null;
  node.answer = () =>
    new Promise((resolve) => {
      finish = resolve;
    });
  return until("its order", () => finish);
}

let schemas = 0;
function newSchema(): string {
  schemas += 1;
  return `fleet_${schemas}`;
}

const certificate = (id: string, body: string): SharedRow => ({ kind: "certificate", id, body });

describe.skipIf(!hasPostgres())("on one database", () => {
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((close) => close()));
  });
  afterAll(() => postgres?.stop());

  it("three nodes that find nothing make the tables once, and all follow", async () => {
    const schema = newSchema();
    const nodes = ["a", "b", "c"].map((name) => follow(schema, name));
    await Promise.all(nodes.map(connected));
    const versions = await postgres.sql(`select version from ${schema}.fleet`);
    expect(versions).toEqual([{ version: 1 }]);
    await until("all to be seen", () =>
      nodes.every(({ session }) => session.view().nodes.length === 3) ? true : null,
    );
    expect(
      nodes[0]?.session
        .view()
        .nodes.map(({ name }) => name)
        .toSorted(),
    ).toEqual(["a", "b", "c"]);
  });

  it("what the holder of the lease writes is heard by the others, and cannot be read in the database", async () => {
    const schema = newSchema();
    const [one, other] = [follow(schema, "one", { times: PATIENT }), follow(schema, "other")];
    await Promise.all([connected(one), connected(other)]);
    const term = await one.session.take();
    expect(await other.session.take()).toBeNull();
    expect(await term?.write([certificate("a.test", "PRIVATE"), { kind: "name", id: "a.test", body: "{}" }])).toBe(
      true,
    );
    await term?.spread();
    expect(other.rows).toContainEqual(certificate("a.test", "PRIVATE"));
    await until("the holder", () => (other.session.view().holder === "one" ? true : null));
    await term?.giveBack();
    expect(await other.session.take()).not.toBeNull();
    const kept = await postgres.sql<{ body: string; writer: string }>(`select body, writer from ${schema}.rows`);
    expect(kept.map(({ writer }) => writer)).toEqual(["one", "one"]);
    expect(JSON.stringify(kept)).not.toContain("PRIVATE");
    expect(Buffer.from(kept[0]?.body ?? "", "base64").toString("latin1")).not.toContain("PRIVATE");
  });

  it("what a holder writes who has lost the lease is not there, and what comes after it counts", async () => {
    const schema = newSchema();
    const [stale, next] = [follow(schema, "stale"), follow(schema, "next")];
    await Promise.all([connected(stale), connected(next)]);
    const lost = await stale.session.take();
    // As of a node that stood still for longer than its lease.
    await postgres.sql(`update ${schema}.leases set until = now() - interval '1 second'`);
    const term = await next.session.take();
    expect(await term?.write([certificate("a.test", "right")])).toBe(true);
    expect(await lost?.write([certificate("a.test", "stale")])).toBe(false);
    // Nor does its end take anything from who has it now.
    await lost?.giveBack();
    expect(await term?.write([certificate("b.test", "right")])).toBe(true);
    await until("both", () => (stale.rows.length === 2 ? true : null));
    expect(stale.rows.map(({ body }) => body)).toEqual(["right", "right"]);
  });

  it("a lease is renewed as long as it is held, and over by the database's own clock when its holder is gone", async () => {
    const schema = newSchema();
    const [one, other] = [follow(schema, "one", { times: { leaseMs: 1_500 } }), follow(schema, "other")];
    await Promise.all([connected(one), connected(other)]);
    const leaseOf = async (): Promise<{ at: number; isOver: boolean }> => {
      const [row] = await postgres.sql<{ until: Date; isOver: boolean }>(
        `select until, until <= clock_timestamp() as "isOver" from ${schema}.leases`,
      );
      return { at: row?.until.getTime() ?? 0, isOver: row?.isOver ?? true };
    };
    await one.session.take();
    let taken = (await leaseOf()).at;
    await until("a renewal", async () => {
      const { at, isOver } = await leaseOf();
      if (at > taken) return true;
      // This machine stood still for longer than that.
      if (isOver && (await one.session.take()) !== null) taken = (await leaseOf()).at;
      return null;
    });
    // It dies, and gives nothing back.
    await one.session.stop();
    const term = await until("the other to get it", () => other.session.take());
    expect(await term.write([certificate("a.test", "x")])).toBe(true);
  });

  it("a row that somebody put in the place of another is not believed", async () => {
    const schema = newSchema();
    const one = follow(schema, "one");
    await connected(one);
    const term = await one.session.take();
    await term?.write([certificate("a.test", "of a"), certificate("b.test", "of b")]);
    await postgres.sql(
      `update ${schema}.rows set body = (select body from ${schema}.rows where id = 'a.test') where id = 'b.test'`,
    );
    const later = follow(schema, "later");
    await connected(later);
    expect(later.rows).toEqual([certificate("a.test", "of a")]);
    expect(later.told.join()).toContain("fleet.broken-row: the row of certificate b.test");
  });

  it("while the database is away nobody has the lease, and it is followed again when it is back", async () => {
    const schema = newSchema();
    const road = await newRoad();
    road.cut();
    const far = follow(schema, "far", { port: road.port });
    const near = follow(schema, "near");
    await connected(near);
    await until("it to be told", () => (far.session.view().state === "unreachable" ? true : null));
    await expect(far.session.take()).rejects.toThrow("unreachable");
    const term = await near.session.take();
    await term?.write([certificate("a.test", "first")]);
    road.mend();
    await until("the first", () => (far.rows.some(({ body }) => body === "first") ? true : null));
    await connected(far);
    road.cut();
    await until("the break", () => (far.session.view().state === "unreachable" ? true : null));
    await term?.write([certificate("a.test", "second")]);
    road.mend();
    await until("the second", () => (far.rows.some(({ body }) => body === "second") ? true : null));
    await connected(far);
    expect(far.told.filter((text) => text.startsWith("fleet.connected")).length).toBeGreaterThan(1);
  });

  it("a database that has fallen silent is given up, and a node that hangs is not waited for", async () => {
    const schema = newSchema();
    const road = await newRoad();
    const far = follow(schema, "far", { port: road.port, times: { timeoutMs: 1_000 } });
    const near = follow(schema, "near", { times: { spreadMs: 1 } });
    await Promise.all([connected(far), connected(near)]);
    road.silence();
    const term = await near.session.take();
    await term?.write([certificate("a.test", "x")]);
    await term?.spread();
    await until("it to be told", () => (far.session.view().detail.includes("took longer than") ? true : null));
    road.mend();
    await until("it", () => (far.rows.length > 0 ? true : null));
  });

  it("what takes a person is told apart and names what to do, and says nothing secret", async () => {
    const schema = newSchema();
    await connected(follow(schema, "right"));
    const wrong = {
      password: follow(schema, "n", { place: { password: "not-the-password" } }),
      database: follow(schema, "n", { place: { database: "nowhere" } }),
      key: follow(schema, "n", { key: randomBytes(32).toString("hex") }),
      noKey: follow(schema, "n", { key: "short" }),
    };
    const told = await Promise.all(
      Object.entries(wrong).map(async ([name, { session }]) => [
        name,
        await until(name, () => (session.view().state === "unusable" ? session.view().detail : null)),
      ]),
    );
    expect(Object.fromEntries(told)).toEqual({
      password: 'password authentication failed for user "postgres" (28P01)',
      database: 'database "nowhere" does not exist (3D000)',
      key: "fleet.key is not the one that the other nodes have: nothing there can be read with it",
      noKey: "fleet.key is no key: it takes 32 bytes in base64 or in hex",
    });
    const all = Object.values(wrong).flatMap((one) => one.told);
    expect(all.join()).not.toContain("not-the-password");
    expect(all.join()).not.toContain(postgres.password);
  });

  it("tables of a later version are left alone, and a user without rights is told so", async () => {
    const schema = newSchema();
    await connected(follow(schema, "right"));
    await postgres.sql(`update ${schema}.fleet set version = 99`);
    const older = follow(schema, "older");
    const detail = await until("it", () =>
      older.session.view().state === "unusable" ? older.session.view().detail : null,
    );
    expect(detail).toContain("the tables are of version 99, and this program knows 1");
    const user = `poor_${schema}`;
    await postgres.sql(`create role ${user} login password 'poor'`);
    const poor = follow(newSchema(), "poor", { place: { user, password: "poor" } });
    const why = await until("it", () => (poor.session.view().state === "unusable" ? poor.session.view().detail : null));
    expect(why).toContain("permission denied");
  });

  it("a schema that is dropped while it is in use is made again", async () => {
    const schema = newSchema();
    const one = follow(schema, "one");
    await connected(one);
    await postgres.sql(`drop schema ${schema} cascade`);
    await until("it", async () => {
      const [row] = await postgres.sql<{ is: boolean }>(`select to_regclass('${schema}.rows') is not null as "is"`);
      return row?.is === true ? true : null;
    });
    await connected(one);
  });

  it("tables that were made anew are read anew, also when they count as far as the old ones did", async () => {
    const schema = newSchema();
    // It does not ask by itself, and so is not told that they are gone.
    const one = follow(schema, "one", { times: { pollMs: 1_000_000 } });
    await connected(one);
    await (await one.session.take())?.write([certificate("a.test", "old")]);
    await until("the old one", () => (one.rows.length === 1 ? true : null));
    await postgres.sql(`drop schema ${schema} cascade`);
    const other = follow(schema, "other");
    await connected(other);
    await (await other.session.take())?.write([certificate("a.test", "new")]);
    await until("the new one", () => (one.rows.some(({ body }) => body === "new") ? true : null));
  });

  it("with TLS the database has to be who it says, under the name that it was asked for", async () => {
    const place = { host: "localhost", tls: true };
    const schema = newSchema();
    await connected(follow(schema, "right", { place, ca: postgres.ca }));
    const unknown = follow(schema, "unknown", { place });
    const otherName = follow(schema, "other", { place: { host: "127.0.0.1", tls: true }, ca: postgres.ca });
    const detailOf = ({ session }: Follower): Promise<string> =>
      until("it", () => (session.view().state === "unreachable" ? session.view().detail : null));
    expect(await detailOf(unknown)).toMatch(/certificate/);
    expect(await detailOf(otherName)).toMatch(/altnames|127\.0\.0\.1/);
  });

  it("of three nodes one orders, with one account, and all show what it got", async () => {
    const schema = newSchema();
    const nodes = ["a", "b", "c"].map((name) => startNode(schema, name));
    await agreed(nodes);
    expect(nodes.flatMap(({ orders }) => orders)).toEqual(["a.test"]);
    await until("it to be kept by each", () =>
      nodes.every(({ kept }) => kept.certificates.length === 1) ? true : null,
    );
    // By hand it is another that orders, with the account of the first.
    const other = nodes.find(({ orders }) => orders.length === 0);
    if (other !== undefined) await connected(other);
    const before = other?.certificateOf("a.test");
    expect(other?.certifier.renew("a.test")).toBeNull();
    await until("another", async () => ((await agreed(nodes)) === before ? null : true));
    expect(other?.orders).toEqual(["a.test"]);
    expect(new Set(nodes.flatMap(({ accounts }) => accounts)).size).toBe(1);
    await until("its count", () => (nodes.every(({ certifier }) => certifier.list()[0]?.lately === 2) ? true : null));
  });

  it("before an authority may ask, every node has the answer, and afterwards none", async () => {
    const schema = newSchema();
    const proof: Proof = { kind: "http-01", token: "t", answer: "t.k" };
    const nodes = ["a", "b"].map((name) => startNode(schema, name, { names: [] }));
    await Promise.all(nodes.map(connected));
    const seen: string[][] = [];
    const ordering = startNode(schema, "ordering", { times: PATIENT });
    ordering.answer = async ({ present }) => {
      await present(proof);
      seen.push([ordering, ...nodes].flatMap(({ shown }) => shown.tokens.map(({ answer }) => answer)));
      return issued();
    };
    await agreed([ordering]);
    expect(seen).toEqual([["t.k", "t.k", "t.k"]]);
    await until("it to be gone", () => (nodes.every(({ shown }) => shown.tokens.length === 0) ? true : null));
  });

  it("when the one that orders dies another takes over, and what the first left is cleared away", async () => {
    const schema = newSchema();
    const dying = startNode(schema, "dying", { times: PATIENT });
    let isUnderWay = false;
    dying.answer = async ({ present }) => {
      await present({ kind: "http-01", token: "t", answer: "t.k" });
      isUnderWay = true;
      return new Promise<never>(() => undefined);
    };
    await until("its order", () => (isUnderWay ? true : null));
    const other = startNode(schema, "other");
    await until("the answer there", () => (other.shown.tokens.length === 1 ? true : null));
    dying.die();
    // Its time is over.
    await postgres.sql(`update ${schema}.leases set until = now() - interval '1 second'`);
    await agreed([other]);
    expect(other.orders).toEqual(["a.test"]);
    await until("the answer to be gone", () => (other.shown.tokens.length === 0 ? true : null));
  });

  it("what comes to a node that has lost the lease is not written over what is there", async () => {
    const schema = newSchema();
    const slow = startNode(schema, "slow");
    const finish = await holdAnswer(slow);
    await postgres.sql(`update ${schema}.leases set until = now() - interval '1 second'`);
    const other = startNode(schema, "other", { days: 90 });
    const right = await agreed([other]);
    finish(issued(30));
    await until("it to be told", () => (slow.told.some((text) => text.startsWith("certificate.fenced")) ? true : null));
    await until("it to show the other's", () => (slow.certificateOf("a.test") === right ? true : null));
    expect(await agreed([slow, other])).toBe(right);
  });

  it("a node serves what it has kept while the database is away, orders nothing, and follows when it is back", async () => {
    const schema = newSchema();
    const first = startNode(schema, "first");
    const shown = await agreed([first]);
    const road = await newRoad();
    road.cut();
    const later = startNode(schema, "later", { kept: first.kept, port: road.port, names: ["a.test", "b.test"] });
    expect(later.certificateOf("a.test")).toBe(shown);
    await until("it to be told", () => (later.told.some((text) => text.startsWith("fleet.unreachable")) ? true : null));
    expect(later.certifier.renew("b.test")).toContain("the database of the fleet is unreachable");
    expect(later.certifier.list().find(({ name }) => name === "b.test")?.because).toContain("unreachable");
    expect(later.orders).toEqual([]);
    road.mend();
    await agreed([later], "b.test");
    expect(later.certificateOf("a.test")).toBe(shown);
    expect(later.orders).toEqual(["b.test"]);
  });

  it("a certificate that comes while the database is away is used, kept, and brought to the others later", async () => {
    const schema = newSchema();
    const road = await newRoad();
    const ordering = startNode(schema, "ordering", { port: road.port });
    const finish = await holdAnswer(ordering);
    road.cut();
    await until("the break", () => (ordering.session.view().state === "unreachable" ? true : null));
    finish(issued());
    const shown = await agreed([ordering]);
    expect(ordering.kept.certificates).toMatchObject([{ cert: shown }]);
    road.mend();
    const other = startNode(schema, "other");
    expect(await agreed([ordering, other])).toBe(shown);
    expect([...ordering.orders, ...other.orders]).toEqual(["a.test"]);
  });

  it("who becomes part of a fleet brings what it has, and a database that was emptied gets it again", async () => {
    const alone = newSchema();
    const single = startNode(alone, "single");
    const shown = await agreed([single]);
    const schema = newSchema();
    const nodes = [startNode(schema, "a", { kept: single.kept }), startNode(schema, "b")];
    // The second may have been first, and then it had none to go by.
    const both = await agreed(nodes);
    if (nodes[1]?.orders.length === 0) expect(both).toBe(shown);
    await postgres.sql(`drop schema ${schema} cascade`);
    const third = startNode(schema, "third", { names: ["a.test"] });
    await agreed([...nodes, third]);
  });

  it.skipIf(!installed("pebble"))(
    "of two gateways the one that is asked by hand orders, and the other answers and shows it",
    async () => {
      // It would remember for some orders that the name was proven, and ask nobody.
      process.env["PEBBLE_AUTHZREUSE"] = "0";
      const pebble = await startPebble();
      open.push(() => pebble.stop());
      const schema = newSchema();
      const url = `postgres://${postgres.user}:${postgres.password}@localhost:${postgres.port}/postgres?sslmode=verify-full`;
      const serving = async (node: string, plain: number, secure: number): Promise<GatewayProcess> => {
        const gateway = await startGateway({
          node,
          control: false,
          listeners: [
            { bind: `127.0.0.1:${plain}`, redirectToHttps: secure },
            { bind: `127.0.0.1:${secure}`, tls: { acme: ["shop.test"] } },
          ],
          acme: { agree: true, challenges: ["http-01"], authorities: [{ directory: pebble.directory, ca: pebble.ca }] },
          fleet: { database: { env: "FLEET_DATABASE" }, key: { env: "FLEET_KEY" }, ca: postgres.caFile, schema },
          services: { shop: { health: false, pools: [{ origins: ["http://127.0.0.1:9"] }] } },
        });
        open.push(() => gateway.stop());
        return gateway;
      };
      process.env["FLEET_DATABASE"] = url;
      process.env["FLEET_KEY"] = fleet.FLEET_KEY;
      // Only this one is where the authority looks.
      const asked = await serving("asked", pebble.httpPort, pebble.tlsPort);
      const certificates = ({ api }: GatewayProcess): Promise<CertificatesResponse> => api("/certificates");
      await until("its connection", async () =>
        (await certificates(asked)).fleet?.state === "connected" ? true : null,
      );
      const [plain, secure] = [await freePort(), await freePort()];
      const far = await serving("far", plain, secure);
      const both = [asked, far];
      for (const gateway of both) {
        // oxlint-disable-next-line no-await-in-loop -- Each of them, in any order.
        await until("its certificate", async () =>
          (await certificates(gateway)).certificates[0]?.state === "good" ? true : null,
        );
      }
      const serials = (): Promise<string[]> => Promise.all([pebble.tlsPort, secure].map((port) => shownAt(port)));
      const [before] = await serials();
      expect(await serials()).toEqual([before, before]);
      const renewed = await fetch(`${far.adminUrl}/api/v1/certificates/renew`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ name: "shop.test" }),
      });
      expect(renewed.status).toBe(200);
      await until("another on both", async () => ((await serials()).every((one) => one !== before) ? true : null));
      expect(new Set(await serials()).size).toBe(1);
      expect(far.child.stdout() + far.child.stderr()).toContain("certificate.obtained");
      await until("both questions of the authority", async () => {
        const { exchanges } = await asked.api<ExchangesResponse>("/exchanges?limit=1000");
        const questions = exchanges.filter(({ target }) => target.includes("acme-challenge"));
        return new Set(questions.map(({ target }) => target)).size === 2 ? true : null;
      });
      const { fleet: seen } = await certificates(far);
      expect(seen?.nodes.map(({ name }) => name).toSorted()).toEqual(["asked", "far"]);
      expect(await (await fetch(`${far.adminUrl}/metrics`)).text()).toContain("goodgate_fleet_connected 1");
      const told = both.map(({ child }) => child.stdout() + child.stderr()).join("");
      expect(told + JSON.stringify(await far.api("/config"))).not.toContain(postgres.password);
    },
  );
});

/** The serial number of what is shown there for the name. */
function shownAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port, host: "127.0.0.1", servername: "shop.test", rejectUnauthorized: false };
    const socket = tls.connect(options, () => {
      resolve(new X509Certificate(socket.getPeerCertificate().raw).serialNumber);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}
