import { faultMatrix } from './matrix.ts';

faultMatrix('snowflake');
