import { onSnowflake } from './on-snowflake.ts';

onSnowflake('shadow');
