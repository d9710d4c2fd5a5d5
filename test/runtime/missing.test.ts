import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { holdsGpu } from '../../src/runtime/adapter.ts';
import { loadFailureReason, missingRequirement } from '../../src/runtime/missing.ts';
import { temporaryFolder } from '../support/project.ts';

describe('what is missing, from what ONNX Runtime says', () => {
  // Some of these words are from its source and its issues: there was no GPU to make it say them.
  it.each([
    [
      'cuda',
      'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library ',
      'CUDA 12 and cuDNN 9 were not found',
    ],
    ['tensorrt', 'OrtSessionOptionsAppendExecutionProvider_TensorRT: Failed to load shared library ', 'TensorRT 10, CUDA 12'],
    ['cuda', 'CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=h', 'no NVIDIA GPU was found'],
    ['cuda', 'CUDA failure 101: invalid device ordinal ; GPU=7', 'no GPU has this number'],
    ['cuda', 'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version', 'install 525.60 or newer'],
    [
      'webgpu',
      'webgpu_context.cc:136 … was false. Failed to get a WebGPU adapter: No supported adapters\n \n',
      'no Vulkan driver offers',
    ],
    [
      'coreml',
      'no available backend found. ERR: [coreml] backend not found.',
      'this build of onnxruntime-node does not include coreml',
    ],
    ['cuda', 'something that nobody has seen before\nat length', 'something that nobody has seen before'],
  ])('%s: %s', (provider, said, expected) => {
    const sentence = loadFailureReason(provider, said);
    expect(sentence).toContain(expected);
    expect(sentence).not.toContain('\n');
  });

  it.runIf(process.platform === 'linux')('a Vulkan driver is looked for where the loader looks for it', async () => {
    const folder = await temporaryFolder();
    const nowhere = { XDG_CONFIG_HOME: folder, XDG_CONFIG_DIRS: folder, XDG_DATA_HOME: folder, XDG_DATA_DIRS: folder };
    const here = path.join(folder, 'vulkan', 'icd.d');
    await mkdir(here, { recursive: true });
    expect(missingRequirement('webgpu', { VK_DRIVER_FILES: path.join(here, 'none.json') })).toContain(
      'no Vulkan driver is installed',
    );
    await symlink('/somewhere', path.join(here, 'own.json'));
    expect(missingRequirement('webgpu', nowhere)).toBeUndefined();
    expect(missingRequirement('cpu', {})).toBeUndefined();
  });
});

it.runIf(process.platform === 'linux')('a process is at a GPU while it has its device file open', async () => {
  const descriptors = async (...targets: string[]) => {
    const folder = await temporaryFolder();
    await Promise.all(targets.map((target, i) => symlink(target, path.join(folder, String(i)))));
    return folder;
  };
  expect(holdsGpu()).toBe(false);
  expect(holdsGpu(await descriptors('/dev/null', 'socket:[1]', '/home/dev/dri/card0'))).toBe(false);
  for (const file of ['/dev/dri/renderD128', '/dev/nvidia0', '/dev/nvidiactl', '/dev/kfd', '/dev/dxg']) {
    expect(holdsGpu(await descriptors('/dev/null', file)), file).toBe(true);
  }
  // Where it cannot be told.
  expect(holdsGpu('/nowhere')).toBe(true);
});
