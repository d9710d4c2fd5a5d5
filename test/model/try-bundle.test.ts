import { cp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, inject, it, vi } from 'vitest';
import { loadBundle } from '../../src/model/bundle.ts';
import { type TryOptions, tryBundle } from '../../src/model/try-bundle.ts';
import { missingRequirement } from '../../src/runtime/missing.ts';
import { presentError } from '../../src/terminal/error.ts';
import { repository, temporaryFolder } from '../support/project.ts';

const MODELS = repository('test', 'fixtures', 'models');

async function served(model: string, options: TryOptions) {
  return await tryBundle(await loadBundle(path.join(MODELS, model)), options);
}

/** What people see of a refusal; the path of the install script is cut. */
async function refusal(model: string, options: TryOptions): Promise<string> {
  const shown = await served(model, options).then(
    () => 'served',
    (error: unknown) => presentError(error).text,
  );
  return shown.replaceAll(MODELS, 'MODELS').replaceAll(/`node \S+script\/install\.js`/g, '`node …/script/install.js`');
}

it('cpu serves, with what it is', async () => {
  const { execution, golden } = await served('linear', { providers: ['cpu'], requireGpu: false });
  expect(execution).toEqual({
    provider: 'cpu',
    devices: ['cpu'],
    gpu: false,
    onnxruntime: expect.stringMatching(/^\d+\.\d+/),
    skipped: [],
  });
  expect(golden.rows).toBe(9);
});

describe('a provider that is not there', () => {
  it('is passed over, and why is told', async () => {
    const { execution } = await served('linear', { providers: ['tensorrt', 'cuda:0', 'cuda:1', 'cpu'], requireGpu: false });
    expect(execution.provider).toBe('cpu');
    expect(execution.skipped.map(({ provider }) => provider)).toEqual(['tensorrt', 'cuda:0']);
    for (const { why } of execution.skipped) expect(why).toMatch(/script\/install\.js|NVIDIA|CUDA 12|is for Linux on x64/);
  });

  // Elsewhere there is no CUDA to install, and where it is there nothing is missing.
  it.skipIf(process.platform !== 'linux' || process.arch !== 'x64' || missingRequirement('cuda', {}) === undefined)(
    'is one sentence with what installs it',
    async () => {
      vi.stubEnv('VK_DRIVER_FILES', '/nowhere.json');
      expect(await refusal('linear', { providers: ['cuda', 'webgpu'], requireGpu: false })).toMatchInlineSnapshot(`
      "error: no execution provider can run MODELS/linear/model.onnx
        cuda: the libraries of cuda are not installed: \`node …/script/install.js\` downloads them
        webgpu: no Vulkan driver is installed: it comes with the NVIDIA driver, or with \`apt-get install mesa-vulkan-drivers libvulkan1\`
      hint: add cpu to score.providers, or install what the provider needs (docs/gpu.md lists it)"
    `);
      expect(await refusal('linear', { providers: ['cuda', 'cpu'], requireGpu: true })).toMatchInlineSnapshot(`
      "error: no execution provider can run MODELS/linear/model.onnx
        cuda: the libraries of cuda are not installed: \`node …/script/install.js\` downloads them
        cpu: refused, a GPU is required
      hint: run on a machine with a GPU, or drop --require-gpu and add cpu to score.providers"
    `);
      vi.unstubAllEnvs();
    },
  );
});

describe.runIf(inject('webgpu'))('webgpu, on a software adapter', () => {
  it.each(['linear', 'fixed-one', 'fixed-eight', 'partial'])('%s gives the scores of cpu', async (model) => {
    const { execution, golden } = await served(model, { providers: ['cuda', 'webgpu'], requireGpu: false, batchRows: 20 });
    expect(execution).toMatchObject({
      provider: 'webgpu',
      devices: ['webgpu'],
      gpu: false,
      nodes: model === 'partial' ? 5 : 2,
      nodes_on_cpu: model === 'partial' ? 1 : 0,
      skipped: [{ provider: 'cuda' }],
      canary: { rows: golden.rows, tolerance: 1e-4 },
    });
    expect(execution.canary?.largest_difference).toBeLessThan(3e-7);
  });

  it('leaves the work to cpu where that is in the list', async () => {
    const { execution } = await served('linear', { providers: ['webgpu', 'cpu'], requireGpu: false });
    expect(execution).toMatchObject({
      provider: 'cpu',
      skipped: [{ provider: 'webgpu', why: 'only a software adapter is available; it counts as cpu and is slower' }],
    });
  });

  it('is no GPU', async () => {
    expect(await refusal('linear', { providers: ['webgpu', 'cpu'], requireGpu: true })).toMatchInlineSnapshot(`
      "error: no execution provider can run MODELS/linear/model.onnx
        webgpu: only a software adapter is available; it counts as cpu, and a GPU is required
        cpu: refused, a GPU is required
      hint: run on a machine with a GPU, or drop --require-gpu and add cpu to score.providers"
    `);
  });

  it('names the nodes that it would leave to cpu', async () => {
    expect(await refusal('partial', { providers: ['webgpu'], requireGpu: true })).toMatchInlineSnapshot(`
      "error: no execution provider can run MODELS/partial/model.onnx
        webgpu: 1 of 5 nodes would run on cpu: TreeEnsembleRegressor (trees)
      hint: run on a machine with a GPU, or drop --require-gpu and add cpu to score.providers"
    `);
  });

  it('is refused where the canary differs from cpu by more than the bundle allows', async () => {
    const folder = await temporaryFolder();
    await cp(path.join(MODELS, 'linear'), folder, { recursive: true });
    const file = path.join(folder, 'model.yaml');
    // Less than two float32 numbers are apart: whatever is not the same bits differs.
    await writeFile(
      file,
      (await readFile(file, 'utf8')).replace('tolerance: 1e-6', 'tolerance: 1e-6, provider_tolerance: 1e-12'),
    );
    const bundle = await loadBundle(folder);
    const error: unknown = await tryBundle(bundle, { providers: ['webgpu'], requireGpu: false }).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({
      kind: 'configuration',
      message: `webgpu does not reproduce the scores of cpu for ${path.join(folder, 'model.onnx')}`,
      details: [expect.stringMatching(/^row \d of \S+golden\.csv is 0\.\d+ on webgpu and 0\.\d+ on cpu, \S+ apart$/)],
      hint: expect.stringContaining('the tolerance is 1e-12 (golden.provider_tolerance in model.yaml)'),
    });
  });
});
