// Keeps trying to write a DuckDB file until its standard input ends, and once more then; says how often it was refused, why in the end, and how often not.
// Plain JavaScript: it is a process of its own, and nothing compiles TypeScript there.
import { setTimeout as sleep } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';

const [file] = process.argv.slice(2);
let over = false;
process.stdin.on('end', () => {
  over = true;
});
process.stdin.resume();
let refused = 0;
let written = 0;
let why = '';
for (let last = false; !last; ) {
  last = over;
  try {
    const instance = await DuckDBInstance.create(file);
    const connection = await instance.connect();
    await connection.run('create table if not exists written (moment timestamptz)');
    await connection.run('insert into written values (now())');
    connection.closeSync();
    instance.closeSync();
    written += 1;
    // Others have their turn.
    await sleep(200);
  } catch (error) {
    refused += 1;
    why = error.message;
  }
  await sleep(5);
}
process.stdout.write(JSON.stringify({ refused, written, why }));
