import path from 'node:path';
import { expect, it } from 'vitest';
import { JSON_VERSIONS } from '../../src/json/versions.ts';
import { comparedProject, linesOfDay } from '../stream/compare/compared-project.ts';
import { FEATURES, streamProject } from '../stream/stream-project.ts';
import { challengerProject } from '../support/challenger-project.ts';
import { explainedProject } from '../support/explained-project.ts';
import { jsonForm } from '../support/json-form.ts';
import { KNOWN, labelledProject } from '../support/labelled-project.ts';
import { linearProject } from '../support/linear-project.ts';
import { repository, statements } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { shadowProject } from '../support/shadow-project.ts';

const fixture = (name: string) => repository('test', 'fixtures', 'models', name);
/** They need a broker or a registry: test/stream/process/replay-stream.kafka.test.ts and test/registry/registry.mlflow.test.ts have them. */
const ELSEWHERE = ['model-push', 'stream-replay'];
const WEEK = ['--week', '1997-W11'];
const STREAM_COMPARE = ['stream', 'compare', '--job', 'fraud', '--batch', 'fraud-daily', '--date', '1997-03-15'];
const AS_OF_EVENT = FEATURES.replace('as_of: arrival', 'as_of: event');

it('every command prints with --json what its schema describes, and nothing else', async () => {
  const [labelled, explained, phased] = [await labelledProject(), await explainedProject(), await linearProject()];
  const [compared, streamed] = [await comparedProject(linesOfDay(100)), await streamProject({ features: AS_OF_EVENT })];
  const [challenged, shadowed] = [await challengerProject({ promoteAfter: 1 }), await shadowProject()];
  const calls: readonly (readonly [folder: string, args: readonly string[], code?: number, before?: string])[] = [
    [labelled, ['status']],
    [labelled, ['check']],
    [labelled, ['plan', ...WEEK]],
    [labelled, WEEK],
    [labelled, ['report', ...WEEK]],
    [labelled, ['evaluate', ...WEEK]],
    [labelled, ['profile']],
    [labelled, ['status']],
    [labelled, ['plan', ...WEEK]],
    [labelled, ['gc']],
    [labelled, ['init', 'another']],
    [labelled, ['plan', '--week', '1997-W54'], 64],
    [labelled, ['stauts'], 64],
    [explained, ['plan', ...WEEK]],
    [explained, WEEK],
    [explained, ['explain', '19', ...WEEK]],
    [phased, ['freeze', ...WEEK]],
    [phased, ['status']],
    [phased, ['gc', '--apply']],
    [phased, ['score', ...WEEK]],
    [phased, ['publish', ...WEEK]],
    [phased, ['publish', ...WEEK, '--skip-published']],
    // Other scores: the same again would leave nothing to go back to.
    [phased, ['backfill', '--from', '1997-W11', '--to', '1997-W11', '--redo'], 0, 'update users set a = a / 2'],
    [phased, ['compare', '1997-W11', '--model', 'model']],
    [phased, ['rollback', ...WEEK, '--dry-run']],
    [phased, ['rollback', ...WEEK, '--reason', 'the new scores are wrong']],
    [phased, ['erase', '--key', '19', '--reason', 'request 7']],
    [phased, ['status']],
    [shadowed, ['compare', '--shadow']],
    [shadowed, ['rollback', '--shadow']],
    [challenged, WEEK],
    [challenged, ['promote', '--dry-run']],
    [challenged, ['promote']],
    [challenged, ['status']],
    [compared, [...STREAM_COMPARE, '--scores', 'scores.jsonl', '--dead-letter', 'dead.jsonl']],
    [compared, ['stream', 'sql', '--job', 'fraud', '--table', 'transactions']],
    [streamed, ['stream', 'plan', '--engine', 'flink']],
    [phased, ['model', 'inspect', 'model']],
    [phased, ['model', 'inspect', 'model/model.onnx']],
    [phased, ['model', 'inspect', path.join(fixture('zipmap'), 'model.onnx')]],
    [phased, ['model', 'verify', 'model']],
    [phased, ['model', 'init', 'model', '--out', 'copied']],
    [phased, ['model', 'reference', 'model', '--query', 'select a, b from users']],
    [phased, ['model', 'drop-zipmap', path.join(fixture('zipmap'), 'model.onnx'), '--out', 'plain.onnx']],
    [phased, ['model', 'tensorize', repository('test', 'fixtures', 'trees', 'lightgbm-regressor'), '--out', 'tensors']],
  ];
  const seen = new Set<string>();
  for (const [folder, args, expected = 0, before] of calls) {
    if (before !== undefined) await statements(path.join(folder, 'data/warehouse.duckdb'), [before]);
    const { code, stdout, stderr } = await scoreBatch(folder, [...args, '--json'], { SCORE_BATCH_NOW: KNOWN });
    expect({ args, code, stderr: code === expected ? '' : stderr }).toEqual({ args, code: expected, stderr: '' });
    const name = jsonForm(stdout);
    expect(name).toBe(expected === 0 ? commandOf(args) : 'error');
    seen.add(name);
  }
  // What the commands of other tests print is judged by `scoreBatch`; here each is at least once.
  expect([...seen, ...ELSEWHERE].sort()).toEqual(Object.keys(JSON_VERSIONS).sort());
});

it('an object with a property that no schema describes is refused', async () => {
  const folder = await linearProject();
  const { stdout } = await scoreBatch(folder, ['status', '--json']);
  expect(jsonForm(stdout)).toBe('status');
  expect(() => jsonForm(stdout.replace('{', '{"undocumented":1,'))).toThrow('undocumented');
  expect(() => jsonForm(stdout.replace('"runs":[]', '"runs":[{}]'))).toThrow("must have required property 'run_id'");
});

function commandOf([first = '', second = '']: readonly string[]): string {
  if (first.startsWith('--')) return 'run';
  return first === 'model' || first === 'stream' ? `${first}-${second}` : first;
}
