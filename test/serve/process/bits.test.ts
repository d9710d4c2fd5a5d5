import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { scoreBatchProcess, startScoreBatch } from '../../support/score-batch.ts';
import { minusMean, spoilt } from '../../support/spoilt-model.ts';
import { threeClasses } from '../../support/three-classes.ts';
import { IRIS } from '../served.ts';

// Values that depend on the rows beside them, as the built server tells of them.

const flags = ['--no-grpc', '--port', '0', '--drain-lead', '0s', '--drain-end', '1s'];

/** The line that a server of these bundles starts with. */
async function startLine(...bundles: readonly string[]): Promise<string> {
  const { process: child, ended } = startScoreBatch(bundles[0] ?? '', ['serve', ...bundles, ...flags]);
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  let stderr = '';
  child.stderr?.on('data', (text: string) => {
    stderr += text;
  });
  while (!stderr.includes('listening on ') && child.exitCode === null && child.stderr !== null) {
    await Promise.race([once(child.stderr, 'data'), once(child, 'exit')]);
  }
  return stderr;
}

it('says when it starts by how much scores differ, if they do', async () => {
  const { folder } = await spoilt({ ...minusMean(3e-8), tolerance: '1e-4' });
  const line = await startLine(folder, IRIS);
  const [, seen] =
    /: linear 1 \(a score depends on the other rows of its run, by up to (\S+) as measured\), iris /.exec(line) ?? [];
  expect(Number(seen), line).toBeGreaterThan(1e-8);
  expect(Number(seen)).toBeLessThanOrEqual(1e-6);
});

it.each<[what: string, make: () => Promise<string>, why: RegExp]>([
  [
    'a score differs by more than 1e-6',
    async () => (await spoilt({ ...minusMean(1e-6), tolerance: '1e-4' })).folder,
    /differs by 0\.0000\d+, more than the promised 1e-6/,
  ],
  ['a label changes', () => threeClasses({ dependentLabel: true }), /differs in its label/],
])('does not start if %s, and ends with 78', async (_, make, why) => {
  const folder = await make();
  expect((await scoreBatchProcess(folder, ['model', 'verify', folder])).code).toBe(0);
  const { code, stderr } = await scoreBatchProcess(folder, ['serve', folder, ...flags]);
  expect(code, stderr).toBe(78);
  expect(stderr).toContain('cannot be served: the score of a row depends on other rows of its batch');
  expect(stderr).toMatch(why);
});
