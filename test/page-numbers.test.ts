import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseHTML } from 'linkedom';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { count, expected as expectedText, measure, percent } from '../src/page/numbers.ts';
import type { Evaluated } from '../src/page/page-data.ts';
import { rowsOf } from './support/published.ts';
import { publishedWeeks } from './support/published-weeks.ts';

// Every number of the page, held against plain SQL over the published tables and the source. The SQL of the page is not used.

async function numbers(sql: string): Promise<number[][]> {
  const rows = await rowsOf((await publishedWeeks()).folder, sql);
  return rows.map((row) => Object.values(row).map((value) => (value === null ? Number.NaN : Number(value))));
}

const TOTALS = 'count(*)::double as users, sum(churn_propensity)::double as expected';
const of = (week: string) => `from mine_churn_scores where window_label = '1997-${week}'`;

async function totalsOf(week: string) {
  const [[users, sum] = []] = await numbers(`select ${TOTALS} ${of(week)}`);
  return { users, expected: expect.closeTo(sum ?? Number.NaN, 7) };
}

it('has the totals of the window, of the one before and of the others, with the gap between them', async () => {
  const { data } = await publishedWeeks();
  expect(data.totals).toEqual(await totalsOf('W11'));
  expect(data.totals.users).toBe(2053);
  expect(data.before).toEqual({ label: '1997-W10', ...(await totalsOf('W10')) });
  const [[windows, users, sum] = []] = await numbers(
    `select count(*), avg(users), avg(expected) from (select window_label, ${TOTALS} from mine_churn_scores
     where window_label in ('1997-W07', '1997-W08', '1997-W10') group by 1)`,
  );
  expect(data.average).toEqual({ windows, users: expect.closeTo(users ?? 0, 7), expected: expect.closeTo(sum ?? 0, 7) });
  const trend = [];
  for (const week of ['W07', 'W08', 'W10', 'W11']) trend.push({ label: `1997-${week}`, totals: await totalsOf(week) });
  trend.splice(2, 0, { label: '1997-W09', totals: undefined } as never);
  expect(data.trend).toEqual(trend);
});

it('has the change by segment and the bands of each value', async () => {
  const { data, folder } = await publishedWeeks();
  const change = await rowsOf(
    folder,
    `select basket, count(*) filter (window_label = '1997-W11') as n1, count(*) filter (window_label = '1997-W10') as n0,
       sum(churn_propensity) filter (window_label = '1997-W11')::double as e1, sum(churn_propensity) filter (window_label = '1997-W10')::double as e0
     from mine_churn_scores group by 1 order by n1 desc`,
  );
  expect(data.change).toEqual({
    segment: 'basket',
    values: change.map(({ basket, n1, n0, e1, e0 }) => ({
      value: basket,
      now: { users: Number(n1), expected: expect.closeTo(Number(e1), 7) },
      before: { users: Number(n0), expected: expect.closeTo(Number(e0), 7) },
    })),
  });
  const cells = (segment: string, value: string) =>
    `select '${segment}' as segment, ${value}::varchar as value, band, ${TOTALS} ${of('W11')} group by all`;
  const rows = await rowsOf(
    folder,
    `with cells as (${cells('all', "'all'")} union all ${cells('basket', 'basket')} union all ${cells('cds', 'cds')})
     select *, sum(users) over value as size, sum(expected) over value as sum from cells window value as (partition by segment, value)
     order by segment <> 'all', segment, size desc, value, case band when 'high' then 1 when 'medium' then 2 else 3 end`,
  );
  const shown = data.bands.flatMap(({ segment, value, users, expected, bands }) =>
    bands.map((one) => ({ segment, value, size: users, sum: expected, ...one })),
  );
  expect(shown.length).toBeGreaterThan(20);
  expect(shown).toEqual(
    rows.map(({ sum, expected, users, size, ...row }) => ({
      ...row,
      ...{ users: Number(users), size: Number(size) },
      ...{ sum: expect.closeTo(Number(sum), 7), expected: expect.closeTo(Number(expected), 7) },
    })),
  );
});

it('has the distribution, the tenths, and what the bands explain', async () => {
  const { data, folder } = await publishedWeeks();
  const bundle = parse(await readFile(path.join(folder, 'model/model.yaml'), 'utf8'));
  const { edges, shares } = bundle.reference.score as { edges: number[]; shares: number[] };
  const binned = async (week: string) => {
    const rows = await numbers(
      `with bins as (select len(list_filter([${edges.join(', ')}], lambda edge: edge <= churn_propensity::double)) as bin ${of(week)})
       select (select count(*) from bins where bin = wanted.bin) / (select count(*) from bins) from range(${edges.length + 1}) as wanted(bin) order by bin`,
    );
    return rows.map(([share = 0]) => expect.closeTo(share, 12));
  };
  expect(data.distribution).toEqual({ edges, now: await binned('W11'), before: await binned('W10'), reference: shares });
  const tenths = await numbers(
    `with placed as (select *, row_number() over (order by churn_propensity desc, customer_id) as place, count(*) over () as n ${of('W11')})
     select floor((place - 1) * 10 / n) + 1 as decile, ${TOTALS} from placed group by 1 order by 1`,
  );
  expect(data.deciles).toEqual(tenths.map(([decile, users, sum = 0]) => ({ decile, users, expected: expect.closeTo(sum, 7) })));
  expect(data.deciles).toHaveLength(10);
  const [[explained = 0] = []] = await numbers(
    `with within as (select count(*) as n, var_pop(churn_propensity) as v ${of('W11')} group by band)
     select 1 - (select sum(n * v) / sum(n) from within) / var_pop(churn_propensity::double) ${of('W11')}`,
  );
  expect(data.bandsExplain).toBeCloseTo(explained, 9);
});

it('lists the users with the highest scores, and what was left out', async () => {
  const { data, folder } = await publishedWeeks();
  const riskiest = await rowsOf(
    folder,
    `select row_number() over (order by churn_propensity desc, rank) as place, rank, customer_id, churn_propensity, band, holdout, reason_1, reason_2, reason_3
     ${of('W11')} order by place limit 20`,
  );
  expect(data.riskiest).toEqual(
    riskiest.map((row) => ({
      ...{ rank: Number(row.place), key: [String(row.customer_id)], score: Number(row.churn_propensity), band: row.band },
      ...{ holdout: row.holdout, reasons: [row.reason_1, row.reason_2, row.reason_3].filter((text) => text !== null) },
    })),
  );
  expect(data.riskiest.every(({ reasons }) => reasons.length > 0)).toBe(true);
  expect(data.reasons).toEqual({ features: 3, method: 'occlusion' });
  const leftOut = await rowsOf(
    folder,
    `select reason, column_name as column, count(*) as n from mine_churn_scores_quarantine where window_label = '1997-W11' group by all order by n desc`,
  );
  expect(data.leftOut).toEqual(leftOut.map(({ n, ...row }) => ({ ...row, rows: Number(n) })));
  expect(data.leftOut.map(({ rows }) => rows)).toEqual([3, 2]);
});

it('has the drift of the features as the drift table has it', async () => {
  const { data, folder } = await publishedWeeks();
  const rows = await rowsOf(
    folder,
    `select feature, psi, null_share, reference_null_share from mine_churn_drift where window_label = '1997-W11' order by psi desc`,
  );
  expect(data.drift?.map(({ bins: _, ...one }) => one)).toEqual(
    rows.map((row) => ({
      feature: row.feature,
      psi: expect.closeTo(Number(row.psi), 6),
      nullShare: expect.closeTo(Number(row.null_share), 6),
      referenceNullShare: expect.closeTo(Number(row.reference_null_share), 6),
      limit: { cds: 0.3, amount: 0.2 }[String(row.feature)],
    })),
  );
  const drawn = data.drift?.filter(({ bins }) => bins !== undefined) ?? [];
  expect(drawn).toEqual(data.drift?.slice(0, 3));
  // The raw values of the window: what was left out is in them.
  const bundle = parse(await readFile(path.join(folder, 'model/model.yaml'), 'utf8'));
  const query = (await readFile(path.join(folder, 'jobs/new_users.sql'), 'utf8'))
    .replaceAll(':window_start_date', "date '1997-03-10'")
    .replaceAll(':window_end_date', "date '1997-03-17'");
  for (const { feature, bins = [] } of drawn) {
    const { edges } = bundle.reference.features[feature] as { edges: number[] };
    const shares = await numbers(
      `with raw as (select ${feature}::double as x from (${query})),
         bins as (select case when x is not null then len(list_filter([${edges.join(', ')}], lambda edge: edge <= x)) end as bin from raw)
       select (select count(*) from bins where bin = wanted.bin) / (select count(*) from bins) from range(${edges.length + 1}) as wanted(bin) order by bin`,
    );
    expect(bins.slice(0, edges.length + 1).map(({ now }) => now)).toEqual(
      shares.map(([share = 0]) => expect.closeTo(share, 6)),
    );
  }
  for (const { psi, bins = [] } of drawn) {
    expect(bins.reduce((sum, { now }) => sum + now, 0)).toBeCloseTo(1, 5);
    const floor = (share: number) => Math.max(share, 1e-4);
    const sum = bins.reduce((all, { now, reference }) => {
      const [a, b] = [floor(now), floor(reference)];
      return all + (a - b) * Math.log(a / b);
    }, 0);
    expect(psi).toBeCloseTo(sum, 2);
  }
});

/** Scores of a week with what became of the customers, from the orders themselves. */
const judged = (week: string, start: string, condition = 'true') => `
  with outcomes as (
    select customer_id, count(*) filter (date >= date '${start}' + 7) = 0 as outcome from orders where date < date '${start}' + 35 group by 1),
  judged as (select score.*, outcome from mine_churn_scores score join outcomes using (customer_id)
    where window_label = '1997-${week}' and ${condition}),
  placed as (select *, rank() over (order by churn_propensity) + (count(*) over (partition by churn_propensity) - 1) / 2 as midrank from judged)`;

async function judgedAs(week: string, start: string, condition?: string): Promise<Partial<Record<keyof Evaluated, unknown>>> {
  const [row = []] = await numbers(
    `${judged(week, start, condition)}
     select count(*), count(*) filter (outcome), avg(churn_propensity::double), avg((churn_propensity::double - outcome::int) ** 2),
       (sum(midrank) filter (outcome) - count(*) filter (outcome) * (count(*) filter (outcome) + 1) / 2)
         / (count(*) filter (outcome) * count(*) filter (not outcome)) from placed`,
  );
  const [users, positives, mean = 0, brier = 0, auc = 0] = row;
  const close = (value: number) => expect.closeTo(value, 8);
  return {
    label: `1997-${week}`,
    inSample: false,
    users,
    positives,
    meanScore: close(mean),
    brier: close(brier),
    auc: close(auc),
  };
}

it('has what became of the users of earlier windows', async () => {
  const { data, folder } = await publishedWeeks();
  const weeks = [
    ['W07', '1997-02-10'],
    ['W08', '1997-02-17'],
    ['W10', '1997-03-03'],
  ] as const;
  expect(data.outcome?.series.map(({ label }) => label)).toEqual(weeks.map(([week]) => `1997-${week}`));
  for (const [i, [week, start]] of weeks.entries()) {
    expect(data.outcome?.series[i]).toMatchObject(await judgedAs(week, start));
  }
  const { outcome } = data;
  expect(outcome?.newest).toEqual(outcome?.series.at(-1));
  expect(outcome?.groups.map(({ group }) => group)).toEqual(['treated', 'untreated']);
  expect(outcome?.groups[0]?.evaluated).toMatchObject(await judgedAs('W10', '1997-03-03', 'customer_id % 3 = 0'));
  expect(outcome?.groups[1]?.evaluated).toMatchObject(await judgedAs('W10', '1997-03-03', 'customer_id % 3 <> 0'));
  const deciles = await numbers(
    `${judged('W10', '1997-03-03')} select decile, count(*), count(*) filter (outcome) from judged group by 1 order by 1`,
  );
  expect(outcome?.deciles).toEqual(deciles.map(([decile, users, positives]) => ({ decile, users, positives })));
  const [own] = await rowsOf(
    folder,
    `select auc_low, auc_high, average_precision from mine_churn_scores_evaluation
     where window_label = '1997-W10' and segment = 'all' and contact_group = 'all' and part = 'overall'`,
  );
  expect(outcome?.newest.aucInterval).toEqual([Number(own?.auc_low), Number(own?.auc_high)]);
  expect(outcome?.newest.averagePrecision).toBe(Number(own?.average_precision));
  const bins = await numbers(
    `select users, positives, mean_score from mine_churn_scores_evaluation
     where window_label = '1997-W10' and segment = 'all' and contact_group = 'all' and part = 'calibration' order by bin`,
  );
  expect(outcome?.calibration).toEqual(bins.map(([users, positives, meanScore]) => ({ users, positives, meanScore })));
  expect(outcome?.calibration.reduce((sum, { users }) => sum + users, 0)).toBe(outcome?.newest.users);
  expect(data.outcomeKnownFrom).toBe('1997-04-14T04:00:00.000Z');
});

it('says which run it was, up to which entry of the ledger', async () => {
  const { data, folder } = await publishedWeeks();
  const [run] = await rowsOf(
    folder,
    `select run_id, model_name, model_version, model_digest, strftime(recorded_at, '%Y-%m-%dT%H:%M:%S.%gZ') as at,
       (select strftime(min(recorded_at), '%Y-%m-%dT%H:%M:%S.%gZ') from marketing.score_batch_ledger of_run where of_run.run_id = entry.run_id) as started,
       (select max(entry_number) from marketing.score_batch_ledger) as last
     from marketing.score_batch_ledger entry where window_label = '1997-W11' and publication is not null`,
  );
  expect(data.run).toMatchObject({
    runId: run?.run_id,
    model: { name: run?.model_name, version: run?.model_version, digest: run?.model_digest },
    ...{ dataAsOf: run?.started, publishedAt: run?.at, entryNumber: Number(run?.last), provider: 'cpu', cost: undefined },
  });
});

it('puts these numbers on the page', async () => {
  const { data, folder } = await publishedWeeks();
  const { document } = parseHTML(await readFile(path.join(folder, 'reports/churn-1997-W11.html'), 'utf8'));
  const text = (selector: string) => [...document.querySelectorAll(selector)].map((one) => one.textContent ?? '');
  const cells = (selector: string) =>
    [...document.querySelectorAll(selector)].map((row) =>
      [...row.querySelectorAll('th, td')].map((cell) => (cell.textContent ?? '').trim()),
    );
  const [users, sum] = [count(data.totals.users), expectedText(data.totals.expected)];
  expect(text('h1')[0]).toBe(`${sum} of ${users} new customers are expected to stay away for 28 days`);
  expect(text('.lede')[0]).toContain(
    `which had ${expectedText(data.before?.expected ?? 0)} of ${count(data.before?.users ?? 0)}`,
  );
  expect(cells('#riskiest tbody tr').map(([rank, key, score]) => [rank, key, score])).toEqual(
    data.riskiest.map(({ rank, key, score }) => [String(rank), key?.[0], percent(score, 2)]),
  );
  expect(cells('#left-out tbody tr').map((row) => row.at(-1))).toEqual(['3', '2']);
  const trend = cells('#trend tbody tr').slice(0, 5);
  expect(trend.map(([label, number]) => [label, number])).toEqual(
    data.trend.toReversed().map(({ label, totals }) => [label, totals ? count(totals.users) : 'no scores']),
  );
  // The untreated are believed.
  const untreated = data.outcome?.groups[1]?.evaluated;
  expect(text('#figures').join(' ')).toContain(measure(untreated?.auc ?? 0));
  expect(text('#drift tbody tr td').join(' ')).toContain(measure(data.drift?.[0]?.psi ?? 0));
});
