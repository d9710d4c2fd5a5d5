/** Execution providers that a job can name, fastest first. */
export const PROVIDERS = ['tensorrt', 'cuda', 'webgpu', 'cpu'] as const;
type ProviderName = (typeof PROVIDERS)[number];

/** Providers that can use several devices, with one session on each. */
export const WITH_DEVICES: readonly ProviderName[] = ['tensorrt', 'cuda'];

/** A provider and an optional device: `cuda` or `cuda:1`. In lists, the devices of one provider are adjacent. */
export type ProviderText = string;

/** `cuda:1` → cuda and 1; `device` is undefined if none is given. */
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
