import { createHash } from 'node:crypto';
import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBaseline } from '../../src/explain/baseline.ts';
import { loadBundle } from '../../src/model/bundle.ts';
import { repository, temporaryFolder } from '../support/project.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A copy of a fixture with these baseline rows, and with what else `model.yaml` should say. */
async function bundleOf(
  model: string,
  rows: string | undefined,
  { digest = sha256(rows ?? ''), edit = (yaml: string) => yaml } = {},
) {
  const folder = await temporaryFolder();
  await cp(repository('test', 'fixtures', 'models', model), folder, { recursive: true });
  if (rows !== undefined) await writeFile(path.join(folder, 'baseline.csv'), rows);
  const yaml = path.join(folder, 'model.yaml');
  await writeFile(yaml, `${edit(await readFile(yaml, 'utf8'))}\nbaseline_rows: { file: baseline.csv, sha256: ${digest} }\n`);
  return await loadBundle(folder);
}

describe('baseline rows', () => {
  it('are read as golden rows are, nulls and other columns included', async () => {
    const rows = 'b,other,a\n2,x,1\n,y,-3\n';
    expect(await readBaseline(await bundleOf('linear', rows))).toMatchObject({
      rows: 2,
      digest: sha256(rows),
      cells: [
        ['1', '-3'],
        ['2', null],
      ],
      inputs: [{ shape: [2, 2] }],
    });
  });

  it('are not read before they are asked for', async () => {
    expect((await bundleOf('linear', undefined)).definition.baseline_rows?.file).toBe('baseline.csv');
  });

  const many = `a,b\n${'1,2\n'.repeat(101)}`;
  it.each<[title: string, rows: string | undefined, message: RegExp, options?: Parameters<typeof bundleOf>[2]]>([
    ['are missing', undefined, /baseline\.csv.*(missing|does not exist)/],
    ['have another digest', 'a,b\n1,2\n', /the digest of .*baseline\.csv does not match model\.yaml/, { digest: sha256('x') }],
    ['are none', 'a,b\n', /baseline\.csv has no rows/],
    ['are an empty file', '', /baseline\.csv has no rows/],
    ['are more than 100', many, /has 101 rows, but the limit is 100/],
    ['lack a feature', 'a\n1\n', /baseline\.csv has no column b/],
    ['are not a CSV file', 'a,b\n1,2,3\n', /the baseline rows .* cannot be read/],
    ['have a null in a required feature', 'a,b\n1,2\n,2\n', /row 2 of .* would be quarantined: null in a required feature/],
    ['have a value out of range', 'a,b\n101,2\n', /row 1 of .* would be quarantined: feature out of range/],
    ['have text where a number should be', 'a,b\n1,Jane Doe\n', /baseline row 1 has text where an input takes a number/],
  ])('are refused where they %s', async (_, rows, message, options) => {
    const error = await readBaseline(await bundleOf('linear', rows, options)).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ kind: 'configuration', message: expect.stringMatching(message), hint: expect.any(String) });
    expect(JSON.stringify(error)).not.toContain('Jane');
  });

  it('are refused for a category that the model does not know', async () => {
    const bundle = await bundleOf('strings', 'plan,logins\nenterprise,1\n');
    await expect(readBaseline(bundle)).rejects.toMatchObject({ message: expect.stringContaining('unknown category') });
  });

  it('are asked for by name where model.yaml has none', async () => {
    const bundle = await loadBundle(repository('test', 'fixtures', 'models', 'linear'));
    await expect(readBaseline(bundle)).rejects.toMatchObject({
      kind: 'configuration',
      hint: expect.stringContaining('model reference'),
    });
  });
});

describe('model.yaml', () => {
  it.each<[template: string, message: RegExp]>([
    ['{valeu} orders', /\{valeu\} is not a placeholder of a reason: did you mean value\?/],
    ['{orders}', /\{orders\} is not a placeholder of a reason: choose from value, usual, name/],
    ['{value orders', /the reason has an unmatched brace/],
  ])('with the reason %j is refused', async (template, message) => {
    const edit = (yaml: string) => yaml.replace('name: a,', `name: a, reason: "${template}",`);
    await expect(bundleOf('linear', '', { edit })).rejects.toMatchObject({
      kind: 'configuration',
      details: [expect.stringMatching(message)],
    });
  });

  it('may have a reason, which does not become part of the signature', async () => {
    const edit = (yaml: string) => yaml.replace('name: a,', 'name: a, reason: "{value}, usually {usual}",');
    const bundle = await bundleOf('linear', '', { edit });
    expect(bundle.definition.inputs[0]?.columns[0]?.reason).toBe('{value}, usually {usual}');
    expect(JSON.stringify(bundle.signature)).not.toContain('usually');
  });
});
