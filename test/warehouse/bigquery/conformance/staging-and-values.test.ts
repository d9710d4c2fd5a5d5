import { onBigquery } from './on-bigquery.ts';

onBigquery('staging', 'values', 'reading', 'tables');
