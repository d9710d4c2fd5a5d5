import { Worker } from 'node:worker_threads';
import { fromParts } from '../error-parts.ts';
import { isOutOfMemory, outOfMemory } from '../score/out-of-memory.ts';
import { SMALL_HEAP } from '../score/small-heap.ts';
import type { EngineMessage, EngineSetup, ScoringMessage, ScoringSetup } from './messages.ts';

/** A thread that loads its code and then waits for its setup. */
interface Thread<Setup, Message> {
  /** Its final message. Rejects if the thread fails, or ends without a message. */
  readonly result: Promise<Message>;
  readonly ended: Promise<void>;
  /** Call it once. */
  begin(setup: Setup): void;
  /** Stops the work of a thread that has begun, or ends one that waits. */
  stop(): void;
}

/** The threads of a run without a frozen table. Loading them takes longer than scoring ten thousand rows, so they start early. */
export interface TapThreads {
  /** Access it once. */
  readonly engine: Thread<EngineSetup, EngineMessage>;
  /** Takes `workers` threads, starting more if needed. Surplus threads end. */
  scoring(workers: number): readonly Thread<ScoringSetup, ScoringMessage>[];
  /** Ends the threads that were not taken. */
  close(): Promise<void>;
}

/** @param workers scoring workers to start now; undefined to start every thread on demand */
export function startThreads(workers: number | undefined): TapThreads {
  const startEngine = () => startThread<EngineSetup, EngineMessage>('./engine-thread.js');
  let engine = workers === undefined ? undefined : startEngine();
  const waiting = Array.from({ length: workers ?? 0 }, startScoring);
  return {
    get engine() {
      const taken = engine ?? startEngine();
      engine = undefined;
      return taken;
    },
    scoring(count) {
      const taken = waiting.splice(0, count);
      for (const thread of waiting.splice(0)) thread.stop();
      return [...taken, ...Array.from({ length: count - taken.length }, startScoring)];
    },
    async close() {
      const left = [...waiting.splice(0), ...(engine === undefined ? [] : [engine])];
      engine = undefined;
      for (const thread of left) thread.stop();
      await Promise.all(left.map(({ ended }) => ended));
    },
  };
}

function startScoring(): Thread<ScoringSetup, ScoringMessage> {
  return startThread<ScoringSetup, ScoringMessage>('./scoring-thread.js');
}

function startThread<Setup, Message extends EngineMessage | ScoringMessage>(file: string): Thread<Setup, Message> {
  const thread = new Worker(new URL(file, import.meta.url), { resourceLimits: SMALL_HEAP });
  const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  const result = new Promise<Message>((resolve, reject) => {
    thread.on('message', (message: Message) => {
      if (message.type === 'failed') reject(fromParts(message.error));
      else resolve(message);
    });
    thread.on('error', (error) => reject(isOutOfMemory(error) ? outOfMemory(error) : error));
    // A thread that ends emits 'exit', not 'error'. Without this a run would wait forever.
    thread.on('exit', (code) => reject(new Error(`a scoring thread ended with exit code ${code}`)));
  });
  // The failure of a thread that is never taken does not matter.
  result.catch(() => undefined);
  return {
    result,
    ended,
    begin: (setup) => thread.postMessage(setup),
    stop: () => thread.postMessage('stop'),
  };
}
