import { crashMatrix, kill } from './matrix.ts';

crashMatrix('snowflake', [
  [kill('snowflake', 'stage: chunk', 'after', 2), kill('snowflake', 'commit', 'during', 2)],
  // What a completed run left is collected by the next one, which is killed while it does.
  [kill('snowflake', 'commit', 'after', 3), kill('snowflake', 'discard: tables', 'during', 4)],
]);
