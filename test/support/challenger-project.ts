import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type LinearOptions, linearProject } from './linear-project.ts';
import { repository } from './project.ts';

// A second model for the linear project: the same graph with other weights, and a feature that only it has.

const LINEAR = repository('test', 'fixtures', 'models', 'linear');

/** sigmoid(weights[0] a + weights[1] `second`); the bundle `linear` has 0.5 and −0.25. */
export interface OtherModel {
  readonly weights?: readonly [number, number];
  readonly version?: string;
  /** Name of the second feature; the bundle `linear` has b. */
  readonly second?: string;
}

export const CHALLENGER_WEIGHTS = [0.45, -0.2] as const;

/** Writes a bundle with other weights. */
export async function writeBundle(
  folder: string,
  { weights = CHALLENGER_WEIGHTS, version = '2', second = 'b' }: OtherModel = {},
): Promise<void> {
  const bytes = await readFile(path.join(LINEAR, 'model.onnx'));
  const at = bytes.indexOf(floats(0.5, -0.25));
  if (at < 0) throw new Error('the weights of the bundle linear are not 0.5 and -0.25');
  floats(...weights).copy(bytes, at);
  const yaml = (await readFile(path.join(LINEAR, 'model.yaml'), 'utf8'))
    .replace(/sha256: "\w+"/, `sha256: "${createHash('sha256').update(bytes).digest('hex')}"`)
    .replace('version: "1"', `version: "${version}"`)
    .replaceAll(/\bb: /g, `${second}: `)
    .replace('name: b,', `name: ${second},`);
  const rows = [
    [0, 0],
    [1, 0],
    [0, 1],
    [2, -2],
    [-3, 4],
    [5.5, 1.25],
  ] as const;
  const golden = rows.map(([a, b]) => `${a},${b},${sigmoid(weights[0] * a + weights[1] * b).toFixed(9)}`);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'model.onnx'), bytes);
  await writeFile(path.join(folder, 'model.yaml'), yaml);
  await writeFile(path.join(folder, 'golden.csv'), [`a,${second},expected_score`, ...golden, ''].join('\n'));
}

export interface ChallengerOptions extends LinearOptions {
  readonly challenger?: OtherModel;
  /** Further lines of the job file. */
  readonly compare?: string;
  /** `challenger.promote_after`. */
  readonly promoteAfter?: number;
}

export const LIMITS = 'compare: { min_rank_correlation: 0.9, max_psi: 5 }\n';

/** The linear project, whose job has a challenger in `models/linear-2`; the champion is in `model`. */
export async function challengerProject({
  challenger,
  compare = LIMITS,
  promoteAfter = 2,
  edit = (job) => job,
  ...options
}: ChallengerOptions = {}): Promise<string> {
  const folder = await linearProject({
    ...options,
    edit: (job) => edit(`${job}${compare}challenger:\n  model: models/linear-2\n  promote_after: ${promoteAfter}\n`),
  });
  await writeBundle(path.join(folder, 'models', 'linear-2'), challenger);
  return folder;
}

function floats(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeFloatLE(value, 4 * i);
  return bytes;
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
