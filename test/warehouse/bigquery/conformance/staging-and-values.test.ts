import { onBigquery } from './on-bigquery.ts';

onBigquery('staging', 'earlier scores', 'values', 'reading', 'tables');
