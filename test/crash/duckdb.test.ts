import { crashMatrix, kill } from './matrix.ts';

crashMatrix('duckdb', [
  [kill('duckdb', 'stage: chunk', 'after', 1), kill('duckdb', 'publish: commit', 'after')],
  // What a completed run left is collected by the next one, which is killed while it does.
  [kill('duckdb', 'ledger: completed', 'after'), kill('duckdb', 'drop frozen: files', 'during', 2)],
]);
