import { weeklyOnDuckdb } from './on-duckdb.ts';

weeklyOnDuckdb();
