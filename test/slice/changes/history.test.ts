import { describe, expect, it } from 'vitest';
import type { Column } from '../../../src/domain/schema.ts';
import type { WarehouseKind } from '../../../src/domain/warehouse-kind.ts';
import { changeSources } from '../../../src/slice/changes/declared.ts';
import type { ChangeSource } from '../../../src/slice/changes/source.ts';
import { BIGQUERY } from '../../../src/warehouse/bigquery/dialect.ts';
import { queryError as bigqueryError } from '../../../src/warehouse/bigquery/errors.ts';
import { JobFailed } from '../../../src/warehouse/bigquery/failure.ts';
import { SNOWFLAKE } from '../../../src/warehouse/snowflake/dialect.ts';
import { queryError as snowflakeError } from '../../../src/warehouse/snowflake/errors.ts';
import { Failure } from '../../../src/warehouse/snowflake/failure.ts';
import { parseTarget } from '../../../src/warehouse/snowflake/target.ts';
import { jobWith, refusal, USER } from './job.ts';

// None of this has run on an account, and no emulator knows change history: these are the statements that are sent, and what is
// made of the answers that the warehouses document or people report.

const KEY: Column = { name: 'USER_ID', type: 'decimal', native: 'NUMBER(38,0)', digits: [38, 0] };
const CLOCK = '2026-11-18 12:00:00.123456';

function sourceOf(kind: WarehouseKind, history: 'appends' | 'changes', incremental: object = {}): ChangeSource {
  const [declared] = changeSources(jobWith({ table: 'shop.orders', history }, incremental), kind);
  const key = kind === 'snowflake' ? KEY : USER;
  if (declared === undefined) throw new Error('no change source');
  return declared.found([key], [key]);
}

describe('BigQuery', () => {
  it('gets a call of CHANGES for each day, with an exclusive end', () => {
    const source = sourceOf('bigquery', 'changes');
    const span = { source: 'shop.orders', from: '2026-11-16T08:00:00.000000Z', to: '2026-11-18T09:30:00.000000Z' };
    expect(source.keys(BIGQUERY, span)).toMatchInlineSnapshot(
      `"SELECT DISTINCT user_id AS \`user_id\` FROM (SELECT user_id FROM CHANGES(TABLE shop.orders, TIMESTAMP '2026-11-16T08:00:00.000000Z', TIMESTAMP '2026-11-17T08:00:00.000000Z') UNION ALL SELECT user_id FROM CHANGES(TABLE shop.orders, TIMESTAMP '2026-11-17T08:00:00.000000Z', TIMESTAMP '2026-11-18T08:00:00.000000Z') UNION ALL SELECT user_id FROM CHANGES(TABLE shop.orders, TIMESTAMP '2026-11-18T08:00:00.000000Z', TIMESTAMP '2026-11-18T09:30:00.000000Z')) WHERE user_id IS NOT NULL"`,
    );
    expect(source.keys(BIGQUERY, { ...span, from: '2026-11-17T09:30:00.000000Z' }).match(/CHANGES\(/g)).toHaveLength(1);
    expect(source.keys(BIGQUERY, { ...span, from: span.to })).toContain('1 = 0');
    expect(source.bounds(BIGQUERY, null)).toMatchInlineSnapshot(
      `"SELECT LPAD(FORMAT_TIMESTAMP('%F %H:%M:%E6S', CURRENT_TIMESTAMP), 26, '0') AS clock"`,
    );
  });

  it('gets one call of APPENDS', () => {
    const span = { source: 'shop.orders', from: '2026-11-16T08:00:00.000000Z', to: '2026-11-18T09:30:00.000000Z' };
    expect(sourceOf('bigquery', 'appends').keys(BIGQUERY, span)).toMatchInlineSnapshot(
      `"SELECT DISTINCT user_id AS \`user_id\` FROM (SELECT user_id FROM APPENDS(TABLE shop.orders, TIMESTAMP '2026-11-16T08:00:00.000000Z', TIMESTAMP '2026-11-18T09:30:00.000000Z')) WHERE user_id IS NOT NULL"`,
    );
  });

  it('is read up to where its history has settled, for seven days', async () => {
    const to = (history: 'appends' | 'changes', incremental = {}) =>
      sourceOf('bigquery', history, incremental).span([CLOCK], null).span.to;
    expect(to('appends')).toBe('2026-11-18T11:59:50.123000Z');
    expect(to('changes')).toBe('2026-11-18T11:49:59.123000Z');
    expect(to('changes', { lag: '1 hour' })).toBe('2026-11-18T11:00:00.123000Z');
    const source = sourceOf('bigquery', 'appends');
    expect(source.span([CLOCK], '2026-11-11T12:00:00.124000Z', { cap: '2026-11-18T00:00:00.000Z' })).toEqual({
      span: { source: 'shop.orders', from: '2026-11-11T12:00:00.124000Z', to: '2026-11-18T00:00:00.000000Z' },
      asOf: '2026-11-18T00:00:00.000000Z',
      warnings: [],
    });
    // Two slices within the time that it takes to settle.
    expect(source.span([CLOCK], '2026-11-18T11:59:55.000000Z').span.to).toBe('2026-11-18T11:59:55.000000Z');
    expect(await refusal(() => source.span([CLOCK], '2026-11-11T12:00:00.123000Z'))).toMatchInlineSnapshot(`
      "error: the change history of shop.orders no longer reaches back to 2026-11-11T12:00:00.123000Z
        BigQuery keeps it for seven days, or less if the dataset says so
      hint: score all users again with \`score-batch --slice --snapshot\`
      exit code 65"
    `);
  });

  it('has refusals that only a snapshot helps with', async () => {
    const source = sourceOf('bigquery', 'changes');
    const refusedFor = (message: string) =>
      refusal(() => {
        throw source.refusal(bigqueryError(new JobFailed('invalidQuery', message, 'job'), 'the changes of shop.orders'));
      });
    expect(await refusedFor('Invalid time travel timestamp for table p:shop.orders')).toMatchInlineSnapshot(`
      "error: the change source shop.orders no longer has change history for this span: the history has expired, or the table was replaced
        Invalid time travel timestamp for table p:shop.orders (job job)
      hint: score all users again with \`score-batch --slice --snapshot\`
      exit code 65"
    `);
    expect(await refusedFor('CHANGES does not support tables with multi-statement transactions in the range')).toContain(
      'multi-statement transaction within this span',
    );
    expect(await refusedFor('Table must have the option enable_change_history')).toContain('switch it on');
    expect(await refusedFor('Unrecognized name: at')).toContain('exit code 78');
  });
});

describe('Snowflake', () => {
  it('gets the same span: its start is exclusive and its end inclusive, so both are a millisecond less', () => {
    const span = { source: 'shop.orders', from: '2026-11-16T08:00:00.000000Z', to: '2026-11-18T09:30:00.000000Z' };
    expect(sourceOf('snowflake', 'changes').keys(SNOWFLAKE, span)).toMatchInlineSnapshot(
      `"SELECT DISTINCT USER_ID AS "USER_ID" FROM (SELECT USER_ID FROM shop.orders CHANGES(INFORMATION => DEFAULT) AT(TIMESTAMP => '2026-11-16T07:59:59.999000Z'::TIMESTAMP_TZ) END(TIMESTAMP => '2026-11-18T09:29:59.999000Z'::TIMESTAMP_TZ)) WHERE USER_ID IS NOT NULL"`,
    );
    expect(sourceOf('snowflake', 'appends').keys(SNOWFLAKE, span)).toContain('INFORMATION => APPEND_ONLY');
    expect(sourceOf('snowflake', 'changes').bounds(SNOWFLAKE, null)).toMatchInlineSnapshot(
      `"SELECT TO_CHAR(CONVERT_TIMEZONE('UTC', CURRENT_TIMESTAMP), 'YYYY-MM-DD HH24:MI:SS.FF6') AS clock"`,
    );
    expect(sourceOf('snowflake', 'changes').span([CLOCK], '2026-01-01T00:00:00.000000Z').span.to).toBe(
      '2026-11-18T11:59:50.123000Z',
    );
  });

  it('has refusals that only a snapshot helps with', async () => {
    const source = sourceOf('snowflake', 'changes');
    const target = parseTarget('snowflake://account/DB/SCHEMA?warehouse=W&role=R');
    const refusedFor = (message: string, code: string) =>
      refusal(() => {
        const failure = new Failure(message, { code, sqlState: '02000', broken: false });
        throw source.refusal(snowflakeError(failure, 'the changes of shop.orders', target));
      });
    const shown = [
      await refusedFor(
        'Time travel data is not available for table ORDERS. The requested time is either beyond the allowed time travel period or before the object creation time.',
        '000709',
      ),
      await refusedFor(
        `SQL compilation error:\nChange tracking is not enabled or has been missing for the time range requested on table 'ORDERS'.`,
        '002073',
      ),
    ];
    expect(shown.join('\n\n')).toMatchInlineSnapshot(`
      "error: the change source shop.orders no longer has change history for this span: the history has expired, or the table was replaced
        Time travel data is not available for table ORDERS. The requested time is either beyond the allowed time travel period or before the object creation time. (000709)
      hint: score all users again with \`score-batch --slice --snapshot\`
      exit code 65

      error: the change source shop.orders has no change history for this span
        SQL compilation error:
        Change tracking is not enabled or has been missing for the time range requested on table 'ORDERS'. (002073)
      hint: switch it on (Snowflake: alter table … set change_tracking = true; BigQuery: the option enable_change_history), then score all users again with \`score-batch --slice --snapshot\`
      exit code 65"
    `);
  });
});
