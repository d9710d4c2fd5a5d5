import { existsSync } from 'node:fs';

/** SwiftShader, a Vulkan driver in software: `apt-get install --no-install-recommends chromium-common` on Debian and Ubuntu. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

const driver = [process.env.VK_ICD_FILENAMES, SWIFTSHADER].find((file) => file !== undefined && existsSync(file));

/**
 * The environment in which WebGPU runs without a GPU, slowly and right; undefined where no driver is installed. What needs it is
 * skipped then, which is said; with CI=true it is an error.
 */
export const softwareGpu: { readonly VK_ICD_FILENAMES: string } | undefined = driver ? { VK_ICD_FILENAMES: driver } : undefined;

if (softwareGpu === undefined) {
  const reason = `there is no Vulkan driver in software (${SWIFTSHADER}; install chromium-common, or set VK_ICD_FILENAMES)`;
  if (process.env.CI === 'true') throw new Error(`WebGPU cannot be tested: ${reason}`);
  process.stderr.write(`The tests of WebGPU were NOT run: ${reason}\n`);
}
