import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { linearProject } from './support/linear-project.ts';
import { readPage } from './support/markdown.ts';
import { query, repository, temporaryFolder } from './support/project.ts';
import { CSV, WAREHOUSE } from './support/steer.ts';

const start = promisify(execFile);

it('works from its tarball, installed elsewhere without install scripts', { timeout: 300_000 }, async () => {
  const folder = await temporaryFolder();
  const packed = await start('npm', ['pack', '--json', '--pack-destination', folder], { cwd: repository() });
  const [{ filename, files }] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }];
  const names = files.map((file) => file.path);
  expect(names).toEqual(
    expect.arrayContaining([
      'dist/cli.js',
      'dist/open_inference_grpc.proto',
      'dist/thread.js',
      'dist/THIRD-PARTY.txt',
      'package.json',
      'README.md',
      'SECURITY.md',
      'deploy/README.md',
      'man/score-batch.1',
      'schemas/plan.schema.json',
      'LICENSE',
    ]),
  );
  expect(
    names.filter(
      (name) =>
        !/^(dist\/(.+\.js|open_inference_grpc\.proto|THIRD-PARTY\.txt)|deploy\/.+|docs\/.+\.(md|svg|png)|jobs\/.+|(data|models)\/.+\/README\.md|man\/score-batch\.1|schemas\/.+\.schema\.json|package\.json|[A-Z]+\.md|LICENSE)$/.test(
          name,
        ),
    ),
  ).toEqual([]);
  const linked = readPage('README.md').links.filter((target) => !/^(https?:|#)/.test(target));
  expect(linked.length).toBeGreaterThan(20);
  const isPacked = (target: string) =>
    names.some((name) => name === target || name.startsWith(`${target.replace(/\/$/, '')}/`));
  expect(linked.map((target) => target.split('#')[0] ?? '').filter((target) => !isPacked(target))).toEqual([]);

  await writeFile(path.join(folder, 'package.json'), '{ "private": true }');
  const install = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', path.join(folder, filename)];
  await start('npm', install, { cwd: folder });
  const manifest = path.join(folder, 'node_modules', 'score-batch', 'package.json');
  expect(existsSync(manifest)).toBe(true);

  const scoreBatch = (...args: string[]) =>
    start('npx', ['--no-install', 'score-batch', ...args], {
      cwd: folder,
      env: { ...process.env, SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00' },
    });
  const project = await linearProject();
  expect((await scoreBatch('--version')).stdout.trim()).toBe('0.2.0');
  const verified = await scoreBatch('model', 'verify', path.join(project, 'model'), '--json');
  expect(JSON.parse(verified.stdout)).toMatchObject({ name: 'linear', version: '1', rows: 9 });
  const { stdout } = await scoreBatch('-C', project, '--week', '--json');
  expect(JSON.parse(stdout)).toMatchObject({ state: 'published', rows: { frozen: 100, scored: 100, quarantined: 0 } });
  expect(await query(path.join(project, WAREHOUSE), 'select count(*) as n from marketing.report')).toEqual([{ n: '100' }]);
  expect(existsSync(path.join(project, CSV))).toBe(true);
});
