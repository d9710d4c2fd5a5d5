import type { Answering } from './answering.ts';
import { addCounts, type Metric } from './metric.ts';

/** Metrics of all processes, ended ones included, and of the supervisor itself. */
export interface CountedProcesses {
  add(process: Answering): void;
  reloaded(outcome: 'done' | 'refused'): void;
  /** A process ended unexpectedly. */
  lost(): void;
  all(): Promise<readonly (readonly Metric[])[]>;
}

export function countProcesses(): CountedProcesses {
  const processes = new Set<Answering>();
  let ended: readonly Metric[] = [];
  let lost = 0;
  const reloads = { done: 0, refused: 0 };
  let refused = 0;
  return {
    add(process) {
      processes.add(process);
      void process.ended.then(() => {
        processes.delete(process);
        ended = addCounts(ended, process.last());
      });
    },
    reloaded(outcome) {
      reloads[outcome] += 1;
      refused = outcome === 'refused' ? 1 : 0;
    },
    lost() {
      lost += 1;
    },
    async all() {
      const asked = [...processes];
      const told = await Promise.all(asked.map((process) => process.collect()));
      // A process that ended meanwhile is counted in `ended`. For one too busy to answer, its last counts are a lower bound.
      const alive = asked.flatMap((process, at) => (processes.has(process) ? [told[at] ?? process.last()] : []));
      const values = (['done', 'refused'] as const).map((outcome) => ({ value: reloads[outcome], labels: { outcome } }));
      const own: Metric[] = [
        metric('score_batch_serve_reloads_total', 'Reloads since the start', 'counter', values),
        metric(
          'score_batch_serve_reload_refused',
          '1 if the last reload was refused, so the previous models and settings are in use',
          'gauge',
          [{ value: refused, labels: {} }],
        ),
        metric('score_batch_serve_processes', 'Processes that are running', 'gauge', [{ value: processes.size, labels: {} }]),
        metric('score_batch_serve_lost_processes_total', 'Processes that ended unexpectedly', 'counter', [
          { value: lost, labels: {} },
        ]),
      ];
      return [...alive, ended, own];
    },
  };
}

function metric(name: string, help: string, type: string, values: Metric['values']): Metric {
  return { name, help, type, aggregator: 'sum', values };
}
