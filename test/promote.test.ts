import { readFile, readlink, rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { challengerProject, LIMITS, writeBundle } from './support/challenger-project.ts';
import { LINEAR_USERS } from './support/linear-project.ts';
import { query } from './support/project.ts';
import { scoreBatch, startScoreBatch } from './support/score-batch.ts';
import { STAGED, slowProject, untilFiles, WAREHOUSE } from './support/steer.ts';

/** Users of two weeks. */
const USERS = LINEAR_USERS.replace('1997-03-10', '1997-03-03').replace('i % 7', 'i % 14');
const WEEKS = ['1997-W10', '1997-W11'];
const LINK = 'models/current';

type Options = Parameters<typeof challengerProject>[0];

async function compared(options: Options = {}, weeks: readonly string[] = WEEKS): Promise<string> {
  const folder = await challengerProject({ users: USERS, ...options });
  for (const week of weeks) {
    const { code, stderr } = await scoreBatch(folder, ['--week', week]);
    expect(code, stderr).toBe(0);
  }
  return folder;
}

function jobFile(folder: string): Promise<string> {
  return readFile(path.join(folder, 'jobs/job.yaml'), 'utf8');
}

function entries(folder: string) {
  return query(
    path.join(folder, WAREHOUSE),
    `select state, run_id, window_label as week, model_version as version, details->>'promotion' as promotion
     from marketing.score_batch_ledger where run_id like 'promote-%' order by entry_number`,
  );
}

/** The version of the model that scored the newest week. */
async function versionOf(folder: string) {
  const rows = await query(
    path.join(folder, WAREHOUSE),
    "select distinct model_version as version from marketing.scores where window_label = '1997-W11'",
  );
  return rows.map(({ version }) => version);
}

async function throughLink(folder: string): Promise<void> {
  await rename(path.join(folder, 'model'), path.join(folder, 'models/linear-1'));
  await symlink('linear-1', path.join(folder, LINK));
}

describe('promote', () => {
  it('names the challenger in the job file, which loses its challenger and no other byte; the next run uses it', async () => {
    const folder = await compared({ edit: (job) => job.replace('model: model', 'model:  model # since May') });
    const before = await jobFile(folder);
    const dry = await scoreBatch(folder, ['promote', '--dry-run', '--json']);
    expect(dry.code, dry.stderr).toBe(0);
    expect(await jobFile(folder)).toBe(before);
    expect(await entries(folder)).toEqual([]);

    const { code, stdout, stderr } = await scoreBatch(folder, ['promote', '--json']);
    expect(code, stderr).toBe(0);
    const summary = JSON.parse(stdout);
    expect(summary).toMatchObject({ state: 'promoted', forced: false, windows: ['1997-W11', '1997-W10'] });
    expect(JSON.parse(dry.stdout)).toEqual({ ...summary, state: 'would be promoted', run_id: null });
    expect(await jobFile(folder)).toBe(
      before.replace('model:  model #', 'model:  models/linear-2 #').replace(/challenger:[\s\S]*$/, ''),
    );
    const found = await entries(folder);
    expect(found.map(({ state, week, version }) => [state, week, version])).toEqual([
      ['promoting', '1997-W11', '2'],
      ['promoted', '1997-W11', '2'],
    ]);
    const run = await scoreBatch(folder, ['--week', '1997-W11', '--json']);
    expect(run.code, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({
      model: { version: '2' },
      challenger: null,
      model_changed: { version: '1' },
    });
    expect((await scoreBatch(folder, ['promote'])).code).toBe(78);
  });

  it('repoints a link, if the model of the job is one', async () => {
    const folder = await challengerProject({ users: USERS, edit: (job) => job.replace('model: model', `model: ${LINK}`) });
    await throughLink(folder);
    for (const week of WEEKS) expect((await scoreBatch(folder, ['--week', week])).code).toBe(0);
    const before = await jobFile(folder);
    const { code, stderr } = await scoreBatch(folder, ['promote']);
    expect(code, stderr).toBe(0);
    expect(await readlink(path.join(folder, LINK))).toBe('linear-2');
    expect(await jobFile(folder)).toBe(before.replace(/challenger:[\s\S]*$/, ''));
    expect((await scoreBatch(folder, ['--week', '1997-W11'])).code).toBe(0);
    expect(await versionOf(folder)).toEqual(['2']);
  });

  it('promotes with --force and a reason, which the ledger keeps with what it overruled', async () => {
    const folder = await compared({}, ['1997-W11']);
    expect((await scoreBatch(folder, ['promote', '--force'])).code).toBe(64);
    const reason = "the old model's vendor is gone";
    const { code, stderr } = await scoreBatch(folder, ['promote', '--force', '--reason', reason]);
    expect(code, stderr).toBe(0);
    const [promoting] = await entries(folder);
    expect(JSON.parse(String(promoting?.promotion))).toMatchObject({
      ...{ forced: true, reason, refusals: ['1 window is published, but promote_after is 2'] },
      user: expect.any(String),
    });
  });

  it('promotes with --force without limits, and says of no window that it was within them', async () => {
    const folder = await compared({ compare: '' }, ['1997-W11']);
    const dry = await scoreBatch(folder, ['promote', '--force', '--reason', 'a test', '--dry-run']);
    expect(dry.code, dry.stderr).toBe(0);
    expect(dry.stdout).toMatch(/^would promote linear 2 /);
    expect(dry.stdout).toContain('overruled   the job file has no limits under compare');
    expect(dry.stdout).not.toContain('compared');
  });
});

describe('promote is refused', () => {
  it.each<[string, Options, (folder: string) => Promise<unknown>, number, RegExp]>([
    ['without comparisons', {}, async () => {}, 65, /0 windows are published, but promote_after is 2/],
    ['without limits', { compare: '' }, (folder) => scoreBatch(folder, ['--week', '1997-W11']), 78, /no limits under compare/],
    [
      'with a window beyond a limit',
      { compare: 'compare: { max_mean_change: 0.000001, max_psi: 5 }\n', promoteAfter: 1 },
      (folder) => scoreBatch(folder, ['--week', '1997-W11']),
      65,
      /1997-W11: beyond max_mean_change \(0\.00\d+, limit 0\.000001\)/,
    ],
    [
      'with a window that was not compared',
      { promoteAfter: 1 },
      async (folder) => {
        await rename(path.join(folder, 'models'), path.join(folder, 'elsewhere'));
        await scoreBatch(folder, ['--week', '1997-W11']);
        await rename(path.join(folder, 'elsewhere'), path.join(folder, 'models'));
      },
      65,
      /1997-W11: the two models were not compared: .*model\.yaml does not exist/,
    ],
    [
      'with a bundle that was changed since',
      { promoteAfter: 1 },
      async (folder) => {
        await scoreBatch(folder, ['--week', '1997-W11']);
        await writeBundle(path.join(folder, 'models/linear-2'), { weights: [0.4, -0.2], version: '3' });
      },
      65,
      /1997-W11: the challenger has changed since it was compared/,
    ],
    [
      'for a model from the environment',
      { promoteAfter: 1, edit: (job) => job.replace('model: model', `model: \${MODEL:-model}`) },
      (folder) => scoreBatch(folder, ['--week', '1997-W11']),
      78,
      /cannot be edited automatically/,
    ],
  ])('%s', async (_, options, prepare, code, message) => {
    const folder = await challengerProject({ users: USERS, ...options });
    await prepare(folder);
    const before = await jobFile(folder);
    const outcome = await scoreBatch(folder, ['promote']);
    expect({ code: outcome.code, stderr: outcome.stderr }).toEqual({ code, stderr: expect.stringMatching(message) });
    expect(await jobFile(folder)).toBe(before);
  });

  it('without a challenger', async () => {
    const folder = await challengerProject({ edit: (job) => job.replace(/challenger:[\s\S]*$/, '') });
    expect(await scoreBatch(folder, ['promote'])).toMatchObject({ code: 78, stderr: expect.stringContaining('no challenger') });
  });
});

describe('a promotion in the middle of a run', () => {
  it.each(['job file', 'link'] as const)('by its %s: the run publishes with the model it began with', async (by) => {
    const folder = await slowProject({
      edit: (job) =>
        `${job.replace('model: model', by === 'link' ? `model: ${LINK}` : 'model: model')}${LIMITS}challenger: { model: models/linear-2 }\n`,
    });
    await writeBundle(path.join(folder, 'models/linear-2'), { version: '2' });
    if (by === 'link') await throughLink(folder);
    // Something to refer to.
    expect((await scoreBatch(folder, ['--week', '--workers', '2'])).code).toBe(0);
    const running = startScoreBatch(folder, ['--week', '--workers', '2']);
    await untilFiles(running, folder, STAGED, 2);
    running.process.kill('SIGSTOP');
    const promoted = await startScoreBatch(folder, ['promote', '--force', '--reason', 'a test']).ended;
    expect(promoted.code, promoted.stderr).toBe(0);
    running.process.kill('SIGCONT');
    const { code, stderr } = await running.ended;
    expect(code, stderr).toBe(0);
    expect(await versionOf(folder)).toEqual(['1']);
    const scores = `select count(*) filter (abs(s.propensity - 1 / (1 + exp(-(0.5 * u.a - 0.25 * coalesce(u.b, 0))))) > 1.5e-6) as wrong
      from marketing.scores s join users u using (user_id)`;
    expect(await query(path.join(folder, WAREHOUSE), scores)).toEqual([{ wrong: '0' }]);
    expect((await scoreBatch(folder, ['--week', '--workers', '2'])).code).toBe(0);
    expect(await versionOf(folder)).toEqual(['2']);
  });
});
