import { describe, expect, it } from 'vitest';
import type { WarehouseKind } from '../../src/domain/warehouse-kind.ts';
import { readEventFeatures } from '../../src/event-features/read.ts';
import type { AttributeTable } from '../../src/event-features/sql/attributes.ts';
import { eventSql } from '../../src/event-features/sql/event-sql.ts';
import { everyFeature } from './logs.ts';
import { problemsOf } from './problems.ts';

const SPANS = { lateness: 5, skew: 2, window: 10 };
const sqlOf = (kind: WarehouseKind, asOf: 'event' | 'arrival') =>
  eventSql(everyFeature({ ...SPANS, asOf }), { table: ['shop', 'events'], kind });

const SMALL = (asOf: string, more = '') =>
  readEventFeatures(
    `
name: fraud
as_of: ${asOf}
key: user_id
id: event_id
time: at
fields: { event_id: string, user_id: string, at: int64, place: string }
lateness: 5s
${more}
features:
  events_5m: { count: events, window: 5m }
  places_1h: { distinct: place, window: 1h, where: { place: ["it's", b] } }
`,
    'small.yaml',
  );
const LOG = 'log: { partition: p, offset: o, timestamp: ts }';

it('is the SQL that the documentation shows', () => {
  expect(eventSql(SMALL('event', LOG), { table: ['events'], kind: 'duckdb' })).toMatchInlineSnapshot(`
    "-- features of fraud as of event, 0c1c73ae25718519c1d1abd62be30eca98322bb510f356585d2fb751af043c5a
    with _valid as (
      select "event_id", "user_id", "at", "place", "p" as _log_partition, "o" as _log_offset
      from events
      where "at" >= epoch_ms(:window_start) - 7210000
        and "event_id" is not null
        and "user_id" is not null
        and "at" >= 631152000000 and "at" < 4102444800000
        and "at" <= "ts" + 5000
    ),
    _arrived as (
      select _valid.*,
        max("at") over (
          partition by _log_partition order by _log_offset rows between unbounded preceding and current row
        ) as _maximum,
        max("at") over (
          partition by _log_partition, "event_id" order by _log_offset rows between unbounded preceding and 1 preceding
        ) as _copy
      from _valid
    ),
    _accepted as (
      select "event_id", "user_id", "at", "place", _log_partition, _log_offset, "at" - mod("at", 3600000) as _bucket
      from _arrived
      where "at" >= _maximum - 5000 and (_copy is null or _copy < _maximum - 3605000)
        and "at" >= epoch_ms(:window_start) - 3600000 and "at" < epoch_ms(:window_end)
    ),
    _seen as (
      select _accepted.*,
        count(1) over _w5m as "events_5m",
        count(distinct case when "place" in ('it''s', 'b') then "place" end) over _w1h as "places_1h"
      from _accepted
      window _w5m as (partition by "user_id" order by "at" range between 300000 preceding and current row),
        _w1h as (partition by "user_id" order by "at" range between 3600000 preceding and current row)
    )
    select e."event_id",
      e."user_id",
      e."at",
      e."place",
      e."events_5m",
      e."places_1h"
    from _seen e
    where e."at" >= epoch_ms(:window_start) and e."at" < epoch_ms(:window_end)"
  `);
  expect(eventSql(SMALL('arrival', LOG), { table: ['events'], kind: 'snowflake' })).toMatchInlineSnapshot(`
    "-- features of fraud as of arrival, 8e15fdd51df476a19dd82bd903d7267499592522758b703058df12abd6f6938b
    with _valid as (
      select "EVENT_ID", "USER_ID", "AT", "PLACE", "P" as _log_partition, "O" as _log_offset
      from events
      where "AT" >= date_part(epoch_millisecond, :window_start) - 7210000
        and "EVENT_ID" is not null
        and "USER_ID" is not null
        and "AT" >= 631152000000 and "AT" < 4102444800000
        and "AT" <= "TS" + 5000
    ),
    _arrived as (
      select _valid.*,
        max("AT") over (
          partition by _log_partition order by _log_offset rows between unbounded preceding and current row
        ) as _maximum,
        max("AT") over (
          partition by _log_partition, "EVENT_ID" order by _log_offset rows between unbounded preceding and 1 preceding
        ) as _copy
      from _valid
    ),
    _accepted as (
      select "EVENT_ID", "USER_ID", "AT", "PLACE", _log_partition, _log_offset, "AT" - mod("AT", 3600000) as _bucket
      from _arrived
      where "AT" >= _maximum - 5000 and (_copy is null or _copy < _maximum - 3605000)
        and "AT" >= date_part(epoch_millisecond, :window_start) - 3600000 and "AT" < date_part(epoch_millisecond, :window_end)
    ),
    _joined as (
      select a._log_partition, a._log_offset,
        count(case when b."AT" >= a."AT" - 300000 then 1 end) as "EVENTS_5M",
        count(distinct case when b."PLACE" in ('it''s', 'b') then b."PLACE" end) as "PLACES_1H"
      from (
        select _log_partition, _log_offset, "USER_ID", "AT", _bucket as _stretch from _accepted
        where "AT" >= date_part(epoch_millisecond, :window_start)
        union all
        select _log_partition, _log_offset, "USER_ID", "AT", _bucket - 3600000 as _stretch from _accepted
        where "AT" >= date_part(epoch_millisecond, :window_start)
      ) a
      join _accepted b
        on b._log_partition = a._log_partition
        and b."USER_ID" = a."USER_ID"
        and b._bucket = a._stretch
        and b."AT" between a."AT" - 3600000 and a."AT"
        and b._log_offset <= a._log_offset
      group by a._log_partition, a._log_offset, a."AT"
    )
    select e."EVENT_ID",
      e."USER_ID",
      e."AT",
      e."PLACE",
      j."EVENTS_5M",
      j."PLACES_1H"
    from _accepted e
      join _joined j on j._log_partition = e._log_partition and j._log_offset = e._log_offset
    where e."AT" >= date_part(epoch_millisecond, :window_start) and e."AT" < date_part(epoch_millisecond, :window_end)"
  `);
  expect(eventSql(SMALL('event'), { table: ['events'], kind: 'bigquery' })).toMatchInlineSnapshot(`
    "-- features of fraud as of event, 0c1c73ae25718519c1d1abd62be30eca98322bb510f356585d2fb751af043c5a
    with _accepted as (
      select \`event_id\`, \`user_id\`, \`at\`, \`place\`, \`at\` - mod(\`at\`, 3600000) as _bucket
      from events
      where \`at\` >= unix_millis(:window_start) - 3600000 and \`at\` < unix_millis(:window_end)
        and \`event_id\` is not null
        and \`user_id\` is not null
        and \`at\` >= 631152000000 and \`at\` < 4102444800000
    ),
    _seen as (
      select _accepted.*,
        count(1) over _w5m as \`events_5m\`
      from _accepted
      window _w5m as (partition by \`user_id\` order by \`at\` range between 300000 preceding and current row)
    ),
    _joined as (
      select a.\`user_id\`, a.\`event_id\`, a.\`at\`,
        count(distinct case when b.\`place\` in ('it\\'s', 'b') then b.\`place\` end) as \`places_1h\`
      from (
        select \`user_id\`, \`event_id\`, \`at\`, _bucket as _stretch from _accepted
        where \`at\` >= unix_millis(:window_start)
        union all
        select \`user_id\`, \`event_id\`, \`at\`, _bucket - 3600000 as _stretch from _accepted
        where \`at\` >= unix_millis(:window_start)
      ) a
      join _accepted b
        on b.\`user_id\` = a.\`user_id\`
        and b._bucket = a._stretch
        and b.\`at\` between a.\`at\` - 3600000 and a.\`at\`
      group by a.\`user_id\`, a.\`event_id\`, a.\`at\`
    )
    select e.\`event_id\`,
      e.\`user_id\`,
      e.\`at\`,
      e.\`place\`,
      e.\`events_5m\`,
      j.\`places_1h\`
    from _seen e
      join _joined j on j.\`user_id\` = e.\`user_id\` and j.\`event_id\` = e.\`event_id\` and j.\`at\` = e.\`at\`
    where e.\`at\` >= unix_millis(:window_start) and e.\`at\` < unix_millis(:window_end)"
  `);
});

// Emulators are DuckDB, and accept all of it.
describe('what a warehouse refuses is not in its SQL', () => {
  const over = (sql: string) => sql.match(/\w+\([^()]*(\([^()]*\)[^()]*)*\) over \w+/g) ?? [];

  it.each(['event', 'arrival'] as const)('as of %s: DISTINCT and MAX_BY in ordered windows of BigQuery', (asOf) => {
    const found = over(sqlOf('bigquery', asOf));
    expect(found.filter((call) => /distinct|max_by/.test(call))).toEqual([]);
    expect(found.length > 0).toBe(asOf === 'event');
  });

  it.each(['event', 'arrival'] as const)('as of %s: frames by range on Snowflake', (asOf) => {
    expect(sqlOf('snowflake', asOf)).not.toMatch(/range between/);
    expect(over(sqlOf('snowflake', asOf))).toEqual([]);
    expect(over(sqlOf('duckdb', 'event')).length).toBeGreaterThan(10);
  });

  it.each(['duckdb', 'bigquery', 'snowflake'] as const)('frames by range as of arrival on %s', (kind) => {
    expect(sqlOf(kind, 'arrival')).not.toMatch(/range between/);
    expect(sqlOf(kind, 'arrival')).toContain('b._log_offset <= a._log_offset');
  });
});

it('quotes texts, names that are reserved, and names of tables as each warehouse does', () => {
  const sql = (kind: WarehouseKind) => eventSql(SMALL('event'), { table: ['my shop', 'select'], kind });
  expect(sql('duckdb')).toContain(`from "my shop"."select"`);
  expect(sql('bigquery')).toContain('from `my shop`.`select`');
  expect(sql('duckdb')).toContain(`"place" in ('it''s', 'b')`);
  expect(sql('bigquery')).toContain(`b.\`place\` in ('it\\'s', 'b')`);
  expect(sql('bigquery')).toContain('`at` - mod(`at`, 3600000)');
  expect(sql('snowflake')).toContain('"AT" - mod("AT", 3600000)');
});

it('refuses features as of arrival without the columns that say what had arrived', () => {
  expect(problemsOf(() => eventSql(SMALL('arrival'), { table: ['events'], kind: 'duckdb' }))).toBe(
    'configuration: the features of fraud are as of arrival, but the feature file has no log',
  );
});

describe('attributes', () => {
  const table = { table: ['users'], key: 'user_id', columns: ['age', 'home'] };
  const sql = (row: AttributeTable['row']) =>
    eventSql(SMALL('event'), { table: ['events'], kind: 'duckdb', attributes: { ...table, row } });

  it('come from the only row, from the version that was used, or from the row that was valid', () => {
    expect(sql({ is: 'current' })).toContain('left join users h on cast(h."user_id" as varchar) = e."user_id"\n');
    expect(sql({ is: 'used', version: 'v', used: 'attributes_version' })).toContain(
      'left join users h on cast(h."user_id" as varchar) = e."user_id" and cast(h."v" as varchar) = cast(e._attributes_version as varchar)',
    );
    expect(sql({ is: 'valid', from: 'since' })).toContain(
      'left join _history h on cast(h."user_id" as varchar) = e."user_id" and h._from <= e."at" and (h._until is null or e."at" < h._until)',
    );
  });
});
