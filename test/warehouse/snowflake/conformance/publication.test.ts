import { onSnowflake } from './on-snowflake.ts';

onSnowflake('publication', 'amendment', 'drift', 'comparison');
