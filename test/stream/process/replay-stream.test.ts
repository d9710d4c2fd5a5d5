import { expect, it } from 'vitest';
import { scopeOf } from '../../../src/stream/process/replay-stream.ts';
import { readStreamSettings } from '../../../src/stream/settings/read.ts';
import { streamProject } from '../stream-project.ts';

it('continues a replay only with all that decides what is written', async () => {
  const settings = await readStreamSettings('fraud', await streamProject(), {});
  const scorer = { digest: 'onnx', definitionDigest: 'model.yaml' };
  const run = { settings, from: 1, to: 2, deadLetter: undefined };
  const scope = scopeOf(run, scorer);
  expect(scopeOf({ ...run }, { ...scorer })).toBe(scope);
  const others = [
    scopeOf(run, { ...scorer, digest: 'other' }),
    scopeOf(run, { ...scorer, definitionDigest: 'other' }),
    scopeOf({ ...run, to: 3 }, scorer),
    scopeOf({ ...run, deadLetter: 'dead' }, scorer),
    scopeOf({ ...run, settings: { ...settings, scoreClass: 'one' } }, scorer),
    scopeOf({ ...run, settings: { ...settings, limits: { ...settings.limits, messageBytes: 10 } } }, scorer),
  ];
  expect(new Set([scope, ...others]).size).toBe(1 + others.length);
});
