import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { GATES, type Gate } from '../src/domain/refusal.ts';
import { labelledProject } from './support/labelled-project.ts';
import { LINEAR_USERS, linearProject } from './support/linear-project.ts';
import { repository } from './support/project.ts';
import { publishedRows, rowsOf } from './support/published.ts';
import { accept, look, REASON, refusedRun } from './support/refused-run.ts';
import { scoreBatch } from './support/score-batch.ts';

// Every gate refuses, shows a query that runs, and is accepted with the command that it shows; with and without frozen rows.

type Route = 'tapped' | 'frozen';

interface Refusing {
  readonly make: (route: Route) => Promise<string>;
  /** Windows that are published before. */
  readonly before?: readonly string[];
  readonly now?: string;
  /** What the query of the hint returns. */
  readonly seen: unknown;
  readonly rows: { readonly frozen: number; readonly scored: number; readonly quarantined: number };
}

const NULLS = `select * replace (case when user_id in (5, 17) then null else a end as a) from (${LINEAR_USERS})`;
const TWO_WEEKS = `select * replace (signup - 7 as signup) from (${LINEAR_USERS}) union all select * from (${LINEAR_USERS}) where user_id < 49`;
const LABELLED = `select i as user_id, date '1997-02-24' + cast(7 * (i // 40) + i % 7 as integer) as signup,
  (i % 20) / 10.0 as a, (i % 13) / 10.0 as b, 'US' as country from range(280) as users(i)`;
const OUTCOMES = `select user_id, signup + 10 as seen, a - b / 2 < 0.6 + (hash(user_id) % 10) / 20.0 as came_true,
  false as contacted from users`;

function edited(route: Route, ...pairs: readonly (readonly [from: string, to: string])[]): (job: string) => string {
  const freeze = ['source:\n', `source:\n  freeze: ${route === 'tapped' ? 'never' : 'always'}\n`] as const;
  return (job) =>
    [freeze, ...pairs].reduce((text, [from, to]) => {
      expect(text).toContain(from);
      return text.replace(from, to);
    }, job);
}

const ledgerRow = (window_label: string, state: string, rows_frozen: string) => ({
  ...{ window_label, state, rows_frozen },
  rows_quarantined: '0',
});
const gates = (text: string) => ['gates:\n', `gates:\n  psi_min_rows: 1\n  ${text}\n`] as const;
const QUARANTINE = ['max_quarantine_rate: 1%', 'max_quarantine_rate: 100%'] as const;

async function neverSeen(route: Route): Promise<string> {
  const yaml = await readFile(repository('test/fixtures/models/strings/model.yaml'), 'utf8');
  return await linearProject({
    model: 'strings',
    users: `select i as user_id, date '1997-03-12' as signup, 'gold' as plan, i as logins from range(40) as users(i)`,
    query: 'select user_id, plan, logins from users where signup >= :window_start_date and signup < :window_end_date',
    edit: (job) => edited(route)(job).replaceAll('country', 'logins'),
    files: { 'model/model.yaml': yaml.replace('unknown: quarantine', 'unknown: default, default: free') },
  });
}

const labelled = (gate: string) => (route: Route) =>
  labelledProject({
    users: LABELLED,
    outcomes: OUTCOMES,
    edit: edited(route, ['gates:\n', `gates:\n  ${gate}\n  on_evaluation: refuse\n`]),
  });
const MONDAYS = { before: ['1997-W09'], now: '1997-03-31T08:00:00-05:00', rows: { frozen: 40, scored: 40, quarantined: 0 } };
const OUTCOME_SEEN = expect.arrayContaining([expect.objectContaining({ window_label: '1997-W09', contact_group: 'all' })]);
const ALL = { frozen: 100, scored: 100, quarantined: 0 };

const REFUSING: Record<Gate, Refusing> = {
  empty: {
    make: (route) => linearProject({ users: LINEAR_USERS.replace('1997-03-10', '1997-03-03'), edit: edited(route) }),
    before: ['1997-W10'],
    seen: [ledgerRow('1997-W11', 'refused', '0'), ledgerRow('1997-W10', 'published', '100')],
    rows: { frozen: 0, scored: 0, quarantined: 0 },
  },
  min_rows: {
    make: (route) => linearProject({ edit: edited(route, ['min_rows: 1', 'min_rows: 101']) }),
    seen: [ledgerRow('1997-W11', 'refused', '100')],
    rows: ALL,
  },
  max_drop: {
    make: (route) => linearProject({ users: TWO_WEEKS, edit: edited(route, gates('max_drop: 50%')) }),
    before: ['1997-W10'],
    seen: [ledgerRow('1997-W11', 'refused', '49'), ledgerRow('1997-W10', 'published', '100')],
    rows: { frozen: 49, scored: 49, quarantined: 0 },
  },
  duplicates: {
    make: (route) =>
      linearProject({
        users: `select * from (${LINEAR_USERS}) union all select * from (${LINEAR_USERS}) where user_id = 7`,
        edit: edited(route, ['key: [user_id]', 'key: [user_id]\n  duplicates: refuse'], QUARANTINE),
      }),
    seen: Array.from({ length: 2 }, () => expect.objectContaining({ key_0: '7', reason: 'duplicate key' })),
    rows: { frozen: 101, scored: 99, quarantined: 2 },
  },
  all_quarantined: {
    make: (route) =>
      linearProject({
        users: `select * replace (cast(null as double) as a) from (${LINEAR_USERS}) where user_id < 2`,
        edit: edited(route, QUARANTINE),
      }),
    seen: Array.from({ length: 2 }, () => expect.objectContaining({ reason: 'null in a required feature' })),
    rows: { frozen: 2, scored: 0, quarantined: 2 },
  },
  max_quarantine_rate: {
    make: (route) => linearProject({ users: NULLS, edit: edited(route) }),
    seen: Array.from({ length: 2 }, () => expect.objectContaining({ column_name: 'a' })),
    rows: { frozen: 100, scored: 98, quarantined: 2 },
  },
  max_score_psi: {
    make: (route) => linearProject({ edit: edited(route, gates('max_score_psi: 0.01')) }),
    seen: expect.arrayContaining([expect.objectContaining({ row_count: expect.stringMatching(/^\d+$/) })]),
    rows: ALL,
  },
  max_feature_psi: {
    make: (route) => linearProject({ edit: edited(route, gates('max_feature_psi: { a: 0.01 }')) }),
    seen: [expect.objectContaining({ row_count: '100', value_count: '100' })],
    rows: ALL,
  },
  max_null_share: {
    make: (route) => linearProject({ edit: edited(route, gates('max_null_share: { b: 5% }')) }),
    seen: [{ row_count: '100', null_count: '10' }],
    rows: ALL,
  },
  never_seen: {
    make: neverSeen,
    seen: [{ feature_value: 'gold', row_count: '40' }],
    rows: { frozen: 40, scored: 40, quarantined: 0 },
  },
  min_auc: { make: labelled('min_auc: 0.6'), seen: OUTCOME_SEEN, ...MONDAYS },
  max_calibration_error: { make: labelled('max_calibration_error: 5%'), seen: OUTCOME_SEEN, ...MONDAYS },
};

/** Gates whose query reads what only this route leaves in scratch. */
const FROZEN: readonly Gate[] = ['empty', 'max_quarantine_rate', 'max_score_psi', 'max_feature_psi', 'never_seen'];

const CASES: readonly (readonly [Gate, Route])[] = [
  ...GATES.map((gate) => [gate, 'tapped'] as const),
  ...FROZEN.map((gate) => [gate, 'frozen'] as const),
];

describe.each(CASES)('%s, %s', (gate, route) => {
  it('shows a query that runs, and publishes what was refused', async () => {
    const { make, before = [], now, seen, rows } = REFUSING[gate];
    const environment = now === undefined ? {} : { SCORE_BATCH_NOW: now };
    const folder = await make(route);
    for (const week of before) expect((await scoreBatch(folder, ['-q', '--week', week], environment)).code).toBe(0);
    const refused = refusedRun(await scoreBatch(folder, ['--week'], environment));
    expect(refused.gates).toEqual([gate]);
    expect(refused.looks.map((one) => one.gate)).toEqual([gate]);
    expect(await look(folder, refused)).toEqual({ [gate]: seen });

    const accepted = await accept(folder, refused, environment);
    expect(accepted.code, accepted.stderr).toBe(0);
    const [entry] = await rowsOf(
      folder,
      `select run_id, rows_frozen, rows_scored, rows_quarantined, details->>'$.accepted.reason' as reason,
         details->>'$.accepted.gates[0]' as gate, details->>'$.refused_by[0].gate' as refused_by,
         details->>'$.accepted.user' as by_user, cast(details->'$.refused_by[0].limit' as double) as allowed
       from marketing.score_batch_ledger where state = 'published' order by entry_number desc limit 1`,
    );
    expect(entry).toMatchObject({
      run_id: refused.runId,
      rows_frozen: String(rows.frozen),
      rows_scored: String(rows.scored),
      rows_quarantined: String(rows.quarantined),
      ...{ reason: REASON, gate, refused_by: gate },
      by_user: expect.stringMatching(/./),
      allowed: expect.any(Number),
    });
    const published = await publishedRows(folder);
    const own = (table: string) => (published[table] ?? []).filter(({ window_label }) => window_label === '1997-W11');
    if (now === undefined) {
      expect(own('marketing.scores')).toHaveLength(rows.scored);
      expect(own('marketing.scores_quarantine')).toHaveLength(rows.quarantined);
    }
  });
});
