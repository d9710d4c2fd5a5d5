import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdir, rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { repository, temporaryFolder } from '../support/project.ts';

// What the image's instructions do with our files is done by hand: with those files and no others. That takes seconds; test/image builds
// the image itself. The packages are this checkout's; test/package.test.ts installs those of production.

const run = promisify(execFile);
const lines = (name: string) =>
  readFileSync(repository('deploy', name), 'utf8')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** Instructions by stage; the last stage, which adds nothing to `runtime`, has no name. */
function stages(): Map<string, Instruction[]> {
  const found = new Map<string, Instruction[]>();
  let stage: Instruction[] = [];
  for (const line of lines('Dockerfile')) {
    const [, name = '', text = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (name === 'FROM') {
      stage = [];
      found.set(/ AS (\w+)$/.exec(text)?.[1] ?? '', stage);
    } else stage.push({ name, text });
  }
  return found;
}

/** What is copied from the checkout, with where it goes. */
function copies(instructions: readonly Instruction[]): { readonly from: readonly string[]; readonly to: string }[] {
  return instructions
    .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from'))
    .map(({ text }) => ({ from: text.split(' ').slice(0, -1), to: text.split(' ').at(-1) ?? '' }));
}

it('what is copied is what the build may see, and nothing else is', () => {
  const copied = new Set([...stages().values()].flatMap(copies).flatMap(({ from }) => from));
  const [first, ...seen] = lines('Dockerfile.dockerignore');
  expect(first).toBe('*');
  expect(new Set(seen.map((line) => line.replace(/^!/, '')))).toEqual(copied);
});

it('the files that are copied build a command that runs', { timeout: 180_000 }, async () => {
  const build = [...(stages().get('packages') ?? []), ...(stages().get('build') ?? [])];
  const folder = await temporaryFolder();
  for (const { from, to } of copies(build)) {
    for (const source of from) {
      const target = to.endsWith('/') ? path.join(folder, to, path.basename(source)) : path.join(folder, to);
      await mkdir(path.dirname(target), { recursive: true });
      await cp(repository(source), target, { recursive: true });
    }
  }
  // Instead of its `npm ci`.
  await symlink(repository('node_modules'), path.join(folder, 'node_modules'));
  const commands = build.filter(({ name }) => name === 'RUN').map(({ text }) => text);
  expect(commands).toEqual(['npm ci', 'npm run build']);
  await run('npm', ['run', 'build'], { cwd: folder });

  const image = await temporaryFolder();
  await rename(path.join(folder, 'dist'), path.join(image, 'dist'));
  await symlink(repository('node_modules'), path.join(image, 'node_modules'));
  for (const { from } of copies(stages().get('runtime') ?? [])) {
    for (const source of from) await cp(repository(source), path.join(image, source));
  }
  const entry =
    stages()
      .get('runtime')
      ?.find(({ name }) => name === 'ENTRYPOINT')?.text ?? '';
  const [init, dashes, node = '', ...args] = (JSON.parse(entry) as string[]).map((word) =>
    word.replace('/opt/score-batch', image),
  );
  // The kernel keeps process 1 from ending itself by a signal; see `ending.ts`.
  expect([init, dashes]).toEqual(['tini', '--']);
  const job = await temporaryFolder();
  expect((await run(node, [...args, '--version'], { cwd: job })).stdout).toBe('0.2.0\n');
  await run(node, [...args, 'init', 'churn'], { cwd: job });
});

it('it runs as nobody in particular, with the packages of production only', () => {
  const last = stages().get('runtime') ?? [];
  expect(last.filter(({ name }) => name === 'USER')).toEqual([{ name: 'USER', text: '1000:1000' }]);
  const modules = last.filter(({ text }) => text.includes('node_modules')).map(({ text }) => text);
  expect(modules).toEqual(['--from=dependencies /build/node_modules /opt/score-batch/node_modules']);
  const install = stages()
    .get('dependencies')
    ?.find(({ name }) => name === 'RUN')?.text;
  expect(install).toMatch(/^npm prune --omit=dev /);
});
