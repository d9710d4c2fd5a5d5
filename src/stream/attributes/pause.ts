import { setTimeout as sleep } from 'node:timers/promises';

/** Waits. @returns false as soon as the signal is aborted */
export async function passed(milliseconds: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(milliseconds, undefined, { signal });
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}
