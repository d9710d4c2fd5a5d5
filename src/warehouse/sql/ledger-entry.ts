import { isRunId, isRunState, type LedgerEntry } from '../../domain/ledger.ts';
import type { RunRows } from '../../domain/rows.ts';
import type { RunDetails } from '../../domain/run-details.ts';
import { isWindowKind } from '../../domain/window.ts';
import { ScoreBatchError } from '../../errors.ts';

/** The text of a column of `selectEntries`; may be null. */
export type LedgerCell = (name: string) => string | null;

/**
 * Parses and validates a ledger entry. Anyone with write access can have changed it, and runs depend on every entry. So a
 * damaged entry is refused, never repaired or skipped.
 *
 * @throws ScoreBatchError `refused`, with the entry number and the column
 */
export function readEntry(cell: LedgerCell): LedgerEntry {
  const read = <T>(name: string, parse: (text: string) => T | undefined, wanted: string): T => {
    const text = cell(name);
    const value = text === null ? undefined : parse(text);
    if (value === undefined) throw damaged(cell, name, text, wanted);
    return value;
  };
  const text = (name: string) => read(name, (value) => value, 'text');
  const time = (name: string) => read(name, isoTime, 'a time');
  const count = (name: string) => read(name, wholeNumber, 'a whole number');
  const isPublication = cell('publication') !== null;
  // A superseded publication has no rows.
  const holdsRows = isPublication && cell('state') !== 'superseded';
  const rows: RunRows | undefined =
    holdsRows || cell('rows_frozen') !== null
      ? { frozen: count('rows_frozen'), scored: count('rows_scored'), quarantined: count('rows_quarantined') }
      : undefined;
  return {
    runId: read('run_id', (value) => (isRunId(value) ? value : undefined), 'a run id'),
    recordedAt: time('recorded_at'),
    job: text('job'),
    window: {
      label: text('window_label'),
      start: time('window_start'),
      end: time('window_end'),
      kind: read('window_kind', (value) => (isWindowKind(value) ? value : undefined), 'a window kind'),
    },
    state: read('state', (value) => (isRunState(value) ? value : undefined), 'a run state'),
    fingerprint: text('fingerprint'),
    model: { name: text('model_name'), version: text('model_version'), digest: text('model_digest') },
    host: text('host'),
    details: read('details', detailsOf, 'a valid JSON object'),
    ...(isPublication && { publication: count('publication') }),
    ...(rows && { rows }),
  };
}

function damaged(cell: LedgerCell, column: string, text: string | null, wanted: string): ScoreBatchError {
  const what = text === null ? 'is null' : `is not ${wanted}`;
  return new ScoreBatchError('refused', `ledger entry ${cell('entry_number')} is damaged: ${column} ${what}`, {
    hint: 'score_batch_ledger was edited by hand: restore the entry, or delete it if you do not need its run, and check who can write to the table',
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
const isNumber: Shape = (value) => absent(value) || typeof value === 'number';
const isTexts: Shape = (value) => absent(value) || (Array.isArray(value) && value.every((part) => typeof part === 'string'));
const isList: Shape = (value) => absent(value) || (Array.isArray(value) && value.every(isObject));
const isGroup: Shape = (value) => absent(value) || isObject(value);
/** The parts that limits of comparisons read, see `checkComparison`. */
const isComparison: Shape = (value) => {
  if (!isObject(value) || !isObject(value.champion) || !isObject(value.challenger) || !isObject(value.measures)) return false;
  const { a, b, coverage } = value.measures;
  return isObject(a) && isObject(b) && isObject(a.window) && isObject(b.window) && isObject(coverage);
};

/** Expected types of the details that are read from earlier runs. */
const SHAPES: Readonly<Partial<Record<keyof RunDetails, Shape>>> = {
  supersedes: isText,
  supersedes_publication: isNumber,
  rollback: isGroup,
  accepted: isGroup,
  sql: isText,
  report: (value) => isText(value) || isTexts(value),
  trained_through: isText,
  evaluation: isGroup,
  score_reference: isGroup,
  reasons: isGroup,
  challenger: isText,
  comparison: (value) => absent(value) || isComparison(value),
  promotion: (value) => absent(value) || (isObject(value) && isObject(value.from) && isObject(value.to)),
  shadow: (value) => absent(value) || (isObject(value) && isObject(value.window) && typeof value.within === 'boolean'),
  switch: isGroup,
  delivery: (value) => absent(value) || (isObject(value) && typeof value.publication === 'number' && isText(value.target)),
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
