import type { TableName } from '../../domain/table-name.ts';
import type { Aggregate } from '../definition.ts';

/** How the SQL of events differs between warehouses. */
export interface EventDialect {
  /** Always quoted, because reserved words differ per warehouse. */
  column(name: string): string;
  table(name: TableName): string;
  /** Literal of a string without control characters. */
  literal(text: string): string;
  readonly types: { readonly text: string; readonly double: string };
  /** An instant as epoch milliseconds. */
  epochMs(instant: string): string;
  /** Sum of integers as int64; the statement fails if it overflows. */
  wholeSum(sum: string): string;
  /** Whether the aggregate can use `order by time range between … preceding and current row`; otherwise a join computes it. */
  looksBack(aggregate: Aggregate): boolean;
}
