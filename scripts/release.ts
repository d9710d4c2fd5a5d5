// Checks that this checkout can be released, and releases it on request:
//
//   npm run release                 checks, and lets npm show what it would publish
//   npm run release -- --publish    the same, then publishes with provenance; only a CI service with OpenID Connect can do that
//
// docs/versions.md says what a version promises; .github/workflows/release.yml runs this for a tag.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './root.ts';

const MAX_PACKED_BYTES = 3_000_000;

interface Manifest {
  readonly version: string;
  readonly repository?: unknown;
}

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly entryCount: number;
}

const { values: flags } = parseArgs({ options: { publish: { type: 'boolean', default: false } } });
const { version, repository } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Manifest;
const headings = [...readFileSync(path.join(ROOT, 'CHANGELOG.md'), 'utf8').matchAll(/^## (.+)$/gm)].map(
  ([, text = '']) => text,
);
const problems: string[] = [];
// Required for a release, but not for a dry run.
const missing: string[] = [];

if (git('status', '--porcelain') !== '') missing.push('the checkout has changes that are not committed');
if (git('tag', '--points-at', 'HEAD') !== `v${version}`) missing.push(`the commit has no tag v${version}`);
const [newest = ''] = headings;
if (newest === `Pending (${version})`) missing.push(`CHANGELOG.md still calls ${version} pending: give it its date`);
else if (!newest.startsWith(`${version} (`)) problems.push(`CHANGELOG.md begins with "${newest}", package.json has ${version}`);
const before = headings[1]?.split(' ')[0];
if (before !== undefined && !existsSync(path.join(ROOT, 'test', 'fixtures', 'versions', `${before}.tar.gz`)))
  problems.push(`nothing is kept of ${before} for the upgrade tests: run \`npm run release:keep\` in its checkout`);
if (repository === undefined) missing.push('package.json has no `repository`, which provenance is about');

const [packed] = JSON.parse(npm('pack', '--dry-run', '--json')) as Packed[];
if (packed === undefined) throw new Error('npm packed nothing');
process.stdout.write(`${packed.filename}: ${(packed.size / 1e6).toFixed(2)} MB packed, ${packed.entryCount} files\n`);
if (packed.size >= MAX_PACKED_BYTES) problems.push(`the package has ${packed.size} bytes, more than ${MAX_PACKED_BYTES}`);

const tried = spawnSync('npm', ['publish', '--dry-run'], { cwd: ROOT, encoding: 'utf8' });
// Ignores the warning about not being logged in. Anything else that npm warns about, it would correct or leave out.
const warnings = tried.stderr.split('\n').filter((line) => /^npm (warn|error)/i.test(line) && !line.includes('logged in'));
problems.push(...warnings);
if (tried.status !== 0) problems.push(`npm publish --dry-run ended with ${tried.status}`);

for (const one of problems) process.stderr.write(`error: ${one}\n`);
for (const one of missing) process.stderr.write(`${flags.publish ? 'error' : 'before a release'}: ${one}\n`);
if (problems.length > 0 || (flags.publish && missing.length > 0)) process.exitCode = 1;
else if (flags.publish) {
  process.exitCode =
    spawnSync('npm', ['publish', '--provenance', '--access', 'public'], { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
} else process.stdout.write(`${version} can be released${missing.length > 0 ? ' once that is done' : ''}\n`);

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

function npm(...args: string[]): string {
  return execFileSync('npm', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
