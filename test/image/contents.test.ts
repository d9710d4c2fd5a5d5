import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Bill, Component } from '../../scripts/image/bill.ts';
import { repository, temporaryFolder } from '../support/project.ts';
import { LABELLED } from './build.ts';
import { runContainer } from './container.ts';
import { cycloneDxProblems } from './cyclone-dx.ts';
import { images, rootOf } from './images.ts';
import { filesOf } from './parts.ts';

const run = promisify(execFile);

const HOME = '/opt/score-batch';
const MODULES = `${HOME}/node_modules`;
const GOAL = 400_000_000;

// Without the tools that build an image; the last lines of the output name them.
describe.skipIf(images === undefined)('the image', () => {
  it('is as small as it can be, with one platform and nothing of the build', async () => {
    const { folder } = await rootOf('command');
    const sizes = await filesOf(folder);
    expect([...sizes.values()].reduce((sum, size) => sum + size, 0)).toBeLessThan(GOAL);
    const files = [...sizes.keys()];
    const natives = files.filter((file) => /\.(node|dll|dylib)$|\/libonnxruntime/.test(file));
    expect(
      natives.filter((file) => !new RegExp(`linux[-/]${process.arch}`).test(file) && !file.endsWith('binding.node')),
    ).toEqual([]);
    // Files without a byte are the places where the build had npm's settings of this machine mounted.
    const full = files.filter((file) => sizes.get(file) !== 0);
    expect(full.filter((file) => /\.(map|d\.ts)$|npmrc$|\.crt$|^root\/\.npm|^build\//.test(file))).toEqual([]);
  });

  it('says what it is and starts as nobody in particular', async () => {
    const { config } = await rootOf('command');
    expect(config).toMatchObject({ User: '1000:1000', WorkingDir: '/srv/job' });
    expect(config.Entrypoint).toEqual(['tini', '--', 'node', `${HOME}/dist/cli.js`]);
    const prefix = 'org.opencontainers.image.';
    expect(config.Labels).toMatchObject({
      [`${prefix}title`]: 'score-batch',
      [`${prefix}licenses`]: 'MIT',
      [`${prefix}version`]: LABELLED.VERSION,
      [`${prefix}revision`]: LABELLED.REVISION,
      [`${prefix}created`]: LABELLED.CREATED,
      [`${prefix}source`]: LABELLED.SOURCE,
    });
    const { version } = JSON.parse(await readFile(repository('package.json'), 'utf8')) as { version: string };
    expect(LABELLED.VERSION).toBe(version);
    const root = await rootOf('command');
    const said = await runContainer(root, {
      entrypoint: ['sh', '-c', 'id -u; id -g; score-batch --version; cat /proc/1/comm'],
    });
    expect(said.stdout).toBe(`1000\n1000\n${version}\nsh\n`);
    // Nothing can be written, even without a read-only root, outside /tmp.
    const { stdout } = await runContainer(root, {
      entrypoint: ['find', '/', '-xdev', '-writable', '-type', 'd', '-not', '-path', '/proc/*'],
    });
    expect(stdout.split('\n').filter((line) => line !== '' && !line.startsWith('/dev'))).toEqual([]);
  });

  it('lists what is in it, as CycloneDX, each with its licence', async () => {
    const { folder } = await rootOf('command');
    const text = await readFile(path.join(folder, HOME, 'sbom.cdx.json'), 'utf8');
    expect(await cycloneDxProblems(text)).toEqual([]);
    const { components, metadata } = JSON.parse(text) as Bill;
    expect(metadata.component).toMatchObject({ name: 'score-batch', version: '0.2.0', type: 'application' });
    const listed = new Set(components.map(({ name, version }) => `${name} ${version}`));

    const installed = (await packageFolders(path.join(folder, MODULES))).map(({ name, version }) => `${name} ${version}`);
    expect(installed.filter((one) => !listed.has(one))).toEqual([]);
    const notice = await readFile(path.join(folder, HOME, 'dist/THIRD-PARTY.txt'), 'utf8');
    const bundled = [...notice.matchAll(/^(\S+ \d+\.\S+): /gm)].map(([, one = '']) => one);
    expect(bundled.filter((one) => !listed.has(one))).toEqual([]);
    const packages = await run('dpkg-query', [
      '--admindir',
      path.join(folder, 'var/lib/dpkg'),
      '--show',
      `--showformat=${['Package', 'Version'].map((name) => `$\{${name}}`).join(' ')}\\n`,
    ]);
    const debian = packages.stdout.trim().split('\n');
    expect(debian).toContainEqual(expect.stringMatching(/^tini /));
    expect(debian.filter((one) => !listed.has(one))).toEqual([]);
    expect(listed).toContain(`node ${process.versions.node}`);

    expect(components.filter(({ type, licenses = [] }) => type !== 'operating-system' && licenses.length === 0)).toEqual([]);
    expect(await withoutText(folder, components)).toEqual([]);
  });

  it('every package that loads before anything is left out loads in it', async () => {
    const root = await rootOf('command');
    const script = await readFile(repository('test/image/load-all.mjs'), 'utf8');
    const env = { HOME: '/tmp' };
    const mounts = { '/tmp': { from: await temporaryFolder() } };
    const inImage = await runContainer(root, {
      entrypoint: ['node', '--input-type=module', '--eval', script, '--', MODULES],
      env,
      mounts,
    });
    expect(inImage, inImage.stderr).toMatchObject({ code: 0 });
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script, '--', repository('node_modules')]);
    const whole = JSON.parse(stdout) as Record<string, string>;
    const slim = JSON.parse(inImage.stdout) as Record<string, string>;
    expect(Object.keys(slim).length).toBeGreaterThan(200);
    expect(slim).toEqual(Object.fromEntries(Object.keys(slim).map((name) => [name, whole[name]])));
  });
});

interface PackageFolder {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
}

async function packageFolders(modules: string): Promise<PackageFolder[]> {
  const found: PackageFolder[] = [];
  for (const name of await readdir(modules)) {
    if (name.startsWith('.')) continue;
    const folder = path.join(modules, name);
    if (name.startsWith('@')) {
      found.push(...(await packageFolders(folder)));
      continue;
    }
    const file = path.join(folder, 'package.json');
    if (!existsSync(file)) continue;
    const about = JSON.parse(await readFile(file, 'utf8')) as { name: string; version: string };
    found.push({ folder, name: about.name, version: about.version });
    if (existsSync(path.join(folder, 'node_modules'))) found.push(...(await packageFolders(path.join(folder, 'node_modules'))));
  }
  return found;
}

/** Components whose licence the image has no text of. Some packages name their licence, and have no text of it either. */
async function withoutText(folder: string, components: readonly Component[]): Promise<string[]> {
  const folders = await packageFolders(path.join(folder, MODULES));
  const texts = new Set<string>();
  for (const { folder: at, name, version } of folders) {
    const files = await readdir(at);
    // Where there is no file of it, what says it goes along: the readme, or the package's own description.
    if (files.some((file) => /^(licen[cs]e|copying|readme|package\.json)/i.test(file))) texts.add(`${name} ${version}`);
  }
  const notice = await readFile(path.join(folder, HOME, 'dist/THIRD-PARTY.txt'), 'utf8');
  return components
    .filter(({ type, name, version, purl = '' }) => {
      if (type === 'operating-system') return false;
      if (purl.startsWith('pkg:deb/') || name === 'node')
        return !existsSync(path.join(folder, 'usr/share/doc', name, 'copyright'));
      return !texts.has(`${name} ${version}`) && !notice.includes(`\n${name} ${version}: `);
    })
    .map(({ name }) => name);
}
