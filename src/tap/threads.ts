import { Worker } from 'node:worker_threads';
import { fromParts } from '../score/error-parts.ts';
import { isOutOfMemory, outOfMemory } from '../score/out-of-memory.ts';
import type { EngineMessage, EngineSetup, ScoringMessage, ScoringSetup } from './messages.ts';

/**
 * V8 lets the young generation of a thread grow to 48 MiB before it looks what lives; views of batches are all that is made here. A
 * heap that grows beyond what any batch explains is ended before the machine is.
 */
const LEAN_HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 256 };

/** A thread that loads its code and then waits for what to do. */
interface Thread<Setup, Message> {
  /** What it says at its end; one that ends without a word has failed. */
  readonly result: Promise<Message>;
  readonly ended: Promise<void>;
  /** To be called once. */
  begin(setup: Setup): void;
  /** Tells one that has begun to stop, and one that waits to end. */
  stop(): void;
}

/** The threads of a run that scores rows on their way: loading them takes longer than to score some ten thousand rows. */
export interface TapThreads {
  /** To be asked for once. */
  readonly engine: Thread<EngineSetup, EngineMessage>;
  /** As many as are asked for; those that were started and are not asked for end. */
  scoring(workers: number): readonly Thread<ScoringSetup, ScoringMessage>[];
  /** Ends what was not asked for. */
  close(): Promise<void>;
}

/** @param workers scoring workers to start now; undefined for no thread before it is asked for */
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
  const thread = new Worker(new URL(file, import.meta.url), { resourceLimits: LEAN_HEAP });
  const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()));
  const result = new Promise<Message>((resolve, reject) => {
    thread.on('message', (message: Message) => {
      if (message.type === 'failed') reject(fromParts(message.error));
      else resolve(message);
    });
    thread.on('error', (error) => reject(isOutOfMemory(error) ? outOfMemory(error) : error));
    // A thread that ends says 'exit', not 'error': without this a run would wait for ever.
    thread.on('exit', (code) => reject(new Error(`a scoring thread ended with exit code ${code}`)));
  });
  // Of a thread that nobody asks for nobody wants to know.
  result.catch(() => undefined);
  return {
    result,
    ended,
    begin: (setup) => thread.postMessage(setup),
    stop: () => thread.postMessage('stop'),
  };
}
