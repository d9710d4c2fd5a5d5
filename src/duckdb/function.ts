import { DuckDBScalarFunction } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { Database } from './database.ts';
import { VECTOR_ROWS, VECTOR_WIDTH, type Vector, type VectorType } from './vector.ts';

/**
 * Registers a function of SQL whose work is done here, a vector of at most 2048 rows at a time, on the thread that registers it.
 * DuckDB calls it once for each row that it needs: the optimiser neither folds its calls nor shares them. Nulls are handed over.
 *
 * @param name must be one that no macro has: a macro would be called instead
 * @param body fills `result` for its rows, from the first byte on; what it throws ends the statement, with its message
 */
export function registerFunction(
  { connection }: Database,
  name: string,
  parameters: readonly VectorType[],
  returns: VectorType,
  body: (rows: number, inputs: readonly Vector[], result: FunctionResult) => void,
): void {
  const wrapped = new DuckDBScalarFunction();
  const definition = wrapped.scalar_function;
  duckdb.scalar_function_set_name(definition, name);
  for (const parameter of parameters) duckdb.scalar_function_add_parameter(definition, logicalType(parameter));
  duckdb.scalar_function_set_return_type(definition, logicalType(returns));
  duckdb.scalar_function_set_special_handling(definition);
  duckdb.scalar_function_set_volatile(definition);
  const widths = parameters.map((parameter) => VECTOR_WIDTH[parameter]);
  const width = VECTOR_WIDTH[returns];
  const result: FunctionResult = {
    bytes: new Uint8Array(VECTOR_ROWS * width),
    valid: new Uint8Array(VECTOR_ROWS / 8),
    nulls: false,
  };
  duckdb.scalar_function_set_function(definition, (_info, input, output) => {
    const rows = duckdb.data_chunk_get_size(input);
    const inputs = widths.map((bytes, i) => {
      const vector = duckdb.data_chunk_get_vector(input, i);
      // Null where all rows are valid, which the declaration of the client leaves out.
      const valid = duckdb.vector_get_validity(vector, Math.ceil(rows / 64) * 8) as Uint8Array | null;
      return { bytes: duckdb.vector_get_data(vector, rows * bytes), valid: valid ?? undefined };
    });
    result.nulls = false;
    body(rows, inputs, result);
    // What `vector_get_data` gives of an output is a copy: what is written there is lost.
    duckdb.copy_data_to_vector(output, 0, result.bytes.buffer as ArrayBuffer, 0, rows * width);
    if (!result.nulls) return;
    duckdb.vector_ensure_validity_writable(output);
    duckdb.copy_data_to_vector_validity(output, 0, result.valid.buffer as ArrayBuffer, 0, Math.ceil(rows / 8));
  });
  connection.registerScalarFunction(wrapped);
}

/** Room for what a function returns; `valid` counts only where `nulls` is set, and must then be whole. */
export interface FunctionResult {
  readonly bytes: Uint8Array;
  readonly valid: Uint8Array;
  nulls: boolean;
}

function logicalType(type: VectorType): duckdb.LogicalType {
  if (type === 'score') return duckdb.create_decimal_type(7, 6);
  return duckdb.create_logical_type(duckdb.Type[type]);
}
