// For what is loaded into the real process before anything else: stands between DuckDB's client, which is bundled with score-batch, and the
// native functions that it calls.
// Plain JavaScript: nothing compiles TypeScript in that process.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const loaded = require.cache[require.resolve('@duckdb/node-bindings')] ?? load();

function load() {
  const id = require.resolve('@duckdb/node-bindings');
  require(id);
  return require.cache[id];
}

/**
 * Puts functions in place of native ones, whose properties cannot be written. Must be called before anybody imports the package.
 *
 * @param replace native functions → what stands in for some of them, by their names
 */
export function replaceCalls(replace) {
  const native = loaded.exports;
  const properties = Object.entries(replace(native)).map(([name, value]) => [name, { value, enumerable: true }]);
  loaded.exports = Object.create(native, Object.fromEntries(properties));
}

/**
 * Calls `around` for each statement that is run to its end, with its text, what runs it, and its connection.
 *
 * @param around (sql, run, connection) → result of `run`
 */
export function aroundStatements(around) {
  const texts = new WeakMap();
  replaceCalls(({ query, extract_statements, prepare_extracted_statement, execute_prepared }) => ({
    query: (connection, sql) => around(sql, () => query(connection, sql), connection),
    async extract_statements(connection, sql) {
      const found = await extract_statements(connection, sql);
      texts.set(found.extracted_statements, sql);
      return found;
    },
    async prepare_extracted_statement(connection, statements, index) {
      const prepared = await prepare_extracted_statement(connection, statements, index);
      texts.set(prepared, { connection, sql: texts.get(statements) });
      return prepared;
    },
    execute_prepared(prepared) {
      const { connection, sql } = texts.get(prepared);
      return around(sql, () => execute_prepared(prepared), connection);
    },
  }));
}
