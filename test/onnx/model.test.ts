import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { attributesOf } from '../../src/onnx/attributes.ts';
import { DOUBLE, FLOAT } from '../../src/onnx/element-types.ts';
import { nodeMessage, tensorMessage } from '../../src/onnx/encode.ts';
import { parseModel, serializeModel } from '../../src/onnx/model.ts';
import { modelFacts } from '../../src/onnx/model-facts.ts';
import { elementType, valueMessage } from '../../src/onnx/value-info.ts';
import { eachField } from '../../src/onnx/wire.ts';
import { field, varint } from '../support/onnx.ts';
import { repository } from '../support/project.ts';

const FIXTURES = ['trees', 'models'].flatMap((kind) => {
  const folder = repository('test', 'fixtures', kind);
  return readdirSync(folder)
    .filter((name) => name !== 'garbage')
    .map((name) => path.join(folder, name, 'model.onnx'));
});

/** Fields of a message by number, sorted, each as its bytes; of the graph's fields all, one level down. */
function fieldsOf(bytes: Uint8Array): string[] {
  const found: string[] = [];
  const keep = (number: number, _content: unknown, { start, end }: { start: number; end: number }) =>
    found.push(`${number} ${Buffer.from(bytes.subarray(start, end)).toString('base64')}`);
  eachField(
    bytes,
    { start: 0, end: bytes.length },
    (number, content, whole) => {
      if (number === 7 && typeof content === 'object') {
        found.push(...fieldsOf(bytes.subarray(content.start, content.end)).map((inner) => `graph ${inner}`));
      } else keep(number, content, whole);
    },
    keep,
  );
  return found.sort();
}

it.each(FIXTURES)('%s is written as it was read, field by field, what is not known included', (file) => {
  // A fixed number, a length and a varint of no known field, in the model and in its graph.
  const unknown = Buffer.concat([varint(99 * 8 + 5), Buffer.from([1, 2, 3, 4]), field(98, 'kept'), field(97, 300)]);
  const original = readFileSync(file);
  const parsed = parseModel(Buffer.concat([original, unknown]));
  const written = serializeModel({ ...parsed, graph: { ...parsed.graph, rest: [...parsed.graph.rest, unknown] } });
  const withoutOpsets = (fields: readonly string[]) => fields.filter((text) => !text.startsWith('8 '));
  const expected = [
    ...fieldsOf(Buffer.concat([original, unknown])),
    ...fieldsOf(unknown).map((text) => `graph ${text}`),
  ].sort();
  expect(withoutOpsets(fieldsOf(written))).toEqual(withoutOpsets(expected));
  expect(modelFacts(written)).toEqual(modelFacts(original));
});

it('a graph in parts, or a node that is a number, is not a model', () => {
  const graph = field(7, field(2, 'g'));
  expect(() => parseModel(graph)).not.toThrow();
  expect(() => parseModel(Buffer.concat([graph, graph]))).toThrow('its graph is in several parts');
  expect(() => parseModel(field(1, 8))).toThrow('it has no graph');
  expect(() => parseModel(field(7, field(11, 5)))).toThrow('a number where a message should be');
});

it('attributes are read however they are written: packed or not, as a list, a value or a tensor', () => {
  const float = (number: number) => Buffer.from(Float32Array.of(number).buffer);
  const attribute = (name: string, ...content: Buffer[]) => field(5, [field(1, name), ...content]);
  const node = attributesOf(
    Buffer.concat([
      attribute('one', field(3, 7)),
      attribute('loose', field(8, 1), field(8, 300)),
      attribute('packed', field(8, Buffer.concat([varint(1), varint(300)]))),
      attribute('loose numbers', Buffer.concat([varint(7 * 8 + 5), float(0.5), varint(7 * 8 + 5), float(-2)])),
      attribute('packed numbers', field(7, Buffer.concat([float(0.5), float(-2)]))),
      attribute('broken numbers', field(7, Buffer.from([1, 2, 3]))),
      attribute('raw', field(5, tensorMessage({ name: '', shape: [2], data: Float64Array.of(0.1, 2) }))),
      attribute('behind', field(5, [field(10, Buffer.from(Float64Array.of(0.1).buffer)), field(2, DOUBLE)])),
      attribute('whole', field(5, tensorMessage({ name: '', shape: [1], data: Int32Array.of(1) }))),
      attribute('negative', field(8, Buffer.from([255, 255, 255, 255, 255, 255, 255, 255, 255, 1]))),
      attribute('texts', field(9, 'a'), field(9, 'ä')),
    ]),
  );
  expect(node.integers('one')).toEqual([7]);
  expect(node.integers('loose')).toEqual([1, 300]);
  expect(node.integers('packed')).toEqual([1, 300]);
  expect(node.integers('none')).toEqual([]);
  expect(() => node.integers('negative')).toThrow('negative has a number that is negative or too large');
  expect(node.numbers('loose numbers')).toEqual(Float32Array.of(0.5, -2));
  expect(node.numbers('packed numbers')).toEqual(Float32Array.of(0.5, -2));
  expect(() => node.numbers('broken numbers')).toThrow(RangeError);
  expect(node.numbers('raw')).toEqual(Float64Array.of(0.1, 2));
  expect(node.numbers('behind')).toEqual(Float64Array.of(0.1));
  expect(() => node.numbers('whole')).toThrow(RangeError);
  expect(node.texts('texts')).toEqual(['a', 'ä']);
});

it('what is written can be read', () => {
  const operation = { operator: 'Gather', inputs: ['a', 'b'], outputs: ['c'], integers: { axis: 1 } };
  const [read] = parseModel(field(7, field(1, nodeMessage(operation, 'node')))).graph.nodes;
  expect(read).toMatchObject({ name: 'node', operator: 'Gather', domain: 'ai.onnx', inputs: ['a', 'b'], outputs: ['c'] });
  expect(attributesOf(read?.message ?? Buffer.alloc(0)).integers('axis')).toEqual([1]);
  expect(elementType(valueMessage('x', DOUBLE, 3))).toBe(DOUBLE);
  expect(elementType(valueMessage('x', FLOAT))).toBe(FLOAT);
  expect(elementType(field(1, 'x'))).toBeUndefined();
  expect(() => field(1, Buffer.alloc(0))).not.toThrow();
  expect(() => nodeMessage({ ...operation, integers: { axis: -1 } }, 'node')).toThrow(RangeError);
});
