import { existsSync } from 'node:fs';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether there is a device for WebGPU; false where there is none, which the end of the output explains. */
    webgpu: boolean;
  }
}

/**
 * Vulkan drivers that compute on the processor, which WebGPU takes for a GPU: SwiftShader of Debian's chromium-common, and
 * llvmpipe of Mesa 25 or newer (Debian 12 has an older one, which lacks a feature). Both need the loader, libvulkan1.
 */
const DRIVERS = ['/usr/lib/chromium/vk_swiftshader_icd.json', '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json'];
const LOADERS = ['/usr/lib/x86_64-linux-gnu/libvulkan.so.1', '/usr/lib64/libvulkan.so.1'];

/**
 * Gives the tests a software driver and no other, so that they are the same on a machine with a GPU. Where there is none, the
 * tests on a provider other than cpu are not run and the last line says so; with CI=true that is an error.
 */
export function setup(project: TestProject): () => void {
  const driver = DRIVERS.find(existsSync);
  const reason = whyNot(driver);
  if (reason !== undefined && process.env.CI === 'true') throw new Error(`No device for WebGPU: ${reason}`);
  // The loader reads it from the process, and a test's own environment is a copy of that: processes of tests inherit it.
  if (driver !== undefined) process.env.VK_DRIVER_FILES = driver;
  project.provide('webgpu', reason === undefined);
  return () => {
    if (reason !== undefined) process.stderr.write(`The tests of WebGPU were NOT run: ${reason}\n`);
  };
}

function whyNot(driver: string | undefined): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'onnxruntime-node has it on Vulkan for Linux on x64 only';
  if (driver !== undefined && LOADERS.some(existsSync)) return undefined;
  return 'no software Vulkan driver: apt-get install --no-install-recommends chromium-common libvulkan1';
}
