import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { linearProject } from '../support/linear-project.ts';
import { repository } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { transcript } from '../support/transcript.ts';

describe('inspect', () => {
  it('shows signature and metadata as model.yaml and the file state them', async () => {
    const folder = await linearProject({ model: 'strings' });
    expect(
      transcript(await scoreBatch(folder, ['model', 'inspect', 'model', '--providers', 'cpu']), folder),
    ).toMatchInlineSnapshot(`
      "exit 0
      stdout:
      strings 1
      Works. sigmoid(-0.125 logins - 1 on the plan pro).
      sha256    8aa328757416eebc5dbc26e85b4c73a8e0840052a9ec42a9925b943478630124
      made by   unknown, opset ai.onnx 19
      input     plan string[N, 1]
      input     logins int64[N, 1]
      output    score float32[N, 1], score at index 0
      column    plan → plan (string): required; one of free, pro (else quarantine)
      column    logins → logins (int64): required; 0 to 1000000
      trained   by: test/fixtures/make_models.py
      nodes     cpu: all 6"
    `);
  });

  it('prints one object with --json', async () => {
    const { code, stdout } = await scoreBatch(repository(), ['--json', 'model', 'inspect', 'test/fixtures/models/linear']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      name: 'linear',
      version: '1',
      digest: 'e147a59d862d193f24e0dce9501e081c8ed3a0f3f34e1e892ec39a6fed0ff165',
      file: {
        opsets: { 'ai.onnx': 19 },
        inputs: [{ name: 'features', dtype: 'float32', shape: ['N', 2] }],
        outputs: [{ name: 'score', dtype: 'float32', shape: ['N', 1] }],
      },
      inputs: [
        {
          name: 'features',
          features: [
            { name: 'a', range: [-100, 100] },
            { name: 'b', nullable: true, default: 0 },
          ],
        },
      ],
      output: { name: 'score', index: 0 },
    });
  });

  it('says which nodes would run where, what of a provider that cannot load, and what can be done about trees', async () => {
    const trees = repository('test/fixtures/trees/sklearn-pipeline');
    const lines = async (...args: string[]) => {
      const { code, stdout } = await scoreBatch(repository(), ['model', 'inspect', ...args]);
      return [code, ...stdout.split('\n').filter((line) => /^(# )?(nodes|trees) /.test(line))];
    };
    const hint = expect.stringMatching(
      /^trees {5}no GPU has a kernel for TreeEnsembleClassifier; `score-batch model tensorize`/,
    );
    expect(await lines(trees, '--providers', 'cpu,cuda')).toEqual([
      0,
      'nodes     cpu: all 2',
      expect.stringMatching(/^nodes {5}cuda: cannot load: ./),
      hint,
    ]);
    expect(await lines(path.join(trees, 'model.onnx'))).toEqual([
      0,
      ...['tensorrt', 'cuda', 'webgpu'].map((name) => expect.stringMatching(`^# nodes {5}${name}: `)),
      '# nodes     cpu: all 2',
      expect.stringMatching(/^# trees/),
    ]);
    if (!inject('webgpu')) return;
    expect(await lines(trees, '--providers', 'webgpu')).toEqual([
      0,
      'nodes     webgpu: 0 of 2, the others on cpu: Scaler, TreeEnsembleClassifier',
      hint,
    ]);
    expect(await lines('test/fixtures/models/linear', '--providers', 'webgpu')).toEqual([0, 'nodes     webgpu: all 2']);
  });

  it('fills the categories that a model file knows into the model.yaml that it prints, and says where it knows none', async () => {
    const inspect = (file: string) => scoreBatch(repository('test/fixtures'), ['model', 'inspect', file, '--providers', 'cpu']);
    expect((await inspect('models/strings/model.onnx')).stdout).toMatchInlineSnapshot(`
      "# model.yaml for this file: name the columns, and declare nulls, ranges and categories
      name: my-model
      version: "1"
      sha256: 8aa328757416eebc5dbc26e85b4c73a8e0840052a9ec42a9925b943478630124
      inputs:
        - name: plan          # string[N, 1]
          dtype: string
          shape: [N, 1]
          columns:
            # The file does not list the values of this column (compared with "pro"). Add categories: [...] with the values of the training rows,
            # or unknown: allow if the model accepts any text.
            - { name: plan }
        - name: logins          # int64[N, 1]
          dtype: int64
          shape: [N, 1]
          columns:
            - { name: logins }
      output: { name: score, index: 0 }     # of score float32[N, 1]
      golden: { file: golden.csv, tolerance: 1e-6 }     # the columns, and expected_score
      # nodes     cpu: all 6
      "
    `);
    const { stdout } = await inspect('texts/picked.onnx');
    const definition = parse(stdout) as { inputs: unknown[] };
    expect(definition.inputs).toEqual([
      {
        name: 'texts',
        dtype: 'string',
        shape: ['N', 3],
        columns: [
          { name: 'column_0', categories: ['No', 'Yes'] },
          { name: 'column_1', categories: ['DE', 'FR', 'US'] },
          { name: 'column_2', categories: ['aa here', 'bb here'] },
        ],
      },
    ]);
    expect((await inspect('trees/lightgbm-categorical/model.onnx')).stdout).toContain(
      '      - { name: column_3 }     # the model compares it with 0, 1, 2',
    );
  });

  it('says where model.yaml lists other categories than the file knows', async () => {
    const folder = await linearProject({ model: '../tips' });
    const inspect = async () => (await scoreBatch(folder, ['model', 'inspect', 'model', '--providers', 'cpu'])).stdout;
    expect(await inspect()).not.toContain('differs');
    const file = path.join(folder, 'model/model.yaml');
    const yaml = await readFile(file, 'utf8');
    await writeFile(file, yaml.replace('[Thur, Fri, Sat, Sun]', '[Thu, Fri, Sat, Sun]'));
    expect((await inspect()).split('\n').filter((line) => line.startsWith('differs'))).toEqual([
      'differs   day: model.yaml lists "Thu", but the file does not',
      'differs   day: the file lists "Thur", but model.yaml does not',
    ]);
  });

  it('says what a bundle is where there is none', async () => {
    const folder = await linearProject();
    expect(transcript(await scoreBatch(folder, ['model', 'inspect', 'nowhere']), folder)).toMatchInlineSnapshot(`
      "exit 78
      stderr:
      error: <project>/nowhere/model.yaml does not exist
      hint: a model bundle is a folder with model.onnx, model.yaml and golden.csv; this folder is <project>/nowhere"
    `);
  });
});

describe('verify', () => {
  it.each(['models/churn', 'test/fixtures/tips', 'test/fixtures/models/linear', 'test/fixtures/models/strings'])(
    'finds that %s gives its golden scores',
    async (bundle) => {
      const { code, stdout, stderr } = await scoreBatch(repository(), ['model', 'verify', bundle]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^\S+ \S+ on cpu: \d+ golden rows agree, largest difference \S+ \(tolerance \S+\)\n$/);
      const json = await scoreBatch(repository(), ['model', 'verify', bundle, '--json']);
      const { rows, largest_difference, tolerance } = JSON.parse(json.stdout) as Record<string, number>;
      expect(rows).toBeGreaterThan(0);
      expect(largest_difference).toBeLessThanOrEqual(tolerance ?? 0);
    },
  );

  it('refuses an execution provider that there is not', async () => {
    const outcome = await scoreBatch(repository(), ['model', 'verify', 'models/churn', '--providers', 'cdua:1,cpu']);
    expect(transcript(outcome, repository())).toMatchInlineSnapshot(`
      "exit 64
      stderr:
      error: --providers: there is no execution provider cdua:1
      hint: did you mean cuda?"
    `);
  });

  it.each<[title: string, golden: string | undefined, message: string]>([
    ['differ', 'a,b,expected_score\n0,0,0.5\n1,0,0.7\n', 'does not reproduce the golden scores: row 2 of'],
    ['lack the scores', 'a,b\n0,0\n', 'has no column expected_score'],
    ['lack a feature', 'a,expected_score\n0,0.5\n', 'has no column b'],
    ['are none', 'a,b,expected_score\n', 'has no rows'],
    ['would be quarantined', 'a,b,expected_score\n,0,0.5\n', 'would be quarantined: null in a required feature'],
    ['are missing', undefined, 'golden.csv does not exist'],
  ])('refuses golden rows that %s', async (_, golden, message) => {
    const folder = await linearProject();
    const file = path.join(folder, 'model/golden.csv');
    if (golden === undefined) await rm(file);
    else await writeFile(file, golden);
    const { code, stdout, stderr } = await scoreBatch(folder, ['model', 'verify', 'model']);
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^hint: ./m);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  it('refuses a file that is not the one that model.yaml describes', async () => {
    const folder = await linearProject();
    const file = path.join(folder, 'model/model.onnx');
    await writeFile(file, Buffer.concat([await readFile(file), Buffer.from([0])]));
    const { code, stderr } = await scoreBatch(folder, ['model', 'verify', 'model']);
    expect(code).toBe(78);
    expect(stderr).toContain('does not match model.yaml');
  });
});
