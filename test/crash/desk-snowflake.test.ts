import { deskMatrix } from './desk-matrix.ts';

deskMatrix('snowflake');
