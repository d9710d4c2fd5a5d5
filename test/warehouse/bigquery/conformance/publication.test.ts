import { onBigquery } from './on-bigquery.ts';

onBigquery('publication', 'classes', 'amendment', 'drift', 'comparison');
