import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { cliPage, jobFilePage, LEAST_JOB, slug } from '../scripts/doc-pages.ts';
import { buildProgram } from '../src/commands/program.ts';
import { isRunState } from '../src/domain/ledger.ts';
import { tablesOf } from '../src/domain/tables.ts';
import { EXIT_CODES } from '../src/errors.ts';
import { readEventFeatures } from '../src/event-features/read.ts';
import { readRejection } from '../src/features/rejection.ts';
import { jobJsonSchema } from '../src/job/json-schema.ts';
import { parseJob } from '../src/job/parse.ts';
import { jobSchema } from '../src/job/schema.ts';
import { bundleChecks } from '../src/model/bundle-checks.ts';
import { bundleSchema } from '../src/model/bundle-schema.ts';
import { crossChecks as serveChecks } from '../src/serve/settings/cross-checks.ts';
import { serveSchema } from '../src/serve/settings/schema.ts';
import { crossChecks as streamChecks } from '../src/stream/settings/cross-checks.ts';
import { streamSchema } from '../src/stream/settings/schema.ts';
import { parseChecked } from '../src/yaml/checked.ts';
import { checkCommand } from './support/documented-command.ts';
import { type Page, readPage } from './support/markdown.ts';
import { repository } from './support/project.ts';
import { commandsIn } from './support/shell.ts';

const DOCS = readdirSync(repository('docs'))
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`);
const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'deploy/README.md', ...DOCS].map(readPage);

/** What may stand behind a fence. A block of YAML says what it is of, so that it can be validated. */
const INFOS = [
  'sh',
  'crontab',
  'sql',
  'csv',
  'text',
  'yaml job',
  'yaml model',
  'yaml serve',
  'yaml kubernetes',
  'yaml prometheus',
  'dockerfile',
  'yaml features',
  'yaml stream',
];

const page = (file: string): Page => PAGES.find((one) => one.file === file) ?? readPage(file);

it('every relative link and anchor leads somewhere', () => {
  const links = PAGES.flatMap(({ file, links: targets }) =>
    targets.filter((target) => !/^https?:/.test(target)).map((target) => ({ file, target })),
  );
  const broken = links.filter(({ file, target }) => {
    const [place = '', anchor] = target.split('#');
    const to = place === '' ? file : path.posix.join(path.posix.dirname(file), place);
    if (!existsSync(repository(to))) return true;
    return anchor !== undefined && !(to.endsWith('.md') && page(to).anchors.has(anchor));
  });
  expect(broken).toEqual([]);
  expect(links.length).toBeGreaterThan(80);
  expect(links.filter(({ target }) => target.includes('#')).length).toBeGreaterThan(20);
});

it('every page of docs/ is reached from the README', () => {
  const reached = new Set(['README.md']);
  for (const file of reached) {
    for (const target of page(file).links) {
      const to = path.posix.join(path.posix.dirname(file), target.split('#')[0] ?? '');
      if (to.endsWith('.md') && existsSync(repository(to))) reached.add(to);
    }
  }
  expect(PAGES.map(({ file }) => file).filter((file) => !reached.has(file))).toEqual([]);
});

it('every fenced block says what it is', () => {
  const blocks = PAGES.flatMap(({ file, blocks: all }) => all.map(({ info }) => ({ file, info })));
  expect(blocks.filter(({ info }) => !INFOS.includes(info))).toEqual([]);
  expect(blocks.length).toBeGreaterThan(50);
});

it('every command line could be run: npm scripts and files are there, score-batch takes its arguments', async () => {
  const written = PAGES.flatMap(({ file, blocks, spans }) =>
    [
      ...blocks.filter(({ info }) => info === 'sh').flatMap(({ text }) => commandsIn(text)),
      ...blocks
        .filter(({ info }) => info === 'crontab')
        .flatMap(({ text }) => commandsIn(text.replaceAll(/^(\S+\s+){5}/gm, ''))),
      ...spans.filter((span) => /^(npx )?(score-batch|npm) /.test(span) && !isName(span)).flatMap(commandsIn),
    ].map((words) => ({ file, words })),
  );
  const programs: Record<string, number> = {};
  const wrong: string[] = [];
  for (const { file, words } of written) {
    try {
      const program = await checkCommand(words);
      if (program !== undefined) programs[program] = (programs[program] ?? 0) + 1;
    } catch (error) {
      wrong.push(`${file}: ${words.join(' ')}: ${(error as Error).message}`);
    }
  }
  expect(wrong).toEqual([]);
  expect(written).toContainEqual({ file: 'README.md', words: ['npm', 'run', 'demo'] });
  expect(written).toContainEqual({ file: 'README.md', words: ['npx', 'score-batch', '--job', 'churn', '--week'] });
  expect(programs['score-batch']).toBeGreaterThan(40);
  expect(programs.npm).toBeGreaterThan(20);
});

it.each([
  ['there is no such command', 'score-batch scoer --week'],
  ['there is no such flag', 'score-batch run --weeks'],
  ['there is no such window', 'score-batch --week 2026-W54'],
  ['a value is missing', 'score-batch model tensorize models/churn --out'],
  ['there is no such script', 'npm run scoer'],
  ['there is no such file', 'node scripts/nothing.ts'],
])('a command line is refused where %s', async (_, text) => {
  await expect(checkCommand(commandsIn(text)[0] ?? [])).rejects.toThrow();
});

it('every block of YAML is valid for what it is of', () => {
  const blocks = PAGES.flatMap(({ file, blocks: all }) =>
    all.filter(({ info }) => info.startsWith('yaml ')).map((block) => ({ file, ...block })),
  );
  const kinds: Record<string, number> = {};
  for (const { file, info, text } of blocks) {
    kinds[info] = (kinds[info] ?? 0) + 1;
    if (info === 'yaml job') parseJob(wholeJob(text), file, {});
    else if (info === 'yaml model')
      parseChecked(text, bundleSchema, { file, noun: 'bundle', hint: 'see docs', crossChecks: bundleChecks });
    else if (info === 'yaml serve')
      parseChecked(text, serveSchema, { file, noun: 'settings file', hint: 'see docs', crossChecks: serveChecks });
    else if (info === 'yaml features') readEventFeatures(text, file);
    else if (info === 'yaml stream')
      parseChecked(text, streamSchema, {
        ...{ file, noun: 'stream job file', hint: 'see docs', environment: { KAFKA_PASSWORD: 'secret' } },
        crossChecks: (value) => streamChecks(value, text),
      });
    else expect(parseAllDocuments(text).flatMap(({ errors }) => errors)).toEqual([]);
  }
  expect(kinds['yaml job']).toBeGreaterThanOrEqual(7);
  for (const kind of ['yaml model', 'yaml features', 'yaml stream']) expect(kinds[kind]).toBeGreaterThanOrEqual(1);
  expect(kinds['yaml kubernetes']).toBeGreaterThanOrEqual(1);
  expect(() => parseJob(wholeJob('score: { columm: p }'), 'x', {})).toThrow();
});

/** Whether a span names a command and nothing else, as running text does. */
function isName(span: string): boolean {
  return page('docs/cli.md').anchors.has(slug(span.replace(/^score-batch /, '')));
}

/** A block that has a name is a whole job file; another one changes some lines of one. */
function wholeJob(text: string): string {
  const fragment = parse(text) as Record<string, object>;
  if (fragment.name !== undefined) return text;
  const { query, ...source } = LEAST_JOB.source;
  const merged: Record<string, unknown> = { ...LEAST_JOB, ...fragment };
  if (fragment.source)
    merged.source = {
      ...source,
      ...('query_file' in fragment.source || 'events' in fragment.source ? {} : { query }),
      ...fragment.source,
    };
  if (fragment.sink) merged.sink = { ...LEAST_JOB.sink, ...fragment.sink };
  return stringify(merged);
}

it('no line of running text is longer than 120 characters, and the README fits', () => {
  const long = PAGES.flatMap(({ file, prose }) =>
    prose.filter((line) => [...line].length > 120).map((line) => `${file}: ${line.slice(0, 60)}…`),
  );
  expect(long).toEqual([]);
  expect(PAGES.flatMap(({ prose }) => prose).length).toBeGreaterThan(1000);
  expect(statSync(repository('README.md')).size).toBeLessThanOrEqual(12_288);
});

it('generated pages are those that the code gives; `npm run docs` writes them anew', () => {
  const read = (name: string) => readFileSync(repository('scripts/docs', name), 'utf8');
  const none = () => undefined;
  const program = buildProgram(none as never, none, none);
  const schema = JSON.parse(JSON.stringify(jobJsonSchema()));
  const jobFile = jobFilePage(read('job-file.md'), schema, read('job-file.yaml'), jobSchema.parse(LEAST_JOB));
  expect(page('docs/job-file.md').text).toBe(jobFile);
  expect(page('docs/cli.md').text).toBe(cliPage(read('cli.md'), program, EXIT_CODES));
  expect(page('docs/job-file.md').text).toContain('| `max_quarantine_rate` |');
  expect(page('docs/cli.md').anchors).toContain('model-drop-zipmap');
});

it('documents name every exit code, environment variable, column, state and reason', () => {
  const codes = Object.values(EXIT_CODES).sort();
  expect(firstCells('README.md')).toEqual(expect.arrayContaining(['0', '1', ...codes.map(String), '128 + n']));
  for (const [kind, code] of Object.entries(EXIT_CODES))
    expect(page('docs/troubleshooting.md').text).toContain(`## ${code}: ${kind}`);

  const variables = new Set(sources().flatMap((text) => text.match(/\bSCORE_BATCH_[A-Z]+(_[A-Z]+)*/g) ?? []));
  expect(variables.size).toBeGreaterThan(5);
  expect(
    firstCells('docs/cli.md')
      .filter((cell) => cell.startsWith('`SCORE_BATCH_'))
      .sort(),
  ).toEqual([...variables].map((name) => `\`${name}\``).sort());

  const names = { scores: ['scores'], quarantine: ['q'], ledger: ['l'], report: ['r'], summary: ['s'] };
  const { scores, quarantine, ledger, report, summary } = tablesOf(names, { key: [], keep: [], scoreColumn: 'score' });
  const columns = [scores, quarantine, ledger, report, summary]
    .flatMap((table) => table?.columns ?? [])
    .map(({ name }) => name);
  const known = new Set(page('docs/tables.md').spans);
  expect(columns.filter((name) => name !== 'score' && !known.has(name))).toEqual([]);
  const reasons = [1, 2, 3, 4, 5, 6].map((code) => readRejection(code).reason);
  expect(new Set(reasons).size).toBe(6);
  expect(reasons.filter((reason) => !known.has(reason))).toEqual([]);
  expect(
    [
      ...['started', 'failed', 'refused', 'skipped', 'published', 'completed', 'superseded', 'erased'],
      ...['compared', 'switched', 'delivering', 'undelivered', 'delivered'],
    ].filter(isRunState),
  ).toEqual(
    firstCells('docs/tables.md')
      .filter((cell) => isRunState(cell.slice(1, -1)))
      .map((cell) => cell.slice(1, -1)),
  );
});

it('the map of the code names files that are there', () => {
  const files = new Set(
    ['src', 'test', 'scripts', 'bench'].flatMap((folder) =>
      readdirSync(repository(folder), { recursive: true, encoding: 'utf8' }).map((file) => `${folder}/${file}`),
    ),
  );
  const named = ['CONTRIBUTING.md', 'docs/architecture.md'].flatMap((file) =>
    page(file).spans.filter((span) => /^[\w/@-]+(\.test)?\.(ts|mjs)$/.test(span)),
  );
  const isThere = (name: string) =>
    files.has(name) ||
    files.has(`src/${name}`) ||
    (!name.includes('/') && [...files].some((file) => file.endsWith(`/${name}`)));
  expect(named.filter((name) => !isThere(name))).toEqual([]);
  expect(named.length).toBeGreaterThan(90);
  const code = [readFileSync(repository('package.json'), 'utf8'), ...sources()].join('\n');
  const identifiers = ['CONTRIBUTING.md', 'docs/architecture.md'].flatMap((file) =>
    page(file).spans.filter((span) => /^[a-z]+[A-Z]\w*$|^([A-Z][a-z]+){2,}$/.test(span)),
  );
  expect(identifiers.filter((name) => !new RegExp(`\\b${name}\\b`).test(code))).toEqual([]);
  expect(identifiers.length).toBeGreaterThan(10);
});

/** First cells of the rows of a page's tables. */
function firstCells(file: string): string[] {
  return [...page(file).text.matchAll(/^\| *(.*?) *\|/gm)].map(([, cell = '']) => cell);
}

function sources(): string[] {
  return readdirSync(repository('src'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(repository('src', file), 'utf8'));
}
