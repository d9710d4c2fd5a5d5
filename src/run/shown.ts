import type { Plan } from '../plan/plan.ts';

/** Ends what is shown of a run's stages when the work on it ends, however that is. */
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
