import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { counted, grouped } from '../../domain/counted.ts';
import { ScoreBatchError, unreadableArgument } from '../../errors.ts';
import type { EventFeatures } from '../../event-features/definition.ts';
import { showSpan } from '../../event-features/duration.ts';
import type { Console } from '../../terminal/console.ts';
import type { Attributes } from '../attributes.ts';
import { openScorer } from '../score/open-scorer.ts';
import { createRecordWriter } from '../score/outputs.ts';
import type { StreamSettings } from '../settings.ts';
import { createPartitionWindow } from '../window/window.ts';
import { CLOCK } from './clock.ts';
import { LOG, readEventLines } from './event-lines.ts';
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
 * @throws ScoreBatchError `usage` if there is no such file of events, `configuration` if the bundle does not prove itself,
 * `report` if an output cannot be written
 */
export async function runFile(run: FileRun): Promise<FileCounts> {
  const { settings, events, attributes, console, signal } = run;
  const { features, output, limits } = settings;
  const began = performance.now();
  await refuseMissing(run);
  const scorer = await openScorer({ ...settings, attributes: attributes?.columns ?? [] });
  const files = new Map<string, LineFile>();
  try {
    files.set(output.scores, run.out === undefined || run.out === '-' ? stdoutLines() : await openOf(run, run.out));
    if (run.deadLetter !== undefined) files.set(output.deadLetter, await openOf(run, run.deadLetter));
    if (run.alerts !== undefined && output.alerts !== undefined) files.set(output.alerts, await openOf(run, run.alerts));
    const chunks: AsyncIterable<Buffer> =
      events === '-' ? process.stdin : createReadStream(path.resolve(run.folder, events), { highWaterMark: 2 ** 20 });
    let stamped = 0;
    const counts = await scoreLines({
      settings,
      batches: readEventLines({
        chunks,
        file: events === '-' ? 'stdin' : events,
        features,
        partitions: run.partitions,
        batchLines: limits.batchEvents,
        onTimestamp: () => {
          stamped += 1;
        },
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
    if (stamped === 0) warnOfLate(console, counts, features);
    return counts;
  } finally {
    for (const file of files.values()) await file.close();
    await scorer.close();
  }
}

/** Before outputs are opened, which empties them. */
async function refuseMissing({ events, folder }: FileRun): Promise<void> {
  if (events === '-') return;
  await access(path.resolve(folder, events)).catch((cause: unknown) => {
    throw unreadableArgument(events, cause, 'check the path after --events');
  });
}

async function openOf({ folder, events }: FileRun, name: string): Promise<LineFile> {
  const file = path.resolve(folder, name);
  if (events !== '-' && file === path.resolve(folder, events)) {
    throw new ScoreBatchError('usage', `${name} is the file with the events`, { hint: 'choose another output file' });
  }
  return await openLineFile(file);
}

/** Without Kafka's timestamps nothing shows that a clock is ahead, so that one event can make all after it late. */
function warnOfLate(
  console: Pick<Console, 'warn'>,
  { events, rejected }: FileCounts,
  { log, time, skewMs }: EventFeatures,
): void {
  const late = rejected.get('late') ?? 0;
  if (late * 2 <= events) return;
  const { timestamp } = log ?? LOG;
  console.warn(
    `${grouped(late)} of ${counted(events, 'event')} are late, and no line has ${timestamp}, Kafka's timestamp: an event whose ` +
      `${time} is far ahead makes those after it late. With ${timestamp}, events more than ${showSpan(skewMs)} (skew) ahead of it ` +
      'are rejected alone. Look for the greatest time, and check that lines are in the order of their arrival',
  );
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
