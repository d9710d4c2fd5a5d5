import type { TableName } from '../../domain/table-name.ts';
import type { Aggregate } from '../definition.ts';

/** How the SQL of events differs between warehouses. */
export interface EventDialect {
  /** Always quoted: each warehouse has words of its own that a bare name must not be. */
  column(name: string): string;
  table(name: TableName): string;
  /** A text without control characters. */
  literal(text: string): string;
  readonly types: { readonly text: string; readonly double: string };
  /** Epoch milliseconds of an instant. */
  epochMs(instant: string): string;
  /** A sum of whole numbers as int64; a statement with one that int64 does not hold fails. */
  wholeSum(sum: string): string;
  /** Whether the aggregate may look back in `order by time range between … preceding and current row`; else it is a join. */
  looksBack(aggregate: Aggregate): boolean;
}
