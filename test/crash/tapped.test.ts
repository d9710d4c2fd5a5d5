import { crashMatrix, kill } from './matrix.ts';

crashMatrix('tapped', [
  // Each time another part of the rows has been scored, and rows are entered in another order.
  [kill('tapped', 'tap: block of outcomes', 'during', 2), kill('tapped', 'tap: rows', 'after')],
  [kill('tapped', 'tap: rejected rows', 'after'), kill('tapped', 'tap: rejected rows', 'during')],
  [kill('tapped', 'stage: chunk', 'after'), kill('tapped', 'publish: commit', 'after')],
  [kill('tapped', 'ledger: completed', 'after'), kill('tapped', 'drop frozen: files', 'during')],
]);
