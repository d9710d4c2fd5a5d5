import { setTimeout as sleep } from 'node:timers/promises';

interface FlowRun {
  readonly id: string;
  readonly state_name: string;
  readonly state_type: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly state: { readonly message: string | null };
}

interface TaskRun {
  readonly name: string;
  readonly state_name: string;
  readonly run_count: number;
  readonly state: { readonly message: string | null };
}

/** What these tests ask of Prefect's REST API. */
export interface Prefect {
  /**
   * Runs a deployment.
   *
   * @param scheduled the time for which it is scheduled; else now
   * @returns the run's id
   */
  start(deployment: string, parameters: Readonly<Record<string, unknown>>, scheduled?: string): Promise<string>;
  over(run: string): Promise<FlowRun>;
  /** Asks a run to end, as the button of the UI does. */
  cancel(run: string): Promise<void>;
  /** Runs that a run has started, in their order. */
  within(run: string): Promise<FlowRun[]>;
  tasks(run: string): Promise<TaskRun[]>;
  /** Rows of the table that a run has left. */
  table(run: string): Promise<Record<string, unknown>[]>;
  log(run: string): Promise<string>;
}

const ENDS = new Set(['COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED']);

/** @throws Error with what Prefect says where it refuses a request */
export async function connectPrefect(url: string, deployments: readonly string[]): Promise<Prefect> {
  async function ask<T>(path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${url}/api${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    // Its database is locked for a moment: Prefect's own client asks again, too. The test's time limit ends this.
    if (response.status === 503) {
      await sleep(500);
      return await ask(path, body);
    }
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }
  const ids = new Map<string, string>();
  while (!deployments.every((name) => ids.has(name))) {
    for (const { id, name } of await ask<{ id: string; name: string }[]>('/deployments/filter', {})) ids.set(name, id);
    await sleep(200);
  }
  const ofRun = (id: string) => ({ flow_runs: { id: { any_: [id] } } });

  return {
    async start(deployment, parameters, scheduled) {
      const state = scheduled && { type: 'SCHEDULED', state_details: { scheduled_time: scheduled } };
      const path = `/deployments/${ids.get(deployment)}/create_flow_run`;
      return (await ask<FlowRun>(path, { parameters, ...(state && { state }) })).id;
    },
    async over(run) {
      for (;;) {
        const found = await ask<FlowRun>(`/flow_runs/${run}`);
        if (ENDS.has(found.state_type)) return found;
        await sleep(300);
      }
    },
    cancel: (run) => ask(`/flow_runs/${run}/set_state`, { state: { type: 'CANCELLING', name: 'Cancelling' } }),
    within: (run) => ask('/flow_runs/filter', { flow_runs: { parent_flow_run_id: { any_: [run] } }, sort: 'START_TIME_ASC' }),
    tasks: (run) => ask('/task_runs/filter', ofRun(run)),
    async table(run) {
      const [found] = await ask<{ data: string }[]>('/artifacts/filter', {
        ...ofRun(run),
        artifacts: { type: { any_: ['table'] } },
      });
      return JSON.parse(found?.data ?? '[]') as Record<string, unknown>[];
    },
    async log(run) {
      const lines = await ask<{ message: string }[]>('/logs/filter', { logs: { flow_run_id: { any_: [run] } } });
      return lines.map(({ message }) => message).join('\n');
    },
  };
}
