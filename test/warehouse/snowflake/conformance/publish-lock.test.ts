import { onSnowflake } from './on-snowflake.ts';

onSnowflake('publish lock');
