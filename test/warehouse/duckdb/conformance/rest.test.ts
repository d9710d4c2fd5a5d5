import { restOnDuckdb } from './on-duckdb.ts';

restOnDuckdb();
