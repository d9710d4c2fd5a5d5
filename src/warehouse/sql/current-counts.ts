import { SKIP_KEY, stagedKey } from '../../domain/staged-columns.ts';
import type { TableLayout } from '../../domain/tables.ts';
import type { Dialect } from '../dialect.ts';
import type { CurrentChange } from '../publication-spec.ts';
import type { TableReader } from '../reader.ts';
import { isUnchanged, keyConditions, type StagedSlice, sameKey, selectSlice, selectTable } from './current-rows.ts';
import { histogramCounts } from './tally.ts';

// Counts for the gates of a slice, which judge the current table as it would be.

/** The users in the current table, without deleted ones. */
interface CurrentUsers {
  readonly users: number;
  /** Users who have a reason instead of a score. */
  readonly quarantined: number;
  /** Users whose row comes from another model. */
  readonly otherModel: number;
  /** Scores per bin; empty without edges. See `Histogram`. */
  readonly scoreCounts: readonly number[];
}

export interface CurrentCounts {
  readonly before: CurrentUsers;
  readonly after: CurrentUsers;
  /** Users that the slice deletes. */
  readonly deleted: number;
  /** Users of the slice whose earlier score is still valid. */
  readonly unchanged: number;
}

export interface CurrentToCount extends Pick<StagedSlice, 'key' | 'stagesText'>, Pick<CurrentChange, 'whole' | 'gone'> {
  /** The current table, which need not exist yet. */
  readonly table: TableLayout;
  readonly scoreColumn: string;
  /** FROM clause that `Sink.readStaged` gives for a slice; undefined for a slice without rows. */
  readonly staged: string | undefined;
  /** Digest of the slice's model. */
  readonly digest: string;
  /** Inner edges of the score bins; undefined to count no scores. */
  readonly edges: readonly number[] | undefined;
}

/** Counts the users of the current table as they are, and as they would be after the slice. */
export async function countCurrent(reader: TableReader, options: CurrentToCount): Promise<CurrentCounts> {
  const table = await reader.find(options.table);
  const { before, slice, others, gone } = await readParts(reader, options, table);
  const removed = options.whole ? others : gone;
  return {
    before,
    after: combine(combine(slice, others, 1), removed, -1),
    deleted: removed.users,
    unchanged: slice.unchanged,
  };
}

interface Counted extends CurrentUsers {
  readonly unchanged: number;
}

/**
 * `before`: all users; `slice`: those of the slice; `others`: those not in the slice; `gone`: those of the others who are gone.
 */
const PARTS = ['before', 'slice', 'others', 'gone'] as const;
type Part = (typeof PARTS)[number];

async function readParts(
  { dialect, rows }: TableReader,
  options: CurrentToCount,
  table: TableLayout | undefined,
): Promise<Record<Part, Counted>> {
  const { key, gone, whole } = options;
  const { slice, others, before } = relationsOf(dialect, options, table);
  const statements = [
    [
      count(dialect, options, 'before', before),
      count(dialect, options, 'slice', slice),
      count(dialect, options, 'others', others),
    ],
  ];
  const columns = key.map((_, i) => stagedKey(i));
  // One statement per list, because their length is limited.
  for (const list of whole || table === undefined ? [] : keyConditions(dialect, { key, keys: gone }, columns))
    statements.push([count(dialect, options, 'gone', others && `SELECT * FROM (${others}) others WHERE ${list}`)]);
  const nobody: Counted = { users: 0, quarantined: 0, otherModel: 0, unchanged: 0, scoreCounts: binsOf(options).map(() => 0) };
  const counted: Record<Part, Counted> = { before: nobody, slice: nobody, others: nobody, gone: nobody };
  for (const selects of statements) {
    const found = selects.filter((select) => select !== undefined);
    if (found.length === 0) continue;
    for (const [part, ...texts] of await rows(found.join(' UNION ALL '))) {
      const [users = 0, quarantined = 0, otherModel = 0, unchanged = 0, ...scoreCounts] = texts.map(Number);
      const name = part as Part;
      counted[name] = combine(counted[name], { users, quarantined, otherModel, unchanged, scoreCounts }, 1);
    }
  }
  return counted;
}

function binsOf({ edges }: CurrentToCount): string[] {
  return edges === undefined ? [] : histogramCounts(edges);
}

function count(dialect: Dialect, options: CurrentToCount, part: Part, relation: string | undefined): string | undefined {
  if (relation === undefined) return undefined;
  const when = (condition: string) => `COUNT(CASE WHEN ${condition} THEN 1 END)`;
  const counts = [
    'COUNT(*)',
    when('reason IS NOT NULL'),
    when(`model_digest <> ${dialect.literal(options.digest)}`),
    when('unchanged'),
    ...binsOf(options),
  ];
  const text = dialect.type({ type: 'string' });
  return `SELECT ${dialect.literal(part)} AS part, ${counts.map((one, i) => `CAST(${one} AS ${text}) AS count_${i}`).join(', ')}
    FROM (${relation}) counted`;
}

/** SELECTs of key_0, …, score, reason, model_digest and unchanged; undefined if there are no rows. */
function relationsOf(
  dialect: Dialect,
  options: CurrentToCount,
  table: TableLayout | undefined,
): Record<Exclude<Part, 'gone'>, string | undefined> {
  const { key, scoreColumn, staged, stagesText, digest } = options;
  const keysOf = (relation: string) => key.map((_, i) => `${relation}.${stagedKey(i)} AS ${stagedKey(i)}`).join(', ');
  const fresh = staged === undefined ? undefined : selectSlice(dialect, { staged, key, keep: [], stagesText });
  const own = { score: scoreColumn, reason: 'reason', model_digest: 'model_digest', [SKIP_KEY]: SKIP_KEY, deleted: 'deleted' };
  const earlier = table && selectTable(dialect, table, key, own);
  const live =
    earlier &&
    `SELECT ${keysOf('earlier')}, earlier.score AS score, earlier.reason AS reason, earlier.model_digest AS model_digest, FALSE AS unchanged
      FROM (${earlier}) earlier WHERE earlier.deleted = FALSE`;
  const unchanged = earlier === undefined ? 'FALSE' : isUnchanged(dialect, digest);
  const joined = earlier === undefined ? '' : ` LEFT JOIN (${earlier}) earlier ON ${sameKey(key, 'fresh', 'earlier')}`;
  const score = earlier === undefined ? 'fresh.score' : `CASE WHEN ${unchanged} THEN earlier.score ELSE fresh.score END`;
  return {
    before: live,
    slice:
      fresh &&
      `SELECT ${keysOf('fresh')}, ${score} AS score, fresh.reason AS reason, ${dialect.literal(digest)} AS model_digest, ${unchanged} AS unchanged
        FROM (${fresh}) fresh${joined}`,
    others:
      live &&
      (fresh === undefined
        ? live
        : `${live} AND NOT EXISTS (SELECT 1 FROM (${fresh}) fresh WHERE ${sameKey(key, 'fresh', 'earlier')})`),
  };
}

/** Adds the counts of two groups of users, or subtracts one from the other. */
function combine(one: Counted, other: Counted, sign: 1 | -1): Counted {
  return {
    users: one.users + sign * other.users,
    quarantined: one.quarantined + sign * other.quarantined,
    otherModel: one.otherModel + sign * other.otherModel,
    unchanged: one.unchanged + sign * other.unchanged,
    scoreCounts: one.scoreCounts.map((count, bin) => count + sign * (other.scoreCounts[bin] ?? 0)),
  };
}
