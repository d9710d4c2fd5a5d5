/** Execution providers that a job may name, fastest first. */
export const PROVIDERS = ['tensorrt', 'cuda', 'webgpu', 'cpu'] as const;
type ProviderName = (typeof PROVIDERS)[number];

/** Providers of which there can be several devices, and one session on each. */
export const WITH_DEVICES: readonly ProviderName[] = ['tensorrt', 'cuda'];

/**
 * One place to run a model, as text: `cuda`, or `cuda:1` where a device is named. In lists the devices of one provider stand
 * side by side.
 */
export type ProviderText = string;

/** `cuda:1` → cuda and 1; the device is undefined where none is named. */
export function parseProvider(text: ProviderText): { readonly name: string; readonly device: number | undefined } {
  const [name = '', device] = text.split(':');
  return { name, device: device === undefined ? undefined : Number(device) };
}

/** `[cuda:0, cuda:1, cpu]` → `[[cuda:0, cuda:1], [cpu]]` */
export function byProvider(providers: readonly ProviderText[]): ProviderText[][] {
  const groups: ProviderText[][] = [];
  for (const text of providers) {
    const last = groups.at(-1);
    if (last !== undefined && parseProvider(last[0] ?? '').name === parseProvider(text).name) last.push(text);
    else groups.push([text]);
  }
  return groups;
}
