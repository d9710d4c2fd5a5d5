import { expect, it } from 'vitest';
import { EMPTY, expectedCsv, FILL, missing, replaced, startWeek, weeklyProject, weekOf } from './week.ts';

it.for(['bigquery', 'snowflake'] as const)('two processes of one run both end well, within %s', async (kind, { skip }) => {
  skip(missing[kind], 'the emulator is not there');
  const url = await FILL[kind]();
  const folder = await weeklyProject();
  const ends = await Promise.all([startWeek(folder, url, url), startWeek(folder, url, url)]);
  expect(ends.map(({ code, stderr }) => (code === 0 ? 'well' : stderr))).toEqual(['well', 'well']);
  const { csv, runs } = await weekOf(folder, url, url);
  expect(csv).toBe(await expectedCsv());
  expect(runs.filter(({ current }) => current)).toMatchObject([{ rows: { frozen: 2053, scored: 2053, quarantined: 0 } }]);
});

it.for([
  ['bigquery', 'snowflake'],
  ['snowflake', 'bigquery'],
] as const)('two different runs at once, from %s to %s: one publishes, and the other says so', async ([from, to], { skip }) => {
  skip(missing[from] || missing[to], 'the emulator is not there');
  const [source, sink] = [await FILL[from](), await EMPTY[to]()];
  const [folder, other] = [
    await weeklyProject(),
    await weeklyProject({ edit: (job) => replaced(job, 'max_drop: 50%', 'max_drop: 40%') }),
  ];
  const ends = await Promise.all([startWeek(folder, source, sink), startWeek(other, source, sink)]);
  // The later one of two that do not meet replaces the earlier one.
  const codes = ends.map(({ code }) => code).sort();
  expect(
    [
      [0, 0],
      [0, 75],
    ],
    ends.map(({ stderr }) => stderr).join('\n'),
  ).toContainEqual(codes);
  const { runs } = await weekOf(ends[0]?.code === 0 ? folder : other, source, sink);
  expect(runs.filter(({ current }) => current)).toMatchObject([
    { state: 'completed', rows: { frozen: 2053, scored: 2053, quarantined: 0 } },
  ]);
});
