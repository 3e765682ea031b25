/**
 * What is asked of the tables. Each change is one statement: none waits for a node in the middle of a transaction. All
 * times are the database's (`clock_timestamp()`, which goes on while a statement waits for a lock), so it does not matter
 * what the clocks of nodes say.
 */
import { quotedName } from "./tables.ts";

export interface Statements {
  /** holder, node, ms → epoch, or no row: somebody else has it. */
  readonly take: string;
  /** holder, epoch, ms → a row, or none: it is lost. */
  readonly renew: string;
  /** holder, epoch. */
  readonly giveBack: string;
  /** holder, epoch, node, kinds, ids, bodies, channel → number, or no row: the lease is lost. */
  readonly write: string;
  /** id, name, number that it has → what there is, who is there. Of a name that was started again the last counts. */
  readonly beat: string;
  /** id. */
  readonly leave: string;
  /** After which number. */
  readonly news: string;
  /** id, number, ms: nodes seen within that time that have less. */
  readonly behind: string;
  readonly forget: string;
}

const AT_MS = (parameter: string): string => `clock_timestamp() + ${parameter} * interval '1 millisecond'`;

export function statementsOf(schema: string): Statements {
  const at = quotedName(schema);
  return {
    take: `insert into ${at}.leases as lease (job, holder, node, epoch, until)
           values ('certificates', $1, $2, 1, ${AT_MS("$3::float8")})
           on conflict (job) do update
             set holder = $1, node = $2, epoch = lease.epoch + 1, until = ${AT_MS("$3::float8")}
             where lease.until <= clock_timestamp() or lease.holder = $1
           returning epoch::text`,
    renew: `update ${at}.leases set until = ${AT_MS("$3::float8")}
            where job = 'certificates' and holder = $1 and epoch = $2 and until > clock_timestamp()
            returning 1`,
    giveBack: `update ${at}.leases set until = clock_timestamp()
               where job = 'certificates' and holder = $1 and epoch = $2`,
    // The lease is locked until this is written, so whoever takes it over comes wholly before or wholly after.
    write: `with held as (
              select 1 from ${at}.leases
              where job = 'certificates' and holder = $1 and epoch = $2 and until > clock_timestamp()
              for update
            ), next as (
              update ${at}.fleet set number = number + 1 where exists (select from held) returning number
            ), written as (
              insert into ${at}.rows as entry (kind, id, body, changed, epoch, writer, at)
              select one.kind, one.id, one.body, next.number, $2, $3, clock_timestamp()
              from next, unnest($4::text[], $5::text[], $6::text[]) as one (kind, id, body)
              on conflict (kind, id) do update
                set body = excluded.body, changed = excluded.changed, epoch = excluded.epoch,
                    writer = excluded.writer, at = excluded.at
              returning changed
            )
            select max(changed)::text as number, pg_notify($7, max(changed)::text)
            from written having count(*) > 0`,
    beat: `with here as (
             insert into ${at}.nodes as node (id, name, seen, has) values ($1, $2, clock_timestamp(), $3)
             on conflict (id) do update set name = excluded.name, seen = excluded.seen, has = excluded.has
           )
           select fleet.made, fleet.number::text,
             coalesce((select node from ${at}.leases
                       where job = 'certificates' and until > clock_timestamp()), '') as holder,
             (select coalesce(json_agg(json_build_object(
                'name', name,
                'agoMs', extract(epoch from clock_timestamp() - seen) * 1000,
                'isCurrent', has >= fleet.number) order by name), '[]')
              from (select distinct on (name) name, seen, has from ${at}.nodes
                    where name <> $2 and seen > clock_timestamp() - interval '1 day'
                    order by name, seen desc) as latest) as others
           from ${at}.fleet`,
    leave: `delete from ${at}.nodes where id = $1`,
    news: `select kind, id, body, changed::text from ${at}.rows where changed > $1 order by changed, kind, id`,
    behind: `select name from ${at}.nodes
             where id <> $1 and has < $2 and seen > clock_timestamp() - $3::float8 * interval '1 millisecond'`,
    forget: `delete from ${at}.nodes where seen < clock_timestamp() - interval '1 day'`,
  };
}
