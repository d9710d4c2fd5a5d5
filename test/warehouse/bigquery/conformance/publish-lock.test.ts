import { onBigquery } from './on-bigquery.ts';

onBigquery('publish lock');
