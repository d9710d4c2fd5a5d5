import { expect, it } from 'vitest';
import type { ProfileOutput } from '../../src/json/profile.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { FILL, leftInScratch, missing, weekEnvironment, weeklyProject } from './week.ts';

it.for(['bigquery', 'snowflake'] as const)(
  'three slices of %s have the rows of their share of hashes, and leave nothing in scratch',
  async (kind, { skip }) => {
    skip(missing[kind], 'the emulator is not there');
    const url = await FILL[kind]();
    const folder = await weeklyProject();
    const args = ['-q', 'profile', '--measure', '--week', '1997-W11', '--json'];
    const { code, stdout, stderr } = await scoreBatch(folder, args, weekEnvironment(url, url));
    expect(code, stderr).toBe(0);
    const { runs, seconds, stages, setting } = JSON.parse(stdout) as ProfileOutput;
    // As in DuckDB: the hash of a key, and so its slice, is the same in every warehouse.
    expect(runs.map(({ rows }) => rows)).toEqual([214, 621, 2053]);
    expect(seconds).toMatchObject({ points: 3, rows_min: 214, rows_max: 2053 });
    expect(stages.map(({ stage }) => stage)).toEqual(expect.arrayContaining(['plan', 'freeze', 'score']));
    expect(setting?.freezes).toBe(true);
    expect(await leftInScratch(url)).toEqual([]);
  },
);
