import { execFile } from 'node:child_process';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { checkedFacts, readModel } from '../../src/runtime/model-file.ts';
import { externalTensor, field, graph, model, node, varint } from '../support/onnx.ts';
import { repository, temporaryFolder } from '../support/project.ts';

const LINEAR = await readFile(repository('test', 'fixtures', 'models', 'linear', 'model.onnx'));

function facts(...behind: Buffer[]) {
  return checkedFacts({ file: 'model.onnx', digest: '', bytes: Buffer.concat([LINEAR, ...behind]) });
}

it('says who made a model, of which operators, and what was written beside', () => {
  const said = [field(2, 'maker'), field(3, '1.2'), field(14, [field(1, 'owner'), field(2, 'growth')])];
  expect(facts(...said)).toMatchObject({
    producer: 'maker 1.2',
    opsets: { 'ai.onnx': 19 },
    metadata: { owner: 'growth' },
    operators: new Set(['ai.onnx:MatMul', 'ai.onnx:Sigmoid']),
    files: new Set(),
  });
});

describe('tensors in other files are refused, wherever they hang', () => {
  const far = externalTensor('../../etc/passwd');
  const places: readonly [string, Buffer][] = [
    ['an initializer', model.graph(graph.initializer(far))],
    ['a sparse initializer', model.graph(graph.sparse(far))],
    ['an attribute', model.graph(graph.node(node.operator('Constant'), node.tensor(far)))],
    ['a list of an attribute', model.graph(graph.node(node.operator('Constant'), node.tensors(far)))],
    ['a graph of a node', model.graph(graph.node(node.operator('If'), node.graph(graph.initializer(far))))],
    ['one of several graphs', model.graph(graph.node(node.operator('Scan'), node.graphs(graph.node(node.tensor(far)))))],
    ['a function', model.function(field(1, 'F'), field(10, 'own'), field(7, node.tensor(far)))],
    ['what is for training', model.training(graph.initializer(far))],
    ['a field whose tag is written longer than it must be', longTag(7, graph.initializer(far))],
  ];

  it.each(places)('%s', (_, behind) => {
    expect(() => facts(behind)).toThrow(
      expect.objectContaining({
        kind: 'configuration',
        details: ['"../../etc/passwd"'],
        hint: expect.stringContaining('one file'),
      }),
    );
  });

  it('also without a name, and inside the folder: the digest covers one file', () => {
    expect(() => facts(model.graph(graph.initializer(Buffer.concat([field(8, 'far'), field(14, 1)]))))).toThrow(/other files/);
    expect(() => facts(model.graph(graph.initializer(externalTensor('model.onnx.data'))))).toThrow(/other files/);
  });
});

/** A tag of five bytes, which parsers read like a short one. */
function longTag(number: number, content: Buffer): Buffer {
  const tag = number * 8 + 2;
  return Buffer.concat([Buffer.from([(tag & 127) | 128, 128, 128, 128, 0]), varint(content.length), content]);
}

describe('operators of somebody', () => {
  it.each([
    ['ai.onnx.contrib', 'SentencepieceTokenizer'],
    ['com.example', 'Backdoor'],
    ['com.microsoft', 'EPContext'],
  ])('%s:%s is refused', (domain, name) => {
    expect(() => facts(model.graph(graph.node(node.operator(name, domain))))).toThrow(
      expect.objectContaining({ kind: 'configuration', details: [`"${domain}:${name}"`] }),
    );
  });

  it('those of the runtime, and those that the model defines itself, are not', () => {
    const own = model.function(field(1, 'Twice'), field(10, 'own'), field(7, node.operator('Add')));
    const used = model.graph(graph.node(node.operator('Twice', 'own')), graph.node(node.operator('Gelu', 'com.microsoft')));
    expect(facts(used, own).operators).toContain('com.microsoft:Gelu');
  });
});

describe('operators that draw random numbers are refused by name, wherever they are', () => {
  const noise = Buffer.concat([field(3, 'noise'), node.operator('RandomUniformLike')]);
  const refused = (...behind: Buffer[]) => {
    try {
      facts(...behind);
    } catch (error) {
      return (error as { details: readonly string[] }).details;
    }
    return [];
  };

  it.each<[string, Buffer]>([
    ['in the graph', model.graph(graph.node(noise))],
    ['in a branch of If', model.graph(graph.node(node.operator('If'), node.graph(graph.node(noise))))],
    ['in the bodies of a Scan', model.graph(graph.node(node.operator('Scan'), node.graphs(graph.node(noise))))],
    ['in a function of the model', model.function(field(1, 'F'), field(10, 'own'), field(7, noise))],
    ['with a seed', model.graph(graph.node(noise, field(5, [field(1, 'seed'), field(2, 0)])))],
  ])('%s', (_, behind) => {
    expect(refused(behind)).toEqual(['"ai.onnx:RandomUniformLike (noise)"']);
    expect(() => facts(behind)).toThrow(
      expect.objectContaining({ kind: 'configuration', hint: expect.stringContaining('seed') }),
    );
  });

  it.each(['RandomNormal', 'RandomUniform', 'RandomNormalLike', 'RandomUniformLike', 'Multinomial', 'Bernoulli'])(
    '%s',
    (name) => {
      expect(refused(model.graph(graph.node(node.operator(name))))).toEqual([`"ai.onnx:${name}"`]);
    },
  );

  it('a Dropout in training mode, and none that is known to drop nothing', () => {
    const bool = (name: string, value: number, ...more: Buffer[]) =>
      Buffer.concat([field(2, 9), field(8, name), field(9, Buffer.from([value])), ...more]);
    const dropout = (...inputs: string[]) =>
      graph.node(...inputs.map((input) => field(1, input)), node.operator('Dropout'), field(3, 'drop'));
    const constant = (value: number) => graph.node(field(2, 'mode'), node.operator('Constant'), node.tensor(bool('', value)));
    const drops = ['"ai.onnx:Dropout (drop)"'];
    expect(refused(model.graph(dropout('x', 'ratio', 'mode'), graph.initializer(bool('mode', 1))))).toEqual(drops);
    expect(refused(model.graph(constant(1), dropout('x', 'ratio', 'mode')))).toEqual(drops);
    // Computed in the graph: nobody knows before it runs.
    expect(refused(model.graph(dropout('x', '', 'mode')))).toEqual(drops);
    // The same name in another graph does not make it false.
    const other = graph.node(node.operator('If'), node.graph(graph.initializer(bool('mode', 0))));
    expect(refused(model.graph(dropout('x', '', 'mode'), graph.initializer(bool('mode', 1)), other))).toEqual(drops);
    expect(refused(model.graph(dropout('x'), dropout('x', 'ratio'), dropout('x', 'ratio', '')))).toEqual([]);
    expect(refused(model.graph(dropout('x', 'ratio', 'mode'), graph.initializer(bool('mode', 0))))).toEqual([]);
    expect(refused(model.graph(constant(0), dropout('x', 'ratio', 'mode')))).toEqual([]);
  });

  it('one of somebody’s own set, and what only training would run, are not', () => {
    const own = model.function(field(1, 'Bernoulli'), field(10, 'own'), field(7, node.operator('Add')));
    expect(refused(model.graph(graph.node(node.operator('Bernoulli', 'own'))), own)).toEqual([]);
    expect(refused(model.training(graph.node(noise)))).toEqual([]);
  });
});

describe('what is not a model', () => {
  it.each<[string, Buffer]>([
    ['ends inside a field', LINEAR.subarray(0, LINEAR.length - 1)],
    ['ends inside a field', Buffer.concat([LINEAR, varint(7 * 8 + 2), varint(2 ** 31)])],
    ['ends inside a field', Buffer.concat([LINEAR, varint(2 * 8 + 2), Buffer.alloc(9, 255)])],
    ['more than ten bytes', Buffer.concat([LINEAR, varint(8), Buffer.alloc(11, 255)])],
    ['without a valid number', Buffer.concat([LINEAR, Buffer.from([0, 0])])],
    // Cut to 32 bits it is the tag of a graph.
    ['without a valid number', Buffer.concat([LINEAR, varint(2 ** 32 + 7 * 8 + 2), varint(0)])],
    ['unsupported wire type', Buffer.concat([LINEAR, varint(7 * 8 + 3)])],
    ['in ORT format', Buffer.concat([Buffer.from('\x20\0\0\0ORTM', 'latin1'), LINEAR])],
    ['100 deep', Buffer.concat([LINEAR, nested(1000)])],
  ])('%s', (why, bytes) => {
    expect(() => checkedFacts({ file: 'model.onnx', digest: '', bytes })).toThrow(
      expect.objectContaining({ kind: 'configuration', details: [expect.stringContaining(why)] }),
    );
  });
});

/** Graphs within nodes within graphs. */
function nested(depth: number): Buffer {
  let inner = graph.node(node.operator('Identity'));
  for (let i = 0; i < depth; i += 1) inner = graph.node(node.operator('If'), node.graph(inner));
  return model.graph(inner);
}

it('a file that may not end, or is larger than a model can be, is not read', async () => {
  const folder = await temporaryFolder();
  const pipe = path.join(folder, 'pipe');
  await promisify(execFile)('mkfifo', [pipe]);
  for (const file of [pipe, '/dev/zero', folder]) {
    await expect(readModel(file)).rejects.toMatchObject({ kind: 'configuration', message: `${file} is not a file` });
  }
  const large = path.join(folder, 'large');
  await writeFile(large, '');
  // A hole: it takes no room.
  await truncate(large, 2 ** 31);
  await expect(readModel(large)).rejects.toMatchObject({
    kind: 'configuration',
    message: expect.stringContaining('2147483648 bytes'),
  });
});
