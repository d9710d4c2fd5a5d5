import type { Answering } from '../../../src/serve/process/answering.ts';
import type { LoadedModel } from '../../../src/serve/process/messages.ts';
import type { Metric } from '../../../src/serve/process/metric.ts';

/** A process as its supervisor sees it, whose every step the test decides. */
export interface FakeAnswering extends Answering {
  /** What it has been told. */
  readonly told: string[];
  end(how?: string): void;
  /** What `collect` answers from now on. */
  answer(metrics: Promise<readonly Metric[] | undefined>): void;
}

let pids = 0;

export function fakeAnswering(loaded: readonly LoadedModel[] | Error = [], last: readonly Metric[] = []): FakeAnswering {
  const told: string[] = [];
  let end: (how: string) => void = () => undefined;
  let collected: Promise<readonly Metric[] | undefined> = Promise.resolve(last);
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  const loading = loaded instanceof Error ? Promise.reject(loaded) : Promise.resolve(loaded);
  loading.catch(() => undefined);
  return {
    pid: ++pids,
    told,
    loaded: loading,
    async listen(maxRows) {
      told.push(`listen ${maxRows.join()}`);
      return { http: 'http://127.0.0.1:1', grpc: undefined };
    },
    async leave(why) {
      told.push(why);
      end('exit code 0');
    },
    kill() {
      told.push('kill');
      end('SIGKILL');
    },
    collect: () => collected,
    last: () => last,
    ended,
    end: (how = 'SIGKILL') => end(how),
    answer(metrics) {
      collected = metrics;
    },
  };
}
