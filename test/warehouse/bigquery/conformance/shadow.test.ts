import { onBigquery } from './on-bigquery.ts';

onBigquery('shadow');
