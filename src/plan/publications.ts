import { type LedgerEntry, type LedgerWindow, ledgerWindow } from '../domain/ledger.ts';
import { type ModelChange, modelChange } from '../domain/model-change.ts';
import { currentEntries, isSameWindow, overlapping, type PublishedEntry } from '../domain/publications.ts';
import type { RunRows } from '../domain/rows.ts';
import { showTableName } from '../domain/table-name.ts';
import type { Tables } from '../domain/tables.ts';
import type { Window } from '../domain/window.ts';
import { ScoreBatchError } from '../errors.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { Ledger, Sink } from '../warehouse/warehouse.ts';
import { localRange } from '../window/local-time.ts';

/** Existing publications that affect a run. */
export interface PublishedBefore {
  /** Ledger entries of the run's window. */
  readonly entries: readonly LedgerEntry[];
  /** Publications of overlapping windows, which the run supersedes. */
  readonly overlaps: readonly PublishedEntry[];
  /** The publication of the latest earlier window of the same kind, however old. */
  readonly last: PublishedEntry | undefined;
  /** Set if the previous publication used a different model. */
  readonly modelChanged: ModelChange | undefined;
}

export interface BeforeOptions {
  readonly definition: JobDefinition;
  readonly window: Window;
  readonly model: LedgerEntry['model'];
  /** Whether the run may supersede publications of overlapping windows. */
  readonly replaceOverlapping: boolean;
  /** If false, only the window's own entries are read, and nothing is refused. */
  readonly checkGates: boolean;
}

/**
 * Reads the ledger entries of this window and of the windows before it.
 *
 * @throws ScoreBatchError `configuration` if the window overlaps a publication, or another model has published under the same
 *   version
 */
export async function publishedBefore(ledger: Ledger, options: BeforeOptions): Promise<PublishedBefore> {
  const { definition, model, checkGates } = options;
  const { name: job } = definition;
  const window = ledgerWindow(options.window);
  if (!checkGates) {
    const entries = await ledger.entries({ job, window });
    return { entries, overlaps: [], last: undefined, modelChanged: undefined };
  }
  const near = await ledger.entries({ job, near: window });
  const overlaps = overlapping(near, window);
  if (overlaps.length > 0 && !options.replaceOverlapping) throw overlapError(options.window, overlaps);
  const history = await ledger.entries({ job, history: { window, model } });
  refuseSecondDigest(model, history);
  const entries = near.filter((entry) => isSameWindow(entry.window, window));
  const last = currentEntries(history.filter((entry) => isEarlier(entry, window))).at(-1);
  const own = currentEntries(entries)[0] ?? overlaps[0];
  return { entries, overlaps, last, modelChanged: modelChange(model, [own, last]) };
}

/** Rows published for the preceding window; undefined if that is not published. An ad hoc window has no preceding one. */
export function rowsBefore({ last, window }: Pick<PublishedBefore, 'last'> & { readonly window: Window }): RunRows | undefined {
  return last?.window.end === window.start.toISOString() && window.kind !== 'ad hoc' ? last.rows : undefined;
}

/** @throws ScoreBatchError `configuration` if a table holds rows of another job and `sink.shared_tables` is not set */
export async function refuseOtherJobs(
  sink: Sink,
  { name, sink: { shared_tables } }: JobDefinition,
  tables: Tables,
): Promise<void> {
  if (shared_tables) return;
  const found = await sink.otherJobs(tables, name);
  if (found.length === 0) return;
  throw new ScoreBatchError(
    'configuration',
    `${name} would publish to tables of another job, so its users would be counted twice`,
    {
      details: found.map(
        ({ table, job }) =>
          `${showTableName(table)} holds rows ${job === undefined ? 'that no publication of this job wrote' : `of ${job}`}`,
      ),
      hint: 'name other tables in the job file, or set sink.shared_tables: true and filter every count by job',
    },
  );
}

function isEarlier({ window: { kind, start } }: LedgerEntry, window: LedgerWindow): boolean {
  return kind === window.kind && start < window.start;
}

function refuseSecondDigest({ name, version, digest }: LedgerEntry['model'], history: readonly LedgerEntry[]): void {
  const other = history.findLast(({ model }) => model.name === name && model.version === version && model.digest !== digest);
  if (other === undefined) return;
  throw new ScoreBatchError(
    'configuration',
    `this job has already published with a different model as version ${version} of ${name}`,
    {
      details: [
        `published: sha256 ${other.model.digest} (${other.window.label}, run ${other.runId})`,
        `in the bundle now: sha256 ${digest}`,
      ],
      hint: 'increase the version in model.yaml, so that each score can be traced to its model',
    },
  );
}

/** Labels of superseded windows that have no publication until they run again. */
export function emptiedWindows(window: Pick<Window, 'label'>, overlaps: readonly PublishedEntry[]): string[] {
  return overlaps.map((entry) => entry.window.label).filter((label) => label !== window.label);
}

function overlapError(window: Window, published: readonly PublishedEntry[]): ScoreBatchError {
  const { zone } = window;
  const others = emptiedWindows(window, published);
  const again = others.length === 0 ? '' : `, then run ${others.join(' and ')} again`;
  const show = ({ label, start, end }: LedgerWindow) =>
    `${label}, ${localRange({ start, end }, zone)} ${zone} (${start} to ${end})`;
  return new ScoreBatchError(
    'configuration',
    `${window.label} overlaps a window that this job has published: users would be counted twice`,
    {
      details: [
        `this run: ${show(ledgerWindow(window))}`,
        ...published.map(
          ({ runId, window: other, details }) =>
            `published: ${show(other)}, run ${runId}${details.time_zone === undefined ? '' : `, made with time_zone ${details.time_zone}`}`,
        ),
      ],
      hint: `if time_zone has changed in the job file, change it back; or supersede the published windows with --replace-overlapping${again}`,
    },
  );
}
