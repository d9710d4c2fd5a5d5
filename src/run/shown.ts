import type { Plan } from '../plan/plan.ts';

/** Ends the display of a run's stages when the work on it ends, successful or not. */
export async function shown<T>({ stages }: Pick<Plan, 'stages'>, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    stages.end('done');
    return result;
  } catch (error) {
    stages.end('failed');
    throw error;
  }
}
