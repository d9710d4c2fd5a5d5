import { sliceNames } from './slice-names.ts';

sliceNames('bigquery');
