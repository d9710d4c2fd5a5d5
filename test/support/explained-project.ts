import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type LinearOptions, linearProject } from './linear-project.ts';
import { repository } from './project.ts';

/** Three rows, one of them without a value of `b`. */
const LINEAR_BASELINE = 'a,b\n0.5,0.2\n1,\n1.5,1.1\n';

export interface ExplainedOptions extends LinearOptions {
  /** Text of `baseline.csv`. */
  readonly baseline?: string;
  /** `score.reasons` of the job file. */
  readonly reasons?: string;
  /** `source.freeze`; the default is that of the product. */
  readonly freeze?: 'always' | 'never' | undefined;
  /** Changes in `model.yaml`. */
  readonly editModel?: (yaml: string) => string;
}

/** The linear project, or one of another bundle, whose job asks for reasons. */
export async function explainedProject({
  model = 'linear',
  baseline = LINEAR_BASELINE,
  reasons = '{ top: 15, features: 2 }',
  freeze,
  edit = (job) => job,
  editModel,
  files,
  ...rest
}: ExplainedOptions = {}): Promise<string> {
  return await linearProject({
    ...{ ...rest, model },
    edit: (job) =>
      edit(
        job
          .replace('score:\n', `score:\n  reasons: ${reasons}\n`)
          .replace('source:\n', freeze === undefined ? 'source:\n' : `source:\n  freeze: ${freeze}\n`),
      ),
    files: { ...(await withBaseline(model, baseline, editModel)), ...files },
  });
}

/** Files of a project that give a bundle of test/fixtures/models baseline rows. */
async function withBaseline(
  model: string,
  rows: string,
  edit: (yaml: string) => string = (yaml) => yaml,
): Promise<Record<string, string>> {
  const yaml = await readFile(repository('test', 'fixtures', 'models', model, 'model.yaml'), 'utf8');
  const digest = createHash('sha256').update(rows).digest('hex');
  return {
    'model/baseline.csv': rows,
    'model/model.yaml': `${edit(yaml)}baseline_rows: { file: baseline.csv, sha256: ${digest} }\n`,
  };
}

/**
 * Mean change of the score where one feature has the value of each baseline row: occlusion by its definition.
 *
 * @param score of a row, values in the order of the features
 */
export function slowOcclusion<T>(
  score: (row: readonly T[]) => number,
  row: readonly T[],
  baseline: readonly (readonly T[])[],
): number[] {
  const own = score(row);
  return row.map((_, j) => {
    const others = baseline.map((other) => own - score(row.with(j, other[j] as T)));
    return others.reduce((sum, one) => sum + one, 0) / baseline.length;
  });
}

/**
 * Positions of the features that raise the score, the strongest first.
 *
 * @throws Error if rounding could decide about the order: then the test needs other rows
 */
export function strongest(values: readonly number[], count: number): number[] {
  const order = [...values.keys()].sort((i, j) => (values[j] ?? 0) - (values[i] ?? 0));
  const sorted = order.map((i) => values[i] ?? 0);
  const close = sorted.some(
    (value, i) => (value !== 0 && Math.abs(value) < 1e-7) || (value > 0 && value - (sorted[i + 1] ?? -1) < 1e-7),
  );
  if (close) throw new Error(`too close to tell: ${sorted.join(', ')}`);
  return order.filter((i) => (values[i] ?? 0) > 0).slice(0, count);
}
