import { DuckDBScalarFunction } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { Database } from './database.ts';
import { VECTOR_ROWS, VECTOR_WIDTH, type Vector, type VectorType } from './vector.ts';

/** The SQL signature of a function. */
interface FunctionSignature {
  /** Must differ from every macro of the database, which would be called instead. */
  readonly name: string;
  readonly parameters: readonly VectorType[];
  readonly returns: VectorType;
}

/**
 * Registers an SQL function. It runs on the thread that registers it, on vectors of at most 2048 rows. DuckDB calls it once for
 * each row that it needs: the optimizer neither folds its calls nor shares them. Null arguments are passed on.
 *
 * @param body fills `result` for its rows, from the first byte on; an error ends the statement with the error's message
 */
export function registerFunction(
  { connection }: Database,
  { name, parameters, returns }: FunctionSignature,
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
      // Null if all rows are valid, contrary to the client's type declaration.
      const valid = duckdb.vector_get_validity(vector, Math.ceil(rows / 64) * 8) as Uint8Array | null;
      return { bytes: duckdb.vector_get_data(vector, rows * bytes), valid: valid ?? undefined };
    });
    result.nulls = false;
    body(rows, inputs, result);
    // `vector_get_data` returns a copy of an output vector, so writing to it has no effect.
    duckdb.copy_data_to_vector(output, 0, result.bytes.buffer as ArrayBuffer, 0, rows * width);
    if (!result.nulls) return;
    duckdb.vector_ensure_validity_writable(output);
    duckdb.copy_data_to_vector_validity(output, 0, result.valid.buffer as ArrayBuffer, 0, Math.ceil(rows / 8));
  });
  connection.registerScalarFunction(wrapped);
}

/** Buffers for a function's results. `valid` only counts if `nulls` is set, and must then be complete. */
export interface FunctionResult {
  readonly bytes: Uint8Array;
  readonly valid: Uint8Array;
  nulls: boolean;
}

function logicalType(type: VectorType): duckdb.LogicalType {
  if (type === 'score') return duckdb.create_decimal_type(7, 6);
  return duckdb.create_logical_type(duckdb.Type[type]);
}
