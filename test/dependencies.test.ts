import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { repository } from './support/project.ts';

interface Locked {
  readonly version?: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly license?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
}

const LOCK = JSON.parse(readFileSync(repository('package-lock.json'), 'utf8')) as { packages: Record<string, Locked> };
const PACKAGES = Object.entries(LOCK.packages).filter(([folder]) => folder !== '');

/** Licences that ask for nothing but to be named. */
const FREE = [
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
  '(MIT OR CC0-1.0)',
];

/** Packages that say it in a form of long ago, which npm does not take over. */
const ELSEWHERE: Readonly<Record<string, string>> = { 'node_modules/simple-lru-cache': 'MIT' };

it('everything that is installed is named with its content, and comes from no other place than the registry', () => {
  expect(PACKAGES.length).toBeGreaterThan(300);
  const odd = PACKAGES.filter(
    ([, { integrity = '', resolved, link }]) =>
      link ||
      !/^sha512-[\w+/]{86}==$/.test(integrity) ||
      !(resolved ?? 'https://registry.npmjs.org/').startsWith('https://registry.npmjs.org/'),
  );
  expect(odd).toEqual([]);
});

it('install scripts are off, so that a package does nothing until it is imported', () => {
  expect(readFileSync(repository('.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m);
});

it('what is installed with score-batch may be, by its licence', () => {
  const shipped = PACKAGES.filter(([, { dev }]) => !dev);
  const unfit = shipped.filter(([folder, { license = ELSEWHERE[folder] }]) => license === undefined || !FREE.includes(license));
  expect(unfit.map(([folder, { license }]) => `${folder}: ${license}`)).toEqual([]);
});

it('what is bundled with score-batch may be, by its licence, which goes along', () => {
  const notice = readFileSync(repository('dist', 'THIRD-PARTY.txt'), 'utf8');
  const bundled = [...notice.matchAll(/^(\S+) (\d+\.\S+): (.+)\n\n(.+)/gm)];
  expect(bundled.map(([, name]) => name)).toEqual(expect.arrayContaining(['@duckdb/node-api', 'commander', 'yaml', 'zod']));
  for (const [, name, version, license = ''] of bundled) {
    // Where two versions are there, one of them is inside the package that needs it.
    const locked = PACKAGES.filter(([folder]) => `/${folder}`.endsWith(`/node_modules/${name}`)).map(([, one]) => one);
    expect(locked).toContainEqual(expect.objectContaining({ version, license }));
    expect(FREE).toContain(license);
  }
});
