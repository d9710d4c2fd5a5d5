import { crashMatrix, kill } from './matrix.ts';

crashMatrix('duckdb', [
  [kill('duckdb', 'stage: chunk', 'after', 1), kill('duckdb', 'publish: commit', 'after')],
  // What a completed run left is collected by the next one, which is killed while it does.
  [kill('duckdb', 'ledger: completed', 'after'), kill('duckdb', 'thaw: files', 'during', 2)],
]);

crashMatrix('tapped', [
  // Each time another part of the rows has been scored, and rows are entered in another order.
  [kill('tapped', 'tap: block of outcomes', 'during', 2), kill('tapped', 'tap: rows', 'after')],
  [kill('tapped', 'tap: rejected rows', 'after'), kill('tapped', 'tap: rejected rows', 'during')],
  [kill('tapped', 'stage: chunk', 'after'), kill('tapped', 'publish: commit', 'after')],
  [kill('tapped', 'ledger: completed', 'after'), kill('tapped', 'thaw: files', 'during')],
]);
