import { onBigquery } from './on-bigquery.ts';

onBigquery('publication', 'amendment', 'drift', 'comparison');
