import { createReadStream } from 'node:fs';
import path from 'node:path';
import { counted, grouped } from '../../domain/counted.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { Console } from '../../terminal/console.ts';
import type { Attributes } from '../attributes.ts';
import { openScorer } from '../score/open-scorer.ts';
import { createRecordWriter } from '../score/outputs.ts';
import type { StreamSettings } from '../settings.ts';
import { createPartitionWindow } from '../window/window.ts';
import { CLOCK } from './clock.ts';
import { readEventLines } from './event-lines.ts';
import { type LineFile, openLineFile, stdoutLines } from './line-file.ts';
import { type FileCounts, scoreLines } from './score-lines.ts';

export interface FileRun {
  readonly settings: StreamSettings;
  /** File with an event per line, `-` for stdin; the other files are outputs, `-` or undefined as each key says. */
  readonly events: string;
  /** Scores; stdout if undefined. */
  readonly out: string | undefined;
  /** Dead letters and alerts; only counted if undefined. */
  readonly deadLetter: string | undefined;
  readonly alerts: string | undefined;
  readonly partitions: number;
  /** Working folder. */
  readonly folder: string;
  readonly attributes: Attributes | undefined;
  readonly hashKey: string | undefined;
  readonly console: Pick<Console, 'info' | 'warn'>;
  readonly signal: AbortSignal;
}

/**
 * Scores a file's events with the windows of the stream, without a broker.
 *
 * @throws ScoreBatchError `configuration` if the bundle does not prove itself, `report` if an output cannot be written
 */
export async function runFile(run: FileRun): Promise<FileCounts> {
  const { settings, events, attributes, console, signal } = run;
  const { features, output, limits } = settings;
  const began = performance.now();
  const scorer = await openScorer({ ...settings, attributes: attributes?.columns ?? [] });
  const files = new Map<string, LineFile>();
  try {
    files.set(output.scores, run.out === undefined || run.out === '-' ? stdoutLines() : await openOf(run, run.out));
    if (run.deadLetter !== undefined) files.set(output.deadLetter, await openOf(run, run.deadLetter));
    if (run.alerts !== undefined && output.alerts !== undefined) files.set(output.alerts, await openOf(run, run.alerts));
    const chunks: AsyncIterable<Buffer> =
      events === '-' ? process.stdin : createReadStream(path.resolve(run.folder, events), { highWaterMark: 2 ** 20 });
    const counts = await scoreLines({
      settings,
      batches: readEventLines({
        chunks,
        file: events === '-' ? 'stdin' : events,
        features,
        partitions: run.partitions,
        batchLines: limits.batchEvents,
      }),
      newWindow: () => createPartitionWindow(features, limits),
      scorer,
      attributes,
      outputs: createRecordWriter(settings, run.hashKey),
      async write(topic, values) {
        signal.throwIfAborted();
        return (await files.get(topic)?.write(values)) ?? true;
      },
      clock: CLOCK,
    });
    say(console, counts, run, (performance.now() - began) / 1000);
    return counts;
  } finally {
    for (const file of files.values()) await file.close();
    await scorer.close();
  }
}

async function openOf({ folder, events }: FileRun, name: string): Promise<LineFile> {
  const file = path.resolve(folder, name);
  if (events !== '-' && file === path.resolve(folder, events)) {
    throw new ScoreBatchError('usage', `${name} is the file with the events`, { hint: 'choose another output file' });
  }
  return await openLineFile(file);
}

function say(console: Pick<Console, 'info'>, counts: FileCounts, { settings }: FileRun, seconds: number): void {
  const { events, scored, alerts, capped, duplicates, rejected } = counts;
  const reasons = [...rejected].map(([reason, count]) => `${grouped(count)} ${reason}`);
  const parts = [
    `${grouped(scored)} scored`,
    ...(settings.output.alerts === undefined ? [] : [counted(alerts, 'alert')]),
    ...(capped === 0 ? [] : [`${grouped(capped)} of them capped`]),
    ...(duplicates === 0 ? [] : [counted(duplicates, 'duplicate')]),
    ...(reasons.length === 0 ? [] : [`rejected: ${reasons.join(', ')}`]),
  ];
  console.info(`read ${counted(events, 'event')} in ${seconds.toFixed(1)} s: ${parts.join(', ')}`, {
    event: 'events from a file',
    ...counts,
    rejected: Object.fromEntries(rejected),
    seconds,
  });
}
