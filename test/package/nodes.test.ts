import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { keptFolder } from '../support/kept.ts';
import { linearProject } from '../support/linear-project.ts';
import { repository, temporaryFolder } from '../support/project.ts';

// The packed file, installed and run by each Node that package.json allows: `npm run test:package`.

const start = promisify(execFile);

/** From the npm package of Node, into a folder that git ignores. */
const NODES = { 22: '22.23.3', 24: '24.21.0' } as const;

async function binOf(version: string): Promise<string> {
  const prefix = repository('.tools', `node-${version}`);
  const bin = path.join(prefix, 'node_modules', 'node', 'bin');
  if (!existsSync(path.join(bin, 'node'))) {
    const flags = ['--no-save', '--no-package-lock', '--ignore-scripts=false', '--no-audit', '--no-fund'];
    await start('npm', ['install', '--prefix', prefix, ...flags, `node@${version}`]);
  }
  return bin;
}

let tarball = '';
beforeAll(async () => {
  const folder = await keptFolder();
  const { stdout } = await start('npm', ['pack', '--json', '--pack-destination', folder], { cwd: repository() });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  tarball = path.join(folder, filename);
});

describe.each(Object.entries(NODES))('Node %s', (major, version) => {
  it('installs the package without a warning of its engines, shows its help and publishes a week', async () => {
    const bin = await binOf(version);
    const folder = await temporaryFolder();
    const env = {
      ...process.env,
      PATH: `${bin}${path.delimiter}${process.env.PATH}`,
      SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00',
    };
    expect((await start('node', ['--version'], { env })).stdout.trim()).toBe(`v${version}`);
    await writeFile(path.join(folder, 'package.json'), '{ "private": true }');
    const installed = await start('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', tarball], {
      cwd: folder,
      env,
    });
    expect(installed.stderr).not.toMatch(/EBADENGINE/);
    const npx = (...args: string[]) => start('npx', ['--no-install', 'score-batch', ...args], { cwd: folder, env });
    expect((await npx('--help')).stdout).toMatch(/^Usage: score-batch /);
    const project = await linearProject();
    const { stdout } = await npx('-C', project, '--week', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ state: 'published', rows: { scored: 100 } });
    const [run] = JSON.parse((await npx('-C', project, 'status', '--json')).stdout).runs;
    expect(run).toMatchObject({ state: 'completed' });
    expect(major).toBe(version.split('.')[0]);
  });
});
