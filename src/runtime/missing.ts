import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';

// Explains in one sentence what a provider needs, with the command that installs it. ONNX Runtime only says "Failed to load
// shared library", and Dawn prints to stderr, where it cannot be caught. So check for what is visible before trying.

const PACKAGE = path.dirname(path.dirname(createRequire(import.meta.url).resolve('onnxruntime-node')));

/** Folder of the runtime's own library. Its install script puts the providers' libraries there too. */
const LIBRARIES = path.join(PACKAGE, 'bin', 'napi-v6', process.platform, process.arch);

/**
 * Why a provider cannot load on this machine, if that is visible without trying; otherwise undefined.
 *
 * @param environment may name a Vulkan driver
 */
export function missingRequirement(provider: string, environment: NodeJS.ProcessEnv): string | undefined {
  switch (provider) {
    case 'cuda':
    case 'tensorrt':
      if (process.platform !== 'linux' || process.arch !== 'x64')
        return `${provider} requires Linux on x64, and this is ${process.platform} on ${process.arch}`;
      return existsSync(path.join(LIBRARIES, `libonnxruntime_providers_${provider}.so`))
        ? undefined
        : `the libraries of ${provider} are not installed: \`${installCommand()}\` downloads them`;
    case 'webgpu':
      return process.platform === 'linux' && vulkanDrivers(environment).length === 0
        ? 'no Vulkan driver is installed: it comes with the NVIDIA driver, or with `apt-get install mesa-vulkan-drivers libvulkan1`'
        : undefined;
    default:
      return undefined;
  }
}

/** Why a provider failed to load. @param message ONNX Runtime's error */
export function loadFailureReason(provider: string, message: string): string {
  const firstLine = message.split('\n', 1)[0]?.trim() ?? '';
  if (/backend not found|is unsupported/.test(message)) return `this build of onnxruntime-node does not include ${provider}`;
  if (/Failed to get a WebGPU adapter/.test(message))
    return 'no Vulkan driver offers a device that WebGPU can use: install libvulkan1 and the GPU driver, and check `vulkaninfo --summary`';
  if (/no CUDA-capable device|CUDA failure 100\b/.test(message)) return 'no NVIDIA GPU was found: check `nvidia-smi`';
  if (/invalid device ordinal|CUDA failure 101\b/.test(message)) return 'no GPU has this number: check `nvidia-smi -L`';
  if (/driver version is insufficient|CUDA failure 35\b/.test(message))
    return 'the NVIDIA driver is too old for CUDA 12: install 525.60 or newer, and check `nvidia-smi`';
  if (/Failed to load (shared )?library/.test(message)) {
    const wanted = provider === 'tensorrt' ? 'TensorRT 10, CUDA 12 and cuDNN 9' : 'CUDA 12 and cuDNN 9';
    const library = path.join(LIBRARIES, `libonnxruntime_providers_${provider}.so`);
    return `the libraries of ${wanted} were not found: \`ldd ${library}\` lists the missing ones; add their folder to LD_LIBRARY_PATH (${firstLine})`;
  }
  return firstLine;
}

/** The path is relative if the package is below the working folder, as npm installs it. */
function installCommand(): string {
  const script = path.join(PACKAGE, 'script', 'install.js');
  const relative = path.relative(process.cwd(), script);
  return `node ${relative.startsWith('..') ? script : relative}`;
}

/**
 * Manifests of Vulkan drivers, in the places where the loader looks for them:
 * https://github.com/KhronosGroup/Vulkan-Loader/blob/main/docs/LoaderDriverInterface.md
 */
function vulkanDrivers({
  VK_DRIVER_FILES,
  VK_ICD_FILENAMES,
  VK_ADD_DRIVER_FILES,
  XDG_CONFIG_HOME,
  XDG_CONFIG_DIRS,
  XDG_DATA_HOME,
  XDG_DATA_DIRS,
}: NodeJS.ProcessEnv): string[] {
  const only = VK_DRIVER_FILES || VK_ICD_FILENAMES;
  if (only) return only.split(':').filter(existsSync);
  const home = homedir();
  const folders = [
    XDG_CONFIG_HOME || path.join(home, '.config'),
    ...(XDG_CONFIG_DIRS || '/etc/xdg').split(':'),
    '/etc',
    XDG_DATA_HOME || path.join(home, '.local', 'share'),
    ...(XDG_DATA_DIRS || '/usr/local/share:/usr/share').split(':'),
  ];
  return [...(VK_ADD_DRIVER_FILES ?? '').split(':').filter(existsSync), ...folders.flatMap(manifests)];
}

function manifests(folder: string): string[] {
  try {
    return readdirSync(path.join(folder, 'vulkan', 'icd.d')).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}
