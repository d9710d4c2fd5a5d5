import type { Console } from '../../terminal/console.ts';
import type { Flow } from '../partition/ports.ts';

/** The operator's pause. */
export interface Pausing {
  readonly paused: boolean;
  /** What to pause; an earlier signal takes effect. */
  of(flow: Pick<Flow, 'pause' | 'resume'>): void;
  end(): void;
}

/** SIGUSR2 toggles reading. SIGUSR1 is taken by Node's debugger. */
export function onPauseSignal(console: Pick<Console, 'info'>): Pausing {
  let paused = false;
  let flow: Pick<Flow, 'pause' | 'resume'> | undefined;
  const toggle = (): void => {
    paused = !paused;
    if (paused) flow?.pause();
    else flow?.resume();
    console.info(paused ? 'paused: nothing is read until the next SIGUSR2; the process stays in its group' : 'resumed', {
      event: paused ? 'paused' : 'resumed',
    });
  };
  process.on('SIGUSR2', toggle);
  return {
    get paused() {
      return paused;
    },
    of(begun) {
      flow = begun;
      if (paused) flow.pause();
    },
    end: () => void process.off('SIGUSR2', toggle),
  };
}
