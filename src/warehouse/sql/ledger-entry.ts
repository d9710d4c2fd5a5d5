import { isRunId, isRunState, type LedgerEntry, type RunDetails } from '../../domain/ledger.ts';
import type { RunRows } from '../../domain/rows.ts';
import { isWindowKind } from '../../domain/window.ts';
import { ScoreBatchError } from '../../errors.ts';

/** The text of a column of `selectEntries`, null where there is none. */
export type LedgerCell = (name: string) => string | null;

/**
 * An entry as it was written. Anybody may have changed it since, and what a run does depends on all of it: an entry that is
 * damaged is refused, never guessed at or passed over.
 *
 * @throws ScoreBatchError `refused` with the number of the entry and the column
 */
export function readEntry(cell: LedgerCell): LedgerEntry {
  const read = <T>(name: string, parse: (text: string) => T | undefined, wanted: string): T => {
    const text = cell(name);
    const value = text === null ? undefined : parse(text);
    if (value === undefined) throw damaged(cell, name, text, wanted);
    return value;
  };
  const text = (name: string) => read(name, (value) => value, 'a text');
  const time = (name: string) => read(name, isoTime, 'a time');
  const count = (name: string) => read(name, wholeNumber, 'a whole number');
  const isPublication = cell('publication') !== null;
  // A publication that was replaced holds none.
  const holdsRows = isPublication && cell('state') !== 'superseded';
  const rows: RunRows | undefined =
    holdsRows || cell('rows_frozen') !== null
      ? { frozen: count('rows_frozen'), scored: count('rows_scored'), quarantined: count('rows_quarantined') }
      : undefined;
  return {
    runId: read('run_id', (value) => (isRunId(value) ? value : undefined), 'an id that score-batch gives to a run'),
    recordedAt: time('recorded_at'),
    job: text('job'),
    window: {
      label: text('window_label'),
      start: time('window_start'),
      end: time('window_end'),
      kind: read('window_kind', (value) => (isWindowKind(value) ? value : undefined), 'a kind of window'),
    },
    state: read('state', (value) => (isRunState(value) ? value : undefined), 'a state of a run'),
    fingerprint: text('fingerprint'),
    model: { name: text('model_name'), version: text('model_version'), digest: text('model_digest') },
    host: text('host'),
    details: read('details', detailsOf, 'the JSON object that score-batch wrote'),
    ...(isPublication && { publication: count('publication') }),
    ...(rows && { rows }),
  };
}

function damaged(cell: LedgerCell, column: string, text: string | null, wanted: string): ScoreBatchError {
  const what = text === null ? 'is null' : `is not ${wanted}`;
  return new ScoreBatchError('refused', `entry ${cell('entry_number')} of the ledger is damaged: ${column} ${what}`, {
    hint: 'somebody changed score_batch_ledger; restore the entry, or delete it if its run does not matter, and see who has the right to write there',
  });
}

/** `2026-11-18 09:00:00.000000` → `2026-11-18T09:00:00.000Z`, as JavaScript writes it, so that instants compare as text. */
export function isoTime(canonical: string): string | undefined {
  const iso = `${canonical.slice(0, 10)}T${canonical.slice(11, 23)}Z`;
  return Number.isNaN(Date.parse(iso)) ? undefined : iso;
}

function wholeNumber(text: string): number | undefined {
  const number = Number(text);
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}

function detailsOf(text: string): RunDetails | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && Object.entries(SHAPES).every(([name, fits]) => fits(value[name] ?? undefined))
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Shape = (value: unknown) => boolean;
const absent: Shape = (value) => value === undefined;
const isText: Shape = (value) => absent(value) || typeof value === 'string';
const isTexts: Shape = (value) => absent(value) || (Array.isArray(value) && value.every((part) => typeof part === 'string'));
const isList: Shape = (value) => absent(value) || (Array.isArray(value) && value.every(isObject));
const isGroup: Shape = (value) => absent(value) || isObject(value);

/** What is read of the details of earlier runs. */
const SHAPES: Readonly<Partial<Record<keyof RunDetails, Shape>>> = {
  supersedes: isText,
  sql: isText,
  report: isText,
  error: isText,
  files: isTexts,
  table: isTexts,
  columns: isList,
  rejections: isList,
  providers: isGroup,
  execution: isGroup,
  seconds: isGroup,
  workers: isGroup,
};
