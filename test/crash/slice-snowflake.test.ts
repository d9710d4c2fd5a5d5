import { sliceNames } from './slice-names.ts';

sliceNames('snowflake');
