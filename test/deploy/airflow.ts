import { setTimeout as sleep } from 'node:timers/promises';

interface DagRun {
  readonly dag_run_id: string;
  readonly state: string;
  readonly data_interval_start: string;
}

interface TaskInstance {
  readonly task_id: string;
  readonly map_index: number;
  readonly rendered_map_index: string | null;
  readonly state: string | null;
  readonly try_number: number;
}

/** What these tests ask of Airflow's REST API. */
export interface Airflow {
  /** Runs a DAG over a data interval. @returns the run's id */
  trigger(dag: string, start: string, end: string, conf?: Readonly<Record<string, unknown>>): Promise<string>;
  /** Runs a DAG over all its intervals that begin between two instants, two at a time. */
  backfill(dag: string, from: string, to: string, conf: Readonly<Record<string, unknown>>): Promise<void>;
  /** All runs of a DAG, in the order of their intervals, once there are so many and all are over. */
  overRuns(dag: string, count: number): Promise<DagRun[]>;
  overRun(dag: string, run: string): Promise<DagRun>;
  tasks(dag: string, run: string): Promise<TaskInstance[]>;
  xcom(dag: string, run: string, task: string, mapIndex?: number): Promise<unknown>;
  /** The log of a task's attempt, as the UI shows it. */
  log(dag: string, run: string, task: string, attempt: number, mapIndex?: number): Promise<string>;
}

/** @throws Error with what Airflow says where it refuses a request */
export async function connectAirflow(url: string): Promise<Airflow> {
  const { access_token: token } = (await (await fetch(`${url}/auth/token`)).json()) as { access_token: string };

  async function ask(path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${url}/api/v2${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }
  const runs = async (dag: string): Promise<DagRun[]> => {
    const { dag_runs } = (await ask(`/dags/${dag}/dagRuns?limit=100`)) as { dag_runs: DagRun[] };
    return dag_runs.sort((a, b) => a.data_interval_start.localeCompare(b.data_interval_start));
  };
  const isOver = ({ state }: DagRun): boolean => state === 'success' || state === 'failed';
  const instance = (dag: string, run: string, task: string): string =>
    `/dags/${dag}/dagRuns/${encodeURIComponent(run)}/taskInstances/${task}`;

  return {
    async trigger(dag, start, end, conf = {}) {
      const body = { logical_date: start, data_interval_start: start, data_interval_end: end, conf };
      return ((await ask(`/dags/${dag}/dagRuns`, body)) as DagRun).dag_run_id;
    },
    async backfill(dag, from, to, conf) {
      await ask('/backfills', { dag_id: dag, from_date: from, to_date: to, max_active_runs: 2, dag_run_conf: conf });
    },
    async overRuns(dag, count) {
      for (;;) {
        const found = await runs(dag);
        if (found.length >= count && found.every(isOver)) return found;
        await sleep(500);
      }
    },
    async overRun(dag, run) {
      for (;;) {
        const found = (await ask(`/dags/${dag}/dagRuns/${encodeURIComponent(run)}`)) as DagRun;
        if (isOver(found)) return found;
        await sleep(500);
      }
    },
    async tasks(dag, run) {
      const path = `/dags/${dag}/dagRuns/${encodeURIComponent(run)}/taskInstances?order_by=map_index`;
      return ((await ask(path)) as { task_instances: TaskInstance[] }).task_instances;
    },
    async xcom(dag, run, task, mapIndex = -1) {
      const path = `${instance(dag, run, task)}/xcomEntries/return_value?map_index=${mapIndex}&deserialize=true`;
      return ((await ask(path)) as { value: unknown }).value;
    },
    async log(dag, run, task, attempt, mapIndex = -1) {
      return JSON.stringify(await ask(`${instance(dag, run, task)}/logs/${attempt}?map_index=${mapIndex}`));
    },
  };
}
