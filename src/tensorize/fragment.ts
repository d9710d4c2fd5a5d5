import type { Operation, Tensor } from '../onnx/encode.ts';

/** Part of a graph under construction: operations in order, and their constants. */
export interface Fragment {
  readonly prefix: string;
  readonly operations: Operation[];
  readonly constants: Tensor[];
  /** Adds an operation and returns the name of its output. */
  apply(operator: string, inputs: readonly string[], integers?: Readonly<Record<string, number>>): string;
  /** Adds a constant and returns its name. */
  constant(name: string, shape: readonly number[], data: Tensor['data']): string;
}

/** @param prefix of all new names; no name in the graph may start with it */
export function createFragment(prefix: string): Fragment {
  const operations: Operation[] = [];
  const constants: Tensor[] = [];
  return {
    prefix,
    operations,
    constants,
    apply(operator, inputs, integers = {}) {
      const output = `${prefix}${operations.length}`;
      operations.push({ operator, inputs, outputs: [output], integers });
      return output;
    },
    constant(name, shape, data) {
      constants.push({ name: `${prefix}${name}`, shape, data });
      return `${prefix}${name}`;
    },
  };
}
