import type { Bands } from '../domain/bands.ts';
import { type ChangedSegment, type FoundRows, type Person, type PersonRow, type Place, runOf } from '../domain/erasure.ts';
import type { LedgerEntry } from '../domain/ledger.ts';
import type { JobDefinition } from '../job/schema.ts';
import type { TableReader } from '../warehouse/reader.ts';
import { findPerson } from '../warehouse/sql/erase.ts';
import { changedSegments, type ScoredPerson, summariesOf } from '../warehouse/sql/erase-summary.ts';
import type { Sink } from '../warehouse/warehouse.ts';
import type { PersonTables } from './person.ts';

/** A person's rows in the published tables. */
export interface Found {
  readonly rows: readonly FoundRows[];
  readonly segments: readonly ChangedSegment[];
  /** Summaries that do not count the person, although the scores do. */
  readonly warnings: readonly string[];
}

/** Finds the person's rows in all tables, and the summary rows that change without them. */
export async function findRows(
  sink: Sink,
  definition: Pick<JobDefinition, 'name' | 'score'>,
  person: Person,
  { tables, summary, kept, entries }: PersonTables & { readonly entries: readonly LedgerEntry[] },
): Promise<Found> {
  const { name: job, score } = definition;
  return await sink.read(async (reader) => {
    const rows: FoundRows[] = [];
    for (const table of tables) {
      const found = await findPerson(reader, table, { person, kept, scoreColumn: score.column });
      if (found) rows.push(found);
    }
    // A challenger has no summary.
    const own = rows.filter((table) => table.job === job);
    const scored = scoredPlaces(own, entries, score.bands);
    const summaries = scored.length === 0 ? [] : await summariesOf(reader, summary);
    return { rows, ...(await findSegments(reader, summaries, job, scored)) };
  });
}

interface Scored {
  readonly replaced: boolean;
  readonly person: ScoredPerson;
}

async function findSegments(
  reader: TableReader,
  summaries: Awaited<ReturnType<typeof summariesOf>>,
  job: string,
  scored: readonly Scored[],
): Promise<Pick<Found, 'segments' | 'warnings'>> {
  const segments: ChangedSegment[] = [];
  const warnings: string[] = [];
  for (const { summary, replaced } of summaries) {
    for (const { person } of scored.filter((one) => one.replaced === replaced)) {
      const changed = await changedSegments(reader, { summary, replaced, job }, person);
      if (changed) segments.push(...changed);
      else
        warnings.push(
          `${summary.name.join('.')} was not corrected for the window from ${person.place.windowStart}: it has no band ${person.band}`,
        );
    }
  }
  return { segments, warnings };
}

/** Every score of the person, with what locates it in a summary. The report repeats rows of the scores table. */
function scoredPlaces(found: readonly FoundRows[], entries: readonly LedgerEntry[], bands: Bands): Scored[] {
  const scored = new Map<string, Scored>();
  for (const part of ['scores', 'report']) {
    for (const { rows, replaced, job } of found.filter((table) => table.part === part)) {
      for (const row of rows) {
        const place = replaced ? placeOf(row) : currentPlace(row, job, entries);
        const key = JSON.stringify([replaced, place]);
        if (place === undefined || row.score === undefined || scored.has(key)) continue;
        const band = row.band ?? bandOf(row.score, bands);
        scored.set(key, { replaced, person: { place, score: row.score, band, kept: row.kept } });
      }
    }
  }
  return [...scored.values()];
}

function placeOf({ windowStart, windowEnd, runId, publication }: PersonRow): Place {
  return { windowStart, windowEnd, runId, publication };
}

/** A summary names run and window, even if the scores table does not. */
function currentPlace(row: PersonRow, job: string, entries: readonly LedgerEntry[]): Place | undefined {
  const entry = runOf(row, job, entries);
  if (entry === undefined) return undefined;
  return { windowStart: row.windowStart, windowEnd: entry.window.end, runId: entry.runId, publication: undefined };
}

/** Only bands by threshold are published without a band column. @param score millionths */
function bandOf(score: number, { bounds, rest }: Bands): string {
  return bounds.find(({ bound }) => score >= bound)?.name ?? rest;
}
