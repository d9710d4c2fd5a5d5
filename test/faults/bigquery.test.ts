import { faultMatrix } from './matrix.ts';

faultMatrix('bigquery');
