import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { challengerProject, writeBundle } from '../support/challenger-project.ts';
import { linearProject } from '../support/linear-project.ts';
import { query, repository, temporaryFolder } from '../support/project.ts';
import { type Outcome, scoreBatch, startScoreBatch } from '../support/score-batch.ts';
import { type Mlflow, startMlflow } from './mlflow-server.ts';

// A real tracking server of MLflow, and its own Python client. Every test has a registered model of its own.

/** Nothing listens there. */
const DOWN = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:1023' };
const WEEK = ['--week', '1997-W11'];
const LINEAR = repository('test', 'fixtures', 'models', 'linear');
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

let mlflow: Mlflow;
let cache: string;

/** A project whose job takes its model from the registry, and a second version of the model in `model-2`. */
async function project(name: string, edit: (job: string) => string = (job) => job): Promise<string> {
  const folder = await linearProject({ edit: (job) => edit(job.replace('model: model', `model: models:/${name}@champion`)) });
  await writeBundle(path.join(folder, 'model-2'));
  return folder;
}

function call(folder: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return scoreBatch(folder, args, { ...mlflow.environment, SCORE_BATCH_MODEL_CACHE: cache, ...more });
}

async function push(folder: string, bundle: string, name: string, ...more: string[]) {
  const { code, stdout, stderr } = await call(folder, ['model', 'push', bundle, '--name', name, ...more, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as {
    version: string;
    digest: string;
    uri: string;
    created: boolean;
    run_id: string | null;
    alias: object;
  };
}

/** What the ledger pins, by the state of the entry; runs as their versions. */
async function pinned(folder: string): Promise<unknown[]> {
  const rows = await query(
    path.join(folder, 'data/warehouse.duckdb'),
    "select details::json->>'registered' as pin from marketing.score_batch_ledger where (details::json->>'registered') is not null order by recorded_at",
  );
  return rows.map(({ pin }) => JSON.parse(String(pin)));
}

async function weights(folder: string): Promise<[number, number]> {
  const [row] = await query(
    path.join(folder, 'data/warehouse.duckdb'),
    `select max(s.propensity) filter (where u.a = 1 and coalesce(u.b, 0) = 0)::double as one, count(*) as n
       from marketing.scores s join users u using (user_id)`,
  );
  return [Number(row?.one), Number(row?.n)];
}

beforeAll(async () => {
  cache = await mkdtemp(path.join(tmpdir(), 'score-batch-registry-'));
  mlflow = await startMlflow();
});
afterAll(async () => {
  await mlflow?.stop();
  await rm(cache, { recursive: true, force: true });
});

describe('MLflow', () => {
  it('has what `model push` logged as its own clients expect it: signature, golden rows, tags, and a model that predicts', async () => {
    const folder = await project('pushed');
    const first = await push(folder, 'model', 'pushed', '--alias', 'champion');
    expect(first).toMatchObject({ version: '1', created: true, alias: { name: 'champion', from: null } });
    // The same bundle again is the same version.
    expect(await push(folder, 'model', 'pushed', '--alias', 'champion')).toMatchObject({
      version: '1',
      created: false,
      run_id: null,
    });
    const seen = await mlflow.client('read', {
      name: 'pushed',
      alias: 'champion',
      rows: [
        [1, 0],
        [2, -2],
      ],
    });
    expect(seen).toMatchObject({
      ...{ version: '1', run: 'FINISHED', golden: 9, onnx: true },
      tags: { 'score_batch.digest': first.digest, 'score_batch.model': 'linear 1' },
      inputs: [{ type: 'tensor', name: 'features', 'tensor-spec': { dtype: 'float32', shape: [-1, 2] } }],
      outputs: [{ type: 'tensor', name: 'score' }],
      metadata: { score_batch: { digest: first.digest, columns: [{ name: 'a' }, { name: 'b', nullable: true }] } },
      predicted: [expect.closeTo(sigmoid(0.5), 6), expect.closeTo(sigmoid(1.5), 6)],
    });
    // Another bundle is another version, and only then the alias moves.
    expect(await push(folder, 'model-2', 'pushed')).toMatchObject({ version: '2', alias: null });
    expect(await push(folder, 'model-2', 'pushed', '--alias', 'champion')).toMatchObject({
      version: '2',
      created: false,
      alias: { from: '1' },
    });
    for (const command of ['verify', 'inspect'])
      expect(await call(folder, ['model', command, 'models:/pushed@champion'])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('linear 2'),
      });
  });

  it('gives a job its model by alias or version; the ledger pins URI, alias, version and digest', async () => {
    const folder = await project('scored');
    const { digest } = await push(folder, 'model', 'scored', '--alias', 'champion');
    expect(await call(folder, WEEK)).toMatchObject({ code: 0 });
    const uri = 'models:/scored@champion';
    expect(await pinned(folder)).toEqual([{ model: { uri, name: 'scored', alias: 'champion', version: '1', digest } }]);
    expect(await call(folder, ['check'])).toMatchObject({ code: 0, stdout: expect.stringContaining('9 rows agree on cpu') });
    // By its number it is the same model.
    const job = path.join(folder, 'jobs/job.yaml');
    await writeFile(job, (await readFile(job, 'utf8')).replace(uri, 'models:/scored/1'));
    expect(await call(folder, ['backfill', '--from', '1997-W10', '--to', '1997-W11', '--redo', '--allow-empty'])).toMatchObject(
      { code: 0 },
    );
    expect((await pinned(folder)).at(-1)).toMatchObject({
      model: { uri: 'models:/scored/1', alias: null, version: '1', digest },
    });
  });

  it('may move an alias in mid-run: the run keeps its version to the end, and the next one takes the new one', async () => {
    const folder = await project('moving');
    await push(folder, 'model', 'moving', '--alias', 'champion');
    await push(folder, 'model-2', 'moving');
    expect(await call(folder, ['freeze', ...WEEK])).toMatchObject({ code: 0 });
    await mlflow.move('moving', 'champion', '2');
    expect(await call(folder, ['score', ...WEEK])).toMatchObject({ code: 0 });
    // Killed here, it is resumed by the plain command, which asks the registry for nothing.
    const { code, stderr } = await call(folder, WEEK, DOWN);
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('model       linear 1,') });
    expect(await call(folder, WEEK)).toMatchObject({ code: 0, stderr: expect.stringContaining('model       linear 2,') });
    const versions = (await pinned(folder)).map((pin) => (pin as { model: { version: string } }).model.version);
    // Later entries of a resumed run repeat what it began with.
    expect([...new Set(versions)]).toEqual(['1', '2']);
  });

  it('may move an alias before --fresh restarts a run, which takes what it leads to now', async () => {
    const folder = await project('fresh');
    await push(folder, 'model', 'fresh', '--alias', 'champion');
    expect(await call(folder, ['freeze', ...WEEK])).toMatchObject({ code: 0 });
    await push(folder, 'model-2', 'fresh', '--alias', 'champion');
    expect(await call(folder, [...WEEK, '--fresh'])).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('model       linear 2,'),
    });
  });

  it('that is down ends with 69 before a row moves, unless the job allows the version that was pinned last', async () => {
    const folder = await project('down');
    await push(folder, 'model', 'down', '--alias', 'champion');
    const tables = () =>
      query(
        path.join(folder, 'data/warehouse.duckdb'),
        "select 1 from information_schema.tables where table_schema = 'marketing'",
      );
    expect(await call(folder, WEEK, DOWN)).toMatchObject({
      code: 69,
      stderr: expect.stringContaining('cannot be reached (ECONNREFUSED)'),
    });
    expect(await tables()).toEqual([]);
    const job = path.join(folder, 'jobs/job.yaml');
    const text = await readFile(job, 'utf8');
    await writeFile(job, `${text}registry: { when_down: pinned }\n`);
    // Nothing is pinned yet.
    expect(await call(folder, WEEK, DOWN)).toMatchObject({ code: 69 });
    expect(await tables()).toEqual([]);
    expect(await call(folder, WEEK)).toMatchObject({ code: 0 });
    const later = await call(folder, ['--week', '1997-W10', '--allow-empty'], DOWN);
    expect(later).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('models:/down@champion is taken to be version 1, which the ledger last pinned'),
    });
    expect((await pinned(folder)).at(-1)).toMatchObject({ model: { version: '1', registry_down: true } });
    expect(
      await call(folder, ['--week', '1997-W10', '--allow-empty'], {
        ...DOWN,
        SCORE_BATCH_MODEL_CACHE: await temporaryFolder(),
      }),
    ).toMatchObject({ code: 69 });
  });

  it('has a model that a notebook logged, with the files of a bundle beside it, and a job scores with it', async () => {
    const folder = await project('logged');
    const beside = await temporaryFolder();
    for (const file of ['model.yaml', 'golden.csv']) await cp(path.join(LINEAR, file), path.join(beside, file));
    const given = { name: 'logged', alias: 'champion', file: path.join(LINEAR, 'model.onnx'), columns: ['a', 'b'] };
    const logged = await mlflow.client<{ source: string }>('log', { ...given, beside });
    // A logged model of MLflow 3, not an artifact of a run.
    expect(logged.source).toMatch(/^models:\/m-/);
    expect(await call(folder, WEEK)).toMatchObject({ code: 0, stderr: expect.stringContaining('model       linear 1,') });
    expect((await weights(folder))[1]).toBe(100);
    // Without a digest in its tags, it is known by its listing: nothing is downloaded again.
    expect(await call(folder, ['check'])).toMatchObject({ code: 0 });
  });

  it('has a model that a notebook logged alone: `model init` makes a bundle of its signature', async () => {
    const folder = await project('alone');
    await mlflow.client('log', {
      name: 'notebook',
      alias: 'champion',
      file: path.join(LINEAR, 'model.onnx'),
      columns: ['a', 'b'],
    });
    expect(await call(folder, ['model', 'verify', 'models:/notebook@champion'])).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('score-batch model init models:/notebook/1'),
    });
    const made = await call(folder, ['model', 'init', 'models:/notebook@champion', '--out', 'made', '--json']);
    expect(JSON.parse(made.stdout)).toMatchObject({ from: 'models:/notebook/1', bundle: false, columns_named: 2 });
    const yaml = path.join(folder, 'made', 'model.yaml');
    const text = await readFile(yaml, 'utf8');
    expect(text).toContain('      - { name: a }\n      - { name: b, nullable: true }\n');
    await writeFile(
      yaml,
      text.replace('name: my-model', 'name: alone').replace('name: b, nullable: true', 'name: b, nullable: true, default: 0'),
    );
    expect(await call(folder, ['model', 'reference', 'made', '--query', 'select a, b from users', '--write'])).toMatchObject({
      code: 0,
    });
    expect(await push(folder, 'made', 'alone', '--alias', 'champion')).toMatchObject({ version: '1' });
    expect(await call(folder, WEEK)).toMatchObject({ code: 0, stderr: expect.stringContaining('model       alone 1,') });
    // What is a bundle already is copied as it is.
    expect(await call(folder, ['model', 'init', 'models:/alone/1', '--out', 'copied'])).toMatchObject({ code: 0 });
    expect(await readFile(path.join(folder, 'copied', 'golden.csv'))).toEqual(
      await readFile(path.join(folder, 'made', 'golden.csv')),
    );
  });

  it('has its alias moved by `promote`, and the job file loses its challenger only', async () => {
    const folder = await challengerProject({
      promoteAfter: 1,
      edit: (job) =>
        job
          .replace('model: model\n', 'model: models:/duel@champion\n')
          .replace('model: models/linear-2', 'model: models:/duel@challenger'),
    });
    await push(folder, 'model', 'duel', '--alias', 'champion');
    await push(folder, 'models/linear-2', 'duel', '--alias', 'challenger');
    expect(await call(folder, WEEK)).toMatchObject({ code: 0 });
    expect(await pinned(folder)).toContainEqual(
      expect.objectContaining({ challenger: expect.objectContaining({ alias: 'challenger', version: '2' }) }),
    );
    const { code, stdout, stderr } = await call(folder, ['promote', '--json']);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { changes } = JSON.parse(stdout) as { changes: string[] };
    expect(changes).toEqual([
      'move the alias champion of duel from version 1 to 2',
      expect.stringContaining('without challenger'),
    ]);
    const job = await readFile(path.join(folder, 'jobs/job.yaml'), 'utf8');
    expect(job).toContain('model: models:/duel@champion\n');
    expect(job).not.toContain('challenger');
    expect(await call(folder, WEEK)).toMatchObject({ code: 0, stderr: expect.stringContaining('model       linear 2,') });
  });

  it('says what is missing by its name', async () => {
    const folder = await project('lacking');
    await push(folder, 'model', 'lacking');
    const verify = (uri: string) => call(folder, ['model', 'verify', uri]);
    expect(await call(folder, WEEK)).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('the model lacking has no alias champion'),
    });
    expect(await verify('models:/lacking/9')).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('the model lacking has no version 9'),
    });
    expect(await verify('models:/nothing/1')).toMatchObject({
      code: 78,
      stderr: expect.stringContaining('has no model nothing'),
    });
  });

  it('whose artifacts somebody changed is not scored with', async () => {
    const folder = await project('changed');
    const { run_id } = await push(folder, 'model', 'changed', '--alias', 'champion');
    const golden = path.join(mlflow.address.artifacts, '0', String(run_id), 'artifacts/model/golden.csv');
    await writeFile(golden, (await readFile(golden, 'utf8')).replace('0.5', '0.4'));
    const { code, stderr } = await call(folder, WEEK, { SCORE_BATCH_MODEL_CACHE: await temporaryFolder() });
    expect({ code, stderr }).toEqual({
      code: 78,
      stderr: expect.stringContaining('models:/changed/1 does not match its tag score_batch.digest'),
    });
  });

  it('gives `serve` its model', async () => {
    const folder = await project('served');
    await push(folder, 'model', 'served', '--alias', 'champion');
    const server = startScoreBatch(
      folder,
      ['serve', 'models:/served@champion', '--port', '0', '--no-grpc', '--drain-lead', '0'],
      {
        ...{ ...mlflow.environment, SCORE_BATCH_MODEL_CACHE: cache },
      },
    );
    try {
      const url = await new Promise<string>((resolve, reject) => {
        let text = '';
        server.process.stderr?.on('data', (part: string) => {
          text += part;
          const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(text) ?? [];
          if (found !== undefined) resolve(found);
        });
        void server.ended.then((outcome) => reject(new Error(outcome.stderr)));
      });
      const answer = await fetch(`${url}/v1/models/linear:predict`, {
        method: 'POST',
        body: JSON.stringify({ instances: [{ a: 1, b: 0 }] }),
        headers: { 'content-type': 'application/json' },
      });
      expect(await answer.json()).toMatchObject({ predictions: [expect.closeTo(sigmoid(0.5), 6)] });
    } finally {
      server.process.kill('SIGTERM');
      await server.ended;
    }
  });
});
