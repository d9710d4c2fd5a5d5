import { onSnowflake } from './on-snowflake.ts';

onSnowflake('source', 'ledger');
