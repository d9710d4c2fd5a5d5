import { deskMatrix } from './desk-matrix.ts';

deskMatrix('duckdb');
