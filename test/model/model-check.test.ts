import { describe, expect, it } from 'vitest';
import type { ModelMetadata } from '../../src/domain/model-metadata.ts';
import type { Signature } from '../../src/domain/signature.ts';
import { loadBundle } from '../../src/model/bundle.ts';
import { checkModel } from '../../src/model/model-check.ts';
import { openSession } from '../../src/runtime/session.ts';
import { presentError } from '../../src/terminal/error.ts';
import { repository } from '../support/project.ts';

function shown(error: unknown): string {
  const { text, exitCode } = presentError(error);
  return `${text.replaceAll(repository('test', 'fixtures', 'models'), 'MODELS')}\nexit code ${exitCode}`;
}

/** What a plan does with a bundle before it looks at a row. */
async function tried(name: string): Promise<string> {
  try {
    const bundle = await loadBundle(repository('test', 'fixtures', 'models', name));
    const session = await openSession(bundle, { providers: ['cpu'], requireGpu: false });
    try {
      checkModel(session.metadata, bundle.signature, bundle.file);
    } finally {
      await session.close();
    }
    return 'not refused';
  } catch (error) {
    return shown(error);
  }
}

it.each(['linear', 'strings', 'slow', 'nan', 'out-of-range', 'fixed-one', 'fixed-eight', 'partial', 'wide'])(
  '%s can be run',
  async (name) => {
    expect(await tried(name)).toBe('not refused');
  },
);

describe('models that cannot are refused, with the way to fix them', () => {
  it('outputs that are no tensors', async () => {
    expect(await tried('zipmap')).toMatchInlineSnapshot(`
      "error: model.yaml does not describe MODELS/zipmap/model.onnx
        the output output_probability is a list of maps (ZipMap): export with options={'zipmap': False} in skl2onnx or zipmap=False in onnxmltools, or remove it with \`score-batch model drop-zipmap\`
      hint: \`score-batch model inspect MODELS/zipmap\` prints what the file declares
      exit code 78"
    `);
  });

  it('inputs that a table cannot feed', async () => {
    expect(await tried('rank3')).toMatchInlineSnapshot(`
      "error: model.yaml does not describe MODELS/rank3/model.onnx
        the input features is float32[N, 2, 2]: a table can only feed [N, F], so export the model with rank 2
      hint: \`score-batch model inspect MODELS/rank3\` prints what the file declares
      exit code 78"
    `);
  });

  it('an output that is not there', async () => {
    expect(await tried('missing-output')).toMatchInlineSnapshot(`
      "error: model.yaml does not describe MODELS/missing-output/model.onnx
        the model has no output probability; it has score
      hint: \`score-batch model inspect MODELS/missing-output\` prints what the file declares
      exit code 78"
    `);
  });

  it('files that this runtime cannot load', async () => {
    expect(await tried('opset-new')).toMatchInlineSnapshot(`
      "error: MODELS/opset-new/model.onnx uses an operator set newer than this ONNX Runtime supports
        ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions. Opset 99 is under development and support for this is limited. The operator schemas and or other functionality may change before next ONNX release and in this case ONNX Runtime will not guarantee backward compatibility. Current official support for domain ai.onnx is till opset 26.
      hint: export the model with a lower target_opset, or upgrade onnxruntime-node
      exit code 78"
    `);
    expect(await tried('ir-new')).toMatchInlineSnapshot(`
      "error: MODELS/ir-new/model.onnx has an IR version newer than this ONNX Runtime supports
        Unsupported model IR version: 99, max supported IR version: 13
      hint: save the model with an older onnx package (or set model.ir_version), or upgrade onnxruntime-node
      exit code 78"
    `);
    expect(await tried('garbage')).toMatchInlineSnapshot(`
      "error: MODELS/garbage/model.onnx is not an ONNX model
        it has a field of an unsupported wire type
      hint: check that the file was copied completely; git LFS leaves a small text file in its place
      exit code 78"
    `);
  });
});

it('no provider that serves is told with the reason of each', async () => {
  const bundle = await loadBundle(repository('test', 'fixtures', 'models', 'linear'));
  const asked = [
    { providers: ['cpu'], requireGpu: true },
    { providers: ['no-such-provider'], requireGpu: false },
  ];
  const errors = await Promise.all(asked.map((options) => openSession(bundle, options).then(() => 'served', shown)));
  expect(errors.join('\n\n')).toMatchInlineSnapshot(`
    "error: no execution provider can run MODELS/linear/model.onnx
      cpu: refused, a GPU is required
    hint: run on a machine with a GPU, or drop --require-gpu and add cpu to score.providers
    exit code 78

    error: no execution provider can run MODELS/linear/model.onnx
      no-such-provider: this build of onnxruntime-node does not include no-such-provider
    hint: add cpu to score.providers, or install what the provider needs (docs/gpu.md lists it)
    exit code 78"
  `);
});

describe('every difference between model.yaml and the file', () => {
  const feature = (name: string) => ({ name, nullable: false, unknown: 'quarantine' as const });
  const signature: Signature = {
    inputs: [
      { name: 'x', dtype: 'float32', features: [feature('a'), feature('b')] },
      { name: 'y', dtype: 'string', features: [feature('c')] },
    ],
    output: { name: 'p', index: 1 },
  };
  const metadata: ModelMetadata = {
    inputs: [
      { name: 'x', dtype: 'float32', shape: ['N', 2] },
      { name: 'y', dtype: 'string', shape: ['', 1] },
    ],
    outputs: [{ name: 'p', dtype: 'float32', shape: ['N', 2] }],
  };

  function differences(changed: Partial<ModelMetadata>): readonly string[] {
    try {
      checkModel({ ...metadata, ...changed }, signature, 'model.onnx');
      return [];
    } catch (error) {
      return presentError(error)
        .text.split('\n')
        .filter((line) => line.startsWith('  '))
        .map((line) => line.trim());
    }
  }

  it('none, also where the file leaves sizes open', () => {
    expect(differences({})).toEqual([]);
    const open: ModelMetadata = {
      inputs: [
        { name: 'x', dtype: 'float32', shape: ['batch', 'width'] },
        { name: 'y', dtype: 'string', shape: [-1, 1] },
      ],
      outputs: [{ name: 'p', dtype: 'float64', shape: ['N', 'classes'] }],
    };
    expect(differences(open)).toEqual([]);
  });

  it('inputs', () => {
    const inputs = [
      { name: 'x', dtype: 'float64', shape: [8, 3] },
      { name: 'z', dtype: 'int64', shape: ['N', 1] },
      { name: 'flat', dtype: undefined, shape: [] },
    ];
    expect(differences({ inputs }).join('\n')).toMatchInlineSnapshot(`
      "the input x is float64, but model.yaml says float32
      the input x is 3 wide, but model.yaml feeds 2 columns
      the model has no input y; it has x, z, flat
      the model has an input z (int64[N, 1]) that model.yaml does not feed
      the model has an input flat (not a tensor) that model.yaml does not feed"
    `);
  });

  it('inputs of different fixed batches', () => {
    const inputs = [
      { name: 'x', dtype: 'float32', shape: [8, 2] },
      { name: 'y', dtype: 'string', shape: [8, 1] },
    ];
    expect(differences({ inputs })).toEqual([]);
    const [x = inputs[0], y] = inputs;
    expect(differences({ inputs: [x, { ...y, shape: [4, 1] }] as ModelMetadata['inputs'] })).toEqual([
      'the input y takes 4 rows at a time, but another input takes 8: all inputs need the same number',
    ]);
  });

  it.each([
    [{ name: 'p', dtype: 'int64', shape: ['N'] }, 'the output p is int64: a score is float32 or float64;'],
    [
      { name: 'p', dtype: 'float32', shape: ['N', 2, 1] },
      'the output p is float32[N, 2, 1]: a score must be [N] or [N, classes]',
    ],
    [{ name: 'p', dtype: 'float32', shape: ['N', 1] }, 'the output p is float32[N, 1], so it has no index 1'],
    [{ name: 'p', dtype: 'float32', shape: ['N'] }, 'the output p is float32[N], so it has no index 1'],
    [{ name: 'label', dtype: 'float32', shape: ['N'] }, 'the model has no output p; it has label'],
  ])('the output %o', (output, problem) => {
    const [only, ...more] = differences({ outputs: [output] });
    expect(only).toContain(problem);
    expect(more).toEqual([]);
  });
});
