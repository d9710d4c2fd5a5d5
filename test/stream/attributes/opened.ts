import { expect, onTestFinished, vi } from 'vitest';
import { openAttributes } from '../../../src/stream/attributes/open.ts';
import type { AttributeOptions } from '../../../src/stream/attributes/options.ts';
import type { Attributes } from '../../../src/stream/attributes.ts';
import type { AttributeSettings } from '../../../src/stream/settings.ts';
import { memoryTopic } from './memory-topic.ts';

export interface Opened {
  readonly attributes: Attributes;
  readonly warnings: string[];
  /** The error that ended them. */
  readonly failure: Promise<unknown>;
}

/** Attributes that close when the test ends. */
export async function opened(settings: AttributeSettings, options: Partial<AttributeOptions> = {}): Promise<Opened> {
  const warnings: string[] = [];
  let fail: (error: unknown) => void = () => undefined;
  const failure = new Promise<unknown>((resolve) => {
    fail = resolve;
  });
  const attributes = await openAttributes(settings, {
    job: 'fraud',
    root: '/',
    environment: {},
    log: memoryTopic('none').log,
    horizonMs: 305_000,
    limits: { rows: 1000, bytes: 1e6 },
    need: undefined,
    signal: new AbortController().signal,
    warn: (message) => warnings.push(message),
    onFailure: fail,
    ...options,
  });
  onTestFinished(() => attributes.close());
  return { attributes, warnings, failure };
}

/** Waits until it holds; the limit of the test ends it if it never does. */
export async function eventually(holds: () => void): Promise<void> {
  await vi.waitFor(holds, { timeout: 60_000, interval: 5 });
  expect(holds).not.toThrow();
}
