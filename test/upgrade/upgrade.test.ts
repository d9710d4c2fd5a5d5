import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { buildProgram, jsonNameOf } from '../../src/commands/program.ts';
import { JSON_VERSIONS } from '../../src/json/versions.ts';
import { query, repository, statements, temporaryFolder } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';

// What earlier versions left, read and continued by this one: docs/versions.md promises it. `npm run release:keep` adds a version.

const KEPT = repository('test', 'fixtures', 'versions');
const VERSIONS = readdirSync(KEPT).map((name) => name.replace('.tar.gz', ''));
const NOW = '1997-04-01T08:00:00-05:00';

it('there is a version before', () => {
  expect(VERSIONS.length).toBeGreaterThan(0);
});

describe.each(VERSIONS)('a project of %s', (version) => {
  const unpacked = async () => {
    const folder = await temporaryFolder();
    await promisify(execFile)('tar', ['-xzf', path.join(KEPT, `${version}.tar.gz`), '-C', folder]);
    const rows = (sql: string) => query(path.join(folder, 'data', 'warehouse.duckdb'), sql);
    const call = async (args: string, code = 0) => {
      const words = [...args.split(' '), ...(args.includes('--job') ? [] : ['--job', 'job'])];
      const ended = await scoreBatch(folder, [...words, '--json'], { SCORE_BATCH_NOW: NOW });
      expect(ended.code, `${args}: ${ended.stderr}`).toBe(code);
      return { ...ended, data: JSON.parse(ended.stdout) };
    };
    const kept = async (name: string) => JSON.parse(await readFile(path.join(folder, 'json', `${name}.json`), 'utf8'));
    const report = (label: string) => readFile(path.join(folder, 'reports', `linear-${label}.csv`), 'utf8');
    return { folder, rows, call, kept, report };
  };

  it('shows what it showed, and its job file needs no change', async () => {
    const { call, kept, folder } = await unpacked();
    for (const [args, name, code] of [
      ['status', 'status', 0],
      ['check', 'check', 0],
      ['plan --week 1997-W11', 'plan', 0],
      ['--week 1997-W11 --job strict', 'error', 65],
    ] as const) {
      const [before, now] = [await kept(name), (await call(args, code)).data];
      // A raised version says that properties went, or mean something else.
      if (before.schema === `score-batch/${name}/${JSON_VERSIONS[name]}`) expect(lacking(before, now)).toEqual([]);
    }
    const schema = JSON.parse(await readFile(path.join(folder, 'job.schema.json'), 'utf8'));
    const present = JSON.parse(await readFile(repository('jobs', 'job.schema.json'), 'utf8'));
    const keys = new Set(keysOf(present));
    expect(keysOf(schema).filter((key) => !keys.has(key))).toEqual([]);
  });

  it('has every command and flag that it had', async () => {
    const { folder } = await unpacked();
    const before = JSON.parse(await readFile(path.join(folder, 'cli.json'), 'utf8')) as Record<string, string[]>;
    const now = commandLine();
    const gone = Object.entries(before).flatMap(([name, flags]) =>
      flags.filter((flag) => now[name]?.includes(flag) !== true).map((flag) => `${name} ${flag}`),
    );
    expect(Object.keys(before).length).toBeGreaterThan(30);
    expect(gone).toEqual([]);
  });

  it('reads the ledger: a published window stays as it is, and its report is made again to the byte', async () => {
    const { call, rows, report } = await unpacked();
    const ledger = 'select * from marketing.score_batch_ledger order by all';
    const entries = await rows(ledger);
    const tables = () =>
      Promise.all(
        ['scores', 'report', 'summary', 'scores_quarantine'].map((name) => rows(`from marketing.${name} order by all`)),
      );
    const [before, csv] = [await tables(), await report('1997-W12')];
    expect((await call('--week 1997-W12 --skip-published')).data.state).toBe('already published');
    await call('report --week 1997-W12');
    expect(await report('1997-W12')).toBe(csv);
    expect(await tables()).toEqual(before);
    expect(
      (await rows(ledger)).filter((row) => !entries.some((one) => JSON.stringify(one) === JSON.stringify(row))),
    ).toHaveLength(1);
  });

  it('publishes the same scores again, and goes back to what it had replaced', async () => {
    const { call, rows } = await unpacked();
    const scores = () =>
      rows(`select user_id, propensity, rank, band from marketing.scores where window_label = '1997-W11' order by user_id`);
    const before = await scores();
    expect(before).toHaveLength(99);
    // Not `--skip-published`: the source lacks nobody that it had, but the erased user is asked for again.
    const again = await call('--week 1997-W11');
    expect(again.data.state).toBe('published');
    expect((await scores()).filter(({ user_id: key }) => key !== '19').length).toBe(99);
    await call('rollback --week 1997-W11 --reason upgraded');
    expect(await scores()).toEqual(before);
  });

  it('would resume the run that it left frozen, were this not a copy, and is rid of it by a run from the start', async () => {
    const { call, kept } = await unpacked();
    const { run_id: runId, rows } = await kept('freeze');
    const { data: plan } = await call('plan --week 1997-W13');
    // A copied file is another database. All else of the fingerprint is as it was, so that a run goes over an upgrade.
    expect(plan.unfinished).toMatchObject({ run_id: runId, differs: ['source'] });
    const { data } = await call('--week 1997-W13 --fresh');
    expect(data).toMatchObject({ state: 'published', rows: { frozen: rows } });
  });

  it('takes the next slice, erases, and publishes in each layout', async () => {
    const { call, rows, folder } = await unpacked();
    await statements(path.join(folder, 'data', 'warehouse.duckdb'), [
      `insert into users values (6, timestamp '1997-03-31 13:00:00', 0.75, 0.5, 'US', timestamp '1997-03-31 13:00:00')`,
    ]);
    const { data } = await call('--slice');
    expect(data.slices.at(-1)).toMatchObject({ state: 'published', kind: 'changes' });
    await call('--week 1997-W13 --fresh');
    await call('erase --key 20 --reason asked');
    for (const table of ['scores', 'report', 'current']) {
      expect(await rows(`select count(*)::int as n from marketing.${table} where user_id = 20`)).toEqual([{ n: 0 }]);
    }
    for (const layout of ['narrow', 'slim']) {
      await call(`--week 1997-W12 --job ${layout}`);
      expect(await rows(`select count(*)::int as n from marketing.${layout}`)).not.toEqual([{ n: 0 }]);
    }
  });
});

/** Paths that the first object has and the second lacks. Of a list, its first element counts; a null may be anything. */
function lacking(before: unknown, now: unknown, at = ''): string[] {
  if (Array.isArray(before))
    return Array.isArray(now) && before.length > 0 && now.length > 0 ? lacking(before[0], now[0], `${at}[]`) : [];
  if (typeof before !== 'object' || before === null) return [];
  if (typeof now !== 'object' || now === null) return now === null ? [] : [at];
  return Object.entries(before).flatMap(([name, value]) =>
    name in now ? lacking(value, (now as Record<string, unknown>)[name], `${at}.${name}`) : [`${at}.${name}`],
  );
}

/** The names of all properties in a JSON Schema, with those above them. */
function keysOf(schema: unknown, at = ''): string[] {
  if (Array.isArray(schema)) return schema.flatMap((one) => keysOf(one, at));
  if (typeof schema !== 'object' || schema === null) return [];
  return Object.entries(schema).flatMap(([name, value]) =>
    name === 'properties' && typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, inner]) => [`${at}.${key}`, ...keysOf(inner, `${at}.${key}`)])
      : keysOf(value, at),
  );
}

function commandLine(): Record<string, string[]> {
  const none = () => undefined;
  const flags = (command: Command): [string, string[]][] => [
    [jsonNameOf(command), command.options.flatMap(({ long, short }) => long ?? short ?? [])],
    ...command.commands.flatMap(flags),
  ];
  return Object.fromEntries(flags(buildProgram(none as never, none, none)));
}
