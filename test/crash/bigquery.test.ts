import { crashMatrix, kill } from './matrix.ts';

crashMatrix('bigquery', [
  [kill('bigquery', 'stage: chunk', 'during', 2), kill('bigquery', 'publish: transaction', 'during')],
  // What a completed run left is collected by the next one, which is killed while it does.
  [kill('bigquery', 'ledger: completed', 'after'), kill('bigquery', 'drop frozen', 'during', 2)],
]);
