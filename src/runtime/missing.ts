import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import path from 'node:path';

// What a provider needs, in one sentence with the command that installs it. ONNX Runtime's own words for all of this are
// "Failed to load shared library", and Dawn prints to stderr what nobody can catch: so what can be seen is looked for first.

const PACKAGE = path.dirname(path.dirname(createRequire(import.meta.url).resolve('onnxruntime-node')));

/** Folder with the runtime's own library, into which its script puts the libraries of the providers. */
const LIBRARIES = path.join(PACKAGE, 'bin', 'napi-v6', process.platform, process.arch);

/**
 * Why a provider cannot load here, where that can be seen without trying; undefined where it must be tried.
 *
 * @param environment where a Vulkan driver may be named
 */
export function missing(provider: string, environment: NodeJS.ProcessEnv): string | undefined {
  switch (provider) {
    case 'cuda':
    case 'tensorrt':
      if (process.platform !== 'linux' || process.arch !== 'x64')
        return `${provider} is for Linux on x64, and this is ${process.platform} on ${process.arch}`;
      return existsSync(path.join(LIBRARIES, `libonnxruntime_providers_${provider}.so`))
        ? undefined
        : `the libraries of ${provider} are not installed: \`${installCommand()}\` downloads them`;
    case 'webgpu':
      return process.platform === 'linux' && vulkanDrivers(environment).length === 0
        ? 'there is no Vulkan driver here: it comes with the driver of an NVIDIA GPU, or with `apt-get install mesa-vulkan-drivers libvulkan1`'
        : undefined;
    default:
      return undefined;
  }
}

/** Why a provider that was tried did not load. @param message what ONNX Runtime said */
export function notLoaded(provider: string, message: string): string {
  const said = message.split('\n', 1)[0]?.trim() ?? '';
  if (/backend not found|is unsupported/.test(message)) return `this onnxruntime-node has no ${provider}`;
  if (/Failed to get a WebGPU adapter/.test(message))
    return 'no Vulkan driver gives a device that WebGPU can use: install libvulkan1 and the driver of the GPU, and look at `vulkaninfo --summary`';
  if (/no CUDA-capable device|CUDA failure 100\b/.test(message)) return 'there is no NVIDIA GPU here: look at `nvidia-smi`';
  if (/invalid device ordinal|CUDA failure 101\b/.test(message))
    return 'there is no GPU of this number: look at `nvidia-smi -L`';
  if (/driver version is insufficient|CUDA failure 35\b/.test(message))
    return 'the NVIDIA driver is older than CUDA 12 needs: install 525.60 or newer, and look at `nvidia-smi`';
  if (/Failed to load (shared )?library/.test(message)) {
    const wanted = provider === 'tensorrt' ? 'TensorRT 10, CUDA 12 and cuDNN 9' : 'CUDA 12 and cuDNN 9';
    return `the libraries of ${wanted} are not found: \`ldd ${path.join(LIBRARIES, `libonnxruntime_providers_${provider}.so`)}\` says which, and LD_LIBRARY_PATH where to look (${said})`;
  }
  return said;
}

/** Relative where the package is below the folder, as npm installs it. */
function installCommand(): string {
  const script = path.join(PACKAGE, 'script', 'install.js');
  const relative = path.relative(process.cwd(), script);
  return `node ${relative.startsWith('..') ? script : relative}`;
}

/**
 * Manifests of Vulkan drivers, from where the loader takes them:
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
