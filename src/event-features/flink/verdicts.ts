import { type EventFeatures, horizonMs } from '../definition.ts';
import { ARRIVAL, IS_VALID, LOG, ROW_TIME } from './tables.ts';
import { quoted } from './text.ts';

/** Column with `accepted`, or why an event is in no window. */
export const VERDICT = '$verdict';

const MAXIMUM = quoted('$maximum');
const NEWEST = quoted('$newest');
const EARLIER = quoted('$earlier');
const COPIES = quoted('$copies');

/** Views ending in `verdicts`: every record of the input with its verdict. */
export function verdictViews(input: string, features: EventFeatures): { readonly name: string; readonly query: string }[] {
  const { id, time, latenessMs, name } = features;
  const at = quoted(time);
  const partition = quoted(LOG.partition);
  const arrived = (columns: string, from: string): string =>
    `(PARTITION BY ${columns} ORDER BY ${quoted(ARRIVAL)} ROWS BETWEEN ${from} PRECEDING AND CURRENT ROW)`;
  const copies = arrived(`${partition}, ${quoted(id)}`, 'UNBOUNDED');
  const last = arrived(`${partition}, ${quoted(id)}`, '1');
  const views = {
    maximum: `SELECT *, MAX(${at}) OVER ${arrived(partition, 'UNBOUNDED')} AS ${MAXIMUM}
FROM ${quoted(input)}
WHERE ${IS_VALID}`,
    newest: `SELECT *, MAX(${at}) OVER ${copies} AS ${NEWEST}
FROM ${quoted(`${name}_maximum`)}`,
    // No window may end before the current row. The running newest copy never decreases, so the minimum of this row and the
    // previous one is that of the previous one.
    earlier: `SELECT *, MIN(${NEWEST}) OVER last_two AS ${EARLIER}, COUNT(*) OVER last_two AS ${COPIES}
FROM ${quoted(`${name}_newest`)}
WINDOW last_two AS ${last}`,
    verdicts: `SELECT *, CASE
    WHEN ${COPIES} > 1 AND ${EARLIER} >= ${MAXIMUM} - ${horizonMs(features)} THEN 'duplicate'
    WHEN ${at} < ${MAXIMUM} - ${latenessMs} THEN 'late'
    WHEN ${quoted(ROW_TIME)} <= CURRENT_WATERMARK(${quoted(ROW_TIME)}) THEN 'below the watermark'
    ELSE 'accepted'
  END AS ${quoted(VERDICT)}
FROM ${quoted(`${name}_earlier`)}`,
  };
  return Object.entries(views).map(([view, query]) => ({ name: `${name}_${view}`, query }));
}
