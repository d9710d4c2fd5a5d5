import { onSnowflake } from './on-snowflake.ts';

onSnowflake('publication', 'classes', 'amendment', 'drift', 'comparison');
