import { onSnowflake } from './on-snowflake.ts';

onSnowflake('publication', 'drift');
