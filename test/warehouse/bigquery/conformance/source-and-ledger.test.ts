import { onBigquery, onlyCasesOfBigquery } from './on-bigquery.ts';

onBigquery('source', 'ledger');
onlyCasesOfBigquery();
