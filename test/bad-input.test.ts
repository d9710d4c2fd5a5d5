import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LINEAR_QUERY, LINEAR_USERS, linearProject } from './support/linear-project.ts';
import { repository, statements } from './support/project.ts';
import { ledgerStates, publishedRows, publishedTables, rowsOf, warehouseOf } from './support/published.ts';
import { scoreBatch, startScoreBatch } from './support/score-batch.ts';
import { untilText } from './support/steer.ts';
import { transcript } from './support/transcript.ts';

const IN_WINDOW = 'where signup >= :window_start_date and signup < :window_end_date';
const CSV = 'reports/linear-1997-W11.csv';
/** Of util-linux: a namespace of its own, in which anybody may mount. */
const UNSHARE = 'unshare';

/** Nothing was written: no table, not even the ledger, and no scratch folder. */
async function expectNothingMoved(folder: string): Promise<void> {
  expect(await publishedTables(folder)).toEqual([]);
  expect(existsSync(`${warehouseOf(folder)}.scratch`)).toBe(false);
  expect(existsSync(path.join(folder, 'reports'))).toBe(false);
}

describe('a warehouse that cannot be read', () => {
  it('is not made where the file is missing', async () => {
    const folder = await linearProject();
    await rm(warehouseOf(folder));
    expect(transcript(await scoreBatch(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: the DuckDB file <project>/data/warehouse.duckdb does not exist
      hint: check the warehouse in the job file; score-batch never creates a source"
    `);
    expect(existsSync(warehouseOf(folder))).toBe(false);
    expect(existsSync(`${warehouseOf(folder)}.scratch`)).toBe(false);
  });

  it('is left alone if it is not a DuckDB database', async () => {
    const folder = await linearProject();
    const text = 'user_id,a,b\n1,2,3\n'.repeat(1000);
    await writeFile(warehouseOf(folder), text);
    expect(transcript(await scoreBatch(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: <project>/data/warehouse.duckdb is not a DuckDB database
        IO Error: The file "<project>/data/warehouse.duckdb" exists, but it is not a valid DuckDB database file!
      hint: check the path of the warehouse in the job file"
    `);
    expect(await readFile(warehouseOf(folder), 'utf8')).toBe(text);
  });

  it('is of a kind that is known', async () => {
    const folder = await linearProject({ edit: (job) => job.replace('duckdb:', 'duckbd:') });
    expect(transcript(await scoreBatch(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: unsupported warehouse "duckbd:data/warehouse.duckdb"
      hint: did you mean duckdb?"
    `);
    await expectNothingMoved(folder);
  });
});

describe('a query', () => {
  it('that DuckDB refuses is shown with what DuckDB says', async () => {
    const folder = await linearProject({ query: `select user_id, a, b, cuontry from users ${IN_WINDOW}` });
    const outcome = await scoreBatch(folder, ['--week']);
    expect(outcome.code).toBe(78);
    expect(outcome.stderr).toContain('error: DuckDB rejects jobs/query.sql\n');
    expect(outcome.stderr).toContain('Binder Error: Referenced column "cuontry" not found in FROM clause!');
    expect(outcome.stderr).toContain('Candidate bindings: "country"');
    expect(outcome.stderr).not.toMatch(/^ {4}at /m);
    await expectNothingMoved(folder);
    // `plan` describes the query as well and ends in the same error: a hint that sends there leads nowhere.
    expect(outcome.stderr).toContain('\nhint: ');
    expect(outcome.stderr).not.toContain('score-batch plan');
  });

  it('that fails on a value publishes nothing, and the next start is a new run', async () => {
    const folder = await linearProject({
      query: `select user_id, cast(country as integer) as a, b, country from users ${IN_WINDOW}`,
    });
    const outcome = await scoreBatch(folder, ['--week']);
    expect(outcome.code).toBe(78);
    expect(outcome.stderr).toContain("Conversion Error: Could not convert string '…' to INT32");
    expect(outcome.stderr).not.toMatch(/^ {4}at /m);
    expect(await publishedTables(folder)).toEqual(['marketing.score_batch_ledger']);
    expect(await ledgerStates(folder)).toEqual(['started', 'failed']);
    await writeFile(path.join(folder, 'jobs/query.sql'), LINEAR_QUERY);
    expect(await scoreBatch(folder, ['--week', '-q'])).toMatchObject({ code: 0, stderr: '' });
  });

  it.each<[title: string, query: string, expected: string]>([
    [
      'without the key',
      `select user_id as id, a, b, country from users ${IN_WINDOW}`,
      'error: source.key names user_id, but the query has no such column\nhint: its columns are id, a, b, country',
    ],
    [
      'without a column to keep',
      `select user_id, a, b, country as contry from users ${IN_WINDOW}`,
      'error: sink.keep names country, but the query has no such column\nhint: did you mean contry?',
    ],
    [
      'without two features',
      `select user_id, a as a1, country from users ${IN_WINDOW}`,
      'error: the query does not provide what the model needs\n' +
        '  the query has no column a for the model; rename a1 under features?\n' +
        '  the query has no column b for the model; rename a1 under features?\n' +
        'hint: `score-batch model inspect FOLDER` prints the columns that a model needs',
    ],
    [
      'with text and a date for numbers',
      `select user_id, cast(a as varchar) as a, signup as b, country from users ${IN_WINDOW}`,
      'error: the query does not provide what the model needs\n' +
        '  a is VARCHAR and the model takes float32: cast it in the query if that loses no information\n' +
        '  b is DATE and the model takes float32: cast it in the query if that loses no information\n' +
        'hint: `score-batch model inspect FOLDER` prints the columns that a model needs',
    ],
    [
      'without a window',
      'select user_id, a, b, country from users -- :window_start_date',
      'error: jobs/query.sql uses no window parameter, so every window would have the same rows\n' +
        'hint: filter by :window_start_date and :window_end_date, or by :window_start and :window_end',
    ],
    [
      'with a parameter that does not exist',
      'select user_id, a, b, country from users where signup >= :window_begin_date',
      'error: jobs/query.sql uses the unknown parameter :window_begin_date\nhint: did you mean window_end_date?',
    ],
    [
      'of two statements',
      `${LINEAR_QUERY}; drop table users`,
      'error: jobs/query.sql contains more than one statement\nhint: write one SELECT; prepare tables before the run, or use a WITH clause',
    ],
    [
      'without a statement',
      '',
      'error: jobs/query.sql is empty\nhint: write one SELECT; prepare tables before the run, or use a WITH clause',
    ],
    [
      'with a key that cannot be compared',
      `select cast(user_id as double) as user_id, a, b, country from users ${IN_WINDOW}`,
      'error: the key column user_id is DOUBLE, a type that cannot be compared exactly\n' +
        'hint: cast it to an integer, a decimal or text in the query',
    ],
    [
      'with a list to keep',
      `select user_id, a, b, [country] as country from users ${IN_WINDOW}`,
      'error: the kept column country is VARCHAR[], a type that cannot be published\nhint: cast it to text in the query',
    ],
    [
      'with two columns of one name',
      `select user_id, a, b, country, upper(country) as Country from users ${IN_WINDOW}`,
      'error: the query has two columns named Country\nhint: rename one of them with AS',
    ],
  ])('%s is refused before a row moves', async (_, query, expected) => {
    const folder = await linearProject({ query });
    expect(transcript(await scoreBatch(folder, ['--week']), folder)).toBe(`exit 78\nstderr:\n${expected}`);
    await expectNothingMoved(folder);
    expect(await rowsOf(folder, 'select count(*) as n from users')).toEqual([{ n: '100' }]);
  });

  it('with a float for a whole number is refused', async () => {
    const folder = await linearProject({
      model: 'strings',
      users:
        "select i as user_id, date '1997-03-10' as signup, 'pro' as plan, 1.5 :: double as logins, 'US' as country from range(3) as r(i)",
      query: `select user_id, plan, logins, country from users ${IN_WINDOW}`,
    });
    expect(transcript(await scoreBatch(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: the query does not provide what the model needs
        logins is DOUBLE and the model takes int64: cast it in the query if that loses no information
      hint: \`score-batch model inspect FOLDER\` prints the columns that a model needs"
    `);
    await expectNothingMoved(folder);
  });

  it('whose file is missing is named', async () => {
    const folder = await linearProject();
    await rm(path.join(folder, 'jobs/query.sql'));
    expect(transcript(await scoreBatch(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: the query file <project>/jobs/query.sql does not exist
      hint: paths are relative to the project root, the folder that contains jobs/"
    `);
    await expectNothingMoved(folder);
  });
});

describe('a model', () => {
  it('whose folder is missing is named', async () => {
    const folder = await linearProject();
    await rm(path.join(folder, 'model'), { recursive: true });
    expect(transcript(await scoreBatch(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: <project>/model/model.yaml does not exist
      hint: a model bundle is a folder with model.onnx, model.yaml and golden.csv; this folder is <project>/model"
    `);
    await expectNothingMoved(folder);
  });

  it.each([
    [
      'zipmap',
      'error: model.yaml does not describe <project>/model/model.onnx\n' +
        "  the output output_probability is a list of maps (ZipMap): export with options={'zipmap': False} in skl2onnx or zipmap=False in onnxmltools, or remove it with `score-batch model drop-zipmap`\n" +
        'hint: `score-batch model inspect <project>/model` prints what the file declares',
    ],
    [
      'rank3',
      'error: model.yaml does not describe <project>/model/model.onnx\n' +
        '  the input features is float32[N, 2, 2]: a table can only feed [N, F], so export the model with rank 2\n' +
        'hint: `score-batch model inspect <project>/model` prints what the file declares',
    ],
    [
      'missing-output',
      'error: model.yaml does not describe <project>/model/model.onnx\n' +
        '  the model has no output probability; it has score\n' +
        'hint: `score-batch model inspect <project>/model` prints what the file declares',
    ],
    [
      'digest',
      'error: the digest of <project>/model/model.onnx does not match model.yaml\n' +
        '  model.yaml: 100ef6a71bac925f709fe9c114c60460bf6e472cfdb9d44bd8adf1698135260f\n' +
        '  model.onnx: e147a59d862d193f24e0dce9501e081c8ed3a0f3f34e1e892ec39a6fed0ff165\n' +
        'hint: if you changed the model on purpose, set the new digest and a new version in model.yaml',
    ],
    [
      'garbage',
      'error: <project>/model/model.onnx is not an ONNX model\n' +
        '  it has a field of an unsupported wire type\n' +
        'hint: check that the file was copied completely; git LFS leaves a small text file in its place',
    ],
    [
      'opset-new',
      'error: <project>/model/model.onnx uses an operator set newer than this ONNX Runtime supports\n' +
        '  ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions. Opset 99 is under' +
        ' development and support for this is limited. The operator schemas and or other functionality may change before next ONNX' +
        ' release and in this case ONNX Runtime will not guarantee backward compatibility. Current official support for domain' +
        ' ai.onnx is till opset 26.\n' +
        'hint: export the model with a lower target_opset, or upgrade onnxruntime-node',
    ],
    [
      'ir-new',
      'error: <project>/model/model.onnx has an IR version newer than this ONNX Runtime supports\n' +
        '  Unsupported model IR version: 99, max supported IR version: 13\n' +
        'hint: save the model with an older onnx package (or set model.ir_version), or upgrade onnxruntime-node',
    ],
  ])('%s is refused before a row moves, with what to do', async (model, expected) => {
    const folder = await linearProject({ model });
    expect(transcript(await scoreBatch(folder, ['--week']), folder)).toBe(`exit 78\nstderr:\n${expected}`);
    await expectNothingMoved(folder);
  });

  it('is not scored on cpu where the job names cuda only', async () => {
    const folder = await linearProject({ edit: (job) => job.replace('[cpu]', '[cuda]') });
    const { code, stderr } = await scoreBatch(folder, ['--week']);
    expect(code).toBe(78);
    expect(stderr).toContain('error: no execution provider can run');
    expect(stderr).toContain('\n  cuda: ');
    expect(stderr).toContain('\nhint: add cpu to score.providers');
    await expectNothingMoved(folder);
  });

  it('falls back to cpu where the job leaves it open, says so without a warning, and leaves the log to us', async () => {
    const folder = await linearProject({ edit: (job) => job.replace('  providers: [cpu]\n', '') });
    const { code, stdout, stderr } = await scoreBatch(folder, ['--week', '--json'], { SCORE_BATCH_LOG: 'json' });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      providers: { cpu: 1 },
      execution: {
        provider: 'cpu',
        devices: ['cpu'],
        gpu: false,
        onnxruntime: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        skipped: [{ provider: 'cuda', why: expect.stringMatching(/onnxruntime-node\/script\/install\.js|NVIDIA|CUDA/) }],
      },
      warnings: [],
    });
    expect(stderr).not.toMatch(/"level":"(warn|error)"/);
    for (const line of stderr.trimEnd().split('\n')) expect(() => JSON.parse(line), line).not.toThrow();
  });

  it.each([
    ['--require-gpu', (job: string) => job, ['--week', '--require-gpu']],
    ['require_gpu: true', (job: string) => job.replace('bands:', 'require_gpu: true\n  bands:'), ['--week']],
  ])('is not scored on cpu with %s', async (_, edit, args) => {
    const folder = await linearProject({ edit });
    expect(transcript(await scoreBatch(folder, args), folder)).toBe(
      'exit 78\nstderr:\nerror: no execution provider can run <project>/model/model.onnx\n' +
        '  cpu: refused, a GPU is required\n' +
        'hint: run on a machine with a GPU, or drop --require-gpu and add cpu to score.providers',
    );
    await expectNothingMoved(folder);
  });
});

describe('source.ready', () => {
  it('that is false ends with 69 and moves nothing, and the same command succeeds once it is true', async () => {
    const folder = await linearProject({
      edit: (job) => job.replace('  key:', '  ready: select max(signup) >= :window_end_date from users\n  key:'),
    });
    expect(transcript(await scoreBatch(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 69
      stderr:
      error: the source is not ready for 1997-W11: source.ready is not true yet
        select max(signup) >= :window_end_date from users
      hint: run the same command again when the load into the source has finished; a scheduler should retry"
    `);
    await expectNothingMoved(folder);
    await statements(warehouseOf(folder), ["insert into users values (1000, date '1997-03-17', 1, 1, 'US')"]);
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
  });

  it.each(['select 1', "select 'true'", 'select true, true', 'select true from users', 'select true where false'])(
    'must return one boolean, which `%s` does not',
    async (ready) => {
      const folder = await linearProject({ edit: (job) => job.replace('  key:', `  ready: "${ready}"\n  key:`) });
      expect(transcript(await scoreBatch(folder, ['--week']), folder)).toBe(
        'exit 78\nstderr:\nerror: source.ready does not return one boolean\n' +
          'hint: write a query like: select max(date) >= :window_end_date from orders',
      );
      await expectNothingMoved(folder);
    },
  );
});

describe('a target table with another schema', () => {
  it('is refused with every difference, and never altered', async () => {
    const folder = await linearProject();
    await statements(warehouseOf(folder), [
      'create schema marketing',
      'create table marketing.scores (user_id varchar, propensity double, note varchar)',
      "insert into marketing.scores values ('kept', 0.5, 'by hand')",
    ]);
    expect(transcript(await scoreBatch(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: an existing table does not have the columns that this job publishes
        marketing.scores.user_id is VARCHAR and should be BIGINT
        marketing.scores has no column country (VARCHAR)
        marketing.scores.propensity is DOUBLE and should be DECIMAL(7,6)
        marketing.scores has no column rank (BIGINT)
        marketing.scores has no column percentile (BIGINT)
        marketing.scores has no column decile (BIGINT)
        marketing.scores has no column band (VARCHAR)
        marketing.scores has no column job (VARCHAR)
        marketing.scores has no column window_label (VARCHAR)
        marketing.scores has no column window_start (TIMESTAMP WITH TIME ZONE)
        marketing.scores has no column window_end (TIMESTAMP WITH TIME ZONE)
        marketing.scores has no column run_id (VARCHAR)
        marketing.scores has no column window_kind (VARCHAR)
        marketing.scores has no column model_name (VARCHAR)
        marketing.scores has no column model_version (VARCHAR)
        marketing.scores has no column model_digest (VARCHAR)
        marketing.scores has no column scored_at (TIMESTAMP WITH TIME ZONE)
        marketing.scores has a column note that is not published
      hint: name another table in the job file, rename the existing one, or alter it yourself; score-batch never alters tables"
    `);
    expect(await publishedTables(folder)).toEqual(['marketing.scores']);
    expect(await rowsOf(folder, 'select * from marketing.scores')).toEqual([
      { user_id: 'kept', propensity: 0.5, note: 'by hand' },
    ]);
  });

  it('is found where the job keeps another column than it did', async () => {
    const folder = await linearProject();
    await scoreBatch(folder, ['--week']);
    const before = await publishedRows(folder);
    const file = path.join(folder, 'jobs/job.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace('keep: [country]', 'keep: [country, signup]'));
    await writeFile(path.join(folder, 'jobs/query.sql'), `select user_id, a, b, country, signup from users ${IN_WINDOW}`);
    expect(transcript(await scoreBatch(folder, ['--week']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: an existing table does not have the columns that this job publishes
        marketing.scores has no column signup (DATE)
        marketing.report has no column signup (DATE)
      hint: name another table in the job file, rename the existing one, or alter it yourself; score-batch never alters tables"
    `);
    expect(await publishedRows(folder)).toEqual(before);
  });
});

describe('a report that cannot be written', () => {
  it('ends with 74 after the scores are published, and `report` fixes it', async () => {
    const folder = await linearProject({ files: { reports: 'a file where the folder should be' } });
    expect(transcript(await scoreBatch(folder, ['--week', '-q']), folder)).toMatchInlineSnapshot(`
      "exit 74
      stderr:
      error: the report <project>/reports/linear-1997-W11.csv cannot be written: EEXIST: file already exists
      hint: the scores are published; fix the folder and run \`score-batch report\` for the same window"
    `);
    expect(await rowsOf(folder, 'select count(*) as n from marketing.report')).toEqual([{ n: '100' }]);
    expect(await ledgerStates(folder)).toEqual(['started', 'published']);
    const blocked = await scoreBatch(folder, ['report', '--week']);
    expect(blocked.code).toBe(74);
    await rm(path.join(folder, 'reports'));
    const fixed = await scoreBatch(folder, ['report', '--week']);
    expect(transcript(fixed, folder)).toMatchInlineSnapshot(`
      "exit 0
      stderr:
      wrote <project>/reports/linear-1997-W11.csv: 100 users of run <id>"
    `);
    expect((await readFile(path.join(folder, CSV), 'utf8')).split('\n')).toHaveLength(102);
    expect(await ledgerStates(folder)).toEqual(['started', 'published', 'completed']);
  });

  it('is only written where the run that published is started again, and nothing is scored twice', async () => {
    const folder = await linearProject({ files: { reports: 'a file where the folder should be' } });
    expect((await scoreBatch(folder, ['--week'])).code).toBe(74);
    await rm(path.join(folder, 'reports'));
    const before = await rowsOf(folder, 'select distinct run_id, scored_at from marketing.scores');
    expect((await scoreBatch(folder, ['--week'])).code).toBe(0);
    expect(existsSync(path.join(folder, CSV))).toBe(true);
    expect(await rowsOf(folder, 'select distinct run_id, scored_at from marketing.scores')).toEqual(before);
    expect(await ledgerStates(folder)).toEqual(['started', 'published', 'completed']);
  });

  it('because the disk is full ends with 74, leaves no half file, and `report` fixes it', async ({ skip }) => {
    const canMount = spawnSync(UNSHARE, ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=16k tmpfs /mnt']);
    skip(
      canMount.status !== 0,
      `a full disk needs a small tmpfs, and this machine lets nobody mount one (unshare: ${canMount.error?.message ?? canMount.stderr})`,
    );
    // The report of 2,000 users takes some 60 kB.
    const folder = await linearProject({ users: LINEAR_USERS.replace('range(100)', 'range(2000)'), edit: largeChunks });
    await mkdir(path.join(folder, 'reports'));
    const script = 'mount -t tmpfs -o size=16k tmpfs reports && "$@"; code=$?; ls -A reports >&2; exit $code';
    const { status, stderr } = spawnSync(
      UNSHARE,
      ['-rm', 'sh', '-c', script, 'sh', process.execPath, repository('dist', 'cli.js'), '--week', '-q'],
      { cwd: folder, encoding: 'utf8', env: { ...process.env, SCORE_BATCH_NOW: '1997-03-17T08:00:00-05:00' } },
    );
    expect(transcript({ code: status, signal: null, stdout: '', stderr }, folder)).toMatchInlineSnapshot(`
      "exit 74
      stderr:
      error: the report <project>/reports/linear-1997-W11.csv cannot be written: ENOSPC: no space left on device
      hint: the scores are published; fix the folder and run \`score-batch report\` for the same window"
    `);
    expect(await rowsOf(folder, 'select count(*) as n from marketing.scores')).toEqual([{ n: '2000' }]);
    expect((await scoreBatch(folder, ['report', '--week'])).code).toBe(0);
    expect((await readFile(path.join(folder, CSV), 'utf8')).split('\n')).toHaveLength(2002);
  });
});

describe('a DuckDB file that another process has open', () => {
  it('ends with 75 after some seconds, and the same command succeeds once it is free', async () => {
    const folder = await linearProject();
    const holder = await holdOpen(warehouseOf(folder));
    const outcome = await scoreBatch(folder, ['--week']);
    await letGo(holder);
    expect(outcome.code).toBe(75);
    expect(outcome.stderr).toContain('error: ');
    expect(outcome.stderr).toContain('data/warehouse.duckdb is in use by another process\n');
    expect(outcome.stderr).toContain(`PID ${holder.pid}`);
    expect(outcome.stderr).toContain(
      '\nhint: only one process at a time can write the file: wait for the other run of score-batch, or close the DuckDB shell',
    );
    await expectNothingMoved(folder);
    expect((await scoreBatch(folder, ['--week', '-q'])).code).toBe(0);
  });

  it('is waited for, so that a short look into it does not end a run', async () => {
    const folder = await linearProject();
    const holder = await holdOpen(warehouseOf(folder));
    const WITNESS = path.join(folder, 'witness');
    const NODE_OPTIONS = `--import ${pathToFileURL(repository('test', 'support', 'witness.mjs'))}`;
    const running = startScoreBatch(folder, ['--week', '-q'], { NODE_OPTIONS, WITNESS });
    await untilText(running, WITNESS, 'refused');
    holder.kill('SIGKILL');
    expect((await running.ended).code).toBe(0);
  });
});

function largeChunks(job: string): string {
  return job.replace('chunk_rows: 10', 'chunk_rows: 1000');
}

/** A process that opens a DuckDB file for writing and keeps it open until it is ended. */
async function holdOpen(file: string): Promise<ChildProcess> {
  const script = `
    import { DuckDBInstance } from '@duckdb/node-api';
    const instance = await DuckDBInstance.create(process.argv[1]);
    const connection = await instance.connect();
    process.stdout.write('open');
    setInterval(() => connection, 1000);`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script, file], {
    cwd: repository(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void holder.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    holder.stdout.once('data', () => resolve());
    holder.once('exit', (code) => reject(new Error(`the process that holds the file ended with ${code}`)));
  });
  return holder;
}

async function letGo(holder: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => holder.once('exit', resolve));
  holder.kill('SIGKILL');
  await gone;
}
