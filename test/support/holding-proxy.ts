import { onTestFinished } from 'vitest';
import { startFaultProxy } from './fault-proxy.ts';

export interface HoldingProxy {
  readonly url: string;
  /** Resolves once the held request has arrived. */
  readonly reached: Promise<void>;
  release(): void;
}

/** An HTTP proxy that holds the first matching request until it is released. It closes with the test. */
export async function holdingProxy(target: string, when: RegExp): Promise<HoldingProxy> {
  const [reached, reach] = signal();
  const [released, release] = signal();
  let held = false;
  const proxy = await startFaultProxy(target, (text) => {
    if (held || !when.test(text)) return undefined;
    held = true;
    reach();
    return released as Promise<undefined>;
  });
  onTestFinished(proxy.close);
  return { url: proxy.url, reached, release };
}

function signal(): [settled: Promise<void>, settle: () => void] {
  let settle: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return [settled, settle];
}
