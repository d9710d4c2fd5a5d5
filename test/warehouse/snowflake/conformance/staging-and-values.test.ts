import { onSnowflake } from './on-snowflake.ts';

onSnowflake('staging', 'values', 'reading', 'tables');
