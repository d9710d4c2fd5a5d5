import { onSnowflake } from './on-snowflake.ts';

onSnowflake('staging', 'earlier scores', 'values', 'reading', 'tables');
