import { createHash } from 'node:crypto';
import { showTableName, type TableName } from '../../domain/table-name.ts';
import { ScoreBatchError } from '../../errors.ts';
import type { Dialect } from '../dialect.ts';
import type { ViewSpec } from '../view-spec.ts';

/** The object that has the view's name now. `definition` is the warehouse's text of it. */
export interface FoundView {
  readonly kind: 'table' | 'view';
  readonly definition: string;
}

/** How a warehouse creates views. All names are full. */
export interface ViewMaker {
  readonly dialect: Dialect;
  find(name: TableName): Promise<FoundView | undefined>;
  /** A table's name as used in views. */
  table(name: TableName): string;
  /** @param replace whether a view of this name exists */
  create(name: TableName, select: string, replace: boolean): Promise<void>;
}

const MARK = 'score-batch view';

/**
 * Creates a view, or replaces the job's own if its definition differs. Warehouses store definitions in different forms, so each
 * definition contains a digest of itself.
 *
 * @throws ScoreBatchError `configuration` if a table, or a view that is not the job's, has that name
 */
export async function makeView(
  maker: ViewMaker,
  { name, job, select }: ViewSpec,
): Promise<'created' | 'replaced' | 'unchanged'> {
  const { dialect, table } = maker;
  const own = `${MARK} ${digestOf(job)}`;
  const text = `${own} ${digestOf(select(dialect, table, ''))}`;
  const found = await maker.find(name);
  const shown = showTableName(name.slice(-2));
  if (found?.kind === 'table') {
    throw new ScoreBatchError('configuration', `${shown} is a table, not a view`, {
      hint: 'give incremental.shadow.view another name, or rename the table',
    });
  }
  if (found !== undefined && !found.definition.includes(own)) {
    const whose = found.definition.includes(MARK) ? 'a view of another job' : 'a view that score-batch did not make';
    throw new ScoreBatchError('configuration', `${shown} is ${whose}`, {
      hint: 'give incremental.shadow.view another name, or drop the view if nobody reads it',
    });
  }
  if (found?.definition.includes(text)) return 'unchanged';
  await maker.create(name, select(dialect, table, `${dialect.literal(text)} <> ${dialect.literal('')}`), found !== undefined);
  return found === undefined ? 'created' : 'replaced';
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
