import { expect, it } from 'vitest';
import { inferAt, read } from './v2-client.ts';
import { data, FLOWER, flower, mixed, post, ROW, refuses, refusingServer, SECRET } from './v2-refused.ts';

const server = refusingServer();

const FEATURES = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'].map((name, i) => ({
  name,
  datatype: 'FP32',
  shape: [1],
  data: [ROW[i]] as unknown[],
}));

const BAD_JSON: readonly [what: string, body: string, error: RegExp, hint?: RegExp][] = [
  ['not JSON', `${SECRET} {`, /^the body is not JSON$/],
  ['NaN', data(`[${SECRET},NaN,1,1]`), /^the body is not JSON$/, /^JSON has no NaN; send the tensor in binary$/],
  ['-Infinity', data(`[${SECRET},1,1,-Infinity]`), /^the body is not JSON$/, /^JSON has no Infinity/],
  ['a list', '[]', /^the body is not an object$/],
  ['null', 'null', /^the body is not an object$/],
  ['inputs are an object', '{"inputs":{}}', /^inputs is not a list$/],
  ['no inputs', '{}', /^inputs is not a list$/],
  ['inputs are empty', '{"inputs":[]}', /^the request has no inputs$/],
  ['an input is null', '{"inputs":[null]}', /^inputs\[0\] is not an object$/],
  ['an id that is a number', '{"id":1,"inputs":[]}', /^id is not a string$/],
  ['no name', flower({ name: undefined }), /^inputs\[0\] has no name$/],
  ['no data', flower({ data: undefined }), /^measurements has neither data nor binary_data_size$/],
  ['data is an object', flower({ data: { 0: SECRET } }), /^data of measurements is not a list$/],
  ['wrong name', flower({ name: 'measurement' }), /^the model has no input measurement$/, /^did you mean measurements\?$/],
  ['no shape', flower({ shape: undefined }), /^measurements has a shape that is not a list of sizes$/],
  ['negative shape', flower({ shape: [-1, 4] }), /shape that is not a list of sizes/],
  ['broken shape', flower({ shape: [0.5, 8] }), /shape that is not a list of sizes/],
  ['shape of texts', flower({ shape: ['1', '4'] }), /shape that is not a list of sizes/],
  ['shape beyond 2^53', flower({ shape: [2 ** 40, 2 ** 40] }), /shape that is not a list of sizes/],
  ['a shape of more than its data', flower({ shape: [500, 4] }), /^data of measurements has 4 elements; its shape is/],
  ['a shape of many dimensions', flower({ shape: new Array(100_000).fill(1) }), /^measurements has 100000 dimensions$/],
  ['too few data', flower({ shape: [2, 4] }), /^data of measurements has 4 elements; its shape is \[2, 4\]$/],
  ['width of another model', flower({ shape: [4] }), /^measurements has shape \[4\]$/, /^send \[rows, 4\]$/],
  ['three dimensions', flower({ shape: [1, 4, 1] }), /^measurements has shape \[1, 4, 1\]$/],
  ['a scalar', flower({ shape: [], data: [SECRET] }), /^the request has no rows$/],
  ['zero rows', flower({ shape: [0, 4], data: [] }), /^the request has no rows$/],
  [
    'nested another way',
    flower({ data: [[...ROW.slice(0, 2)], ROW.slice(2)] }),
    /^data of measurements is not 1 lists of 4 elements/,
  ],
  ['nested deeper', flower({ data: [ROW.map((value) => [value])] }), /^element 0 of measurements is a list/],
  ['nested after a number', flower({ data: [SECRET, [1], 1, 1] }), /^element 1 of measurements is a list/],
  [
    'unknown datatype',
    flower({ datatype: 'FLOAT' }),
    /^measurements has an unknown datatype FLOAT$/,
    /^choose from BOOL, .*, BYTES$/,
  ],
  ['no datatype', flower({ datatype: undefined }), /^measurements has no datatype$/],
  ['FP16', flower({ datatype: 'FP16' }), /^measurements has datatype FP16, which is not supported$/, /^send FP32$/],
  ['datatype of the prototype', flower({ datatype: 'constructor' }), /unknown datatype constructor/],
  [
    'texts for numbers',
    flower({ datatype: 'BYTES', data: ['a', 'b', 'c', 'd'] }),
    /^measurements has datatype BYTES$/,
    /^send FP32, FP64, INT\*, UINT\* or BOOL$/,
  ],
  ['a text among numbers', data(`[${SECRET},"1",1,1]`), /^element 1 of measurements is a string, not FP32$/],
  ['a boolean among numbers', data(`[${SECRET},true,1,1]`), /^element 1 of measurements is a boolean, not FP32$/],
  [
    'null',
    data(`[${SECRET},null,1,1]`),
    /^element 1 of measurements is null, which a tensor cannot hold$/,
    /v1\/models\/NAME\/predict/,
  ],
  ['1e400', data(`[${SECRET},1e400,1,1]`, 'FP64'), /^element 1 of measurements does not fit FP64$/],
  ['1e39 in FP32', data(`[${SECRET},1e39,1,1]`), /^element 1 of measurements does not fit FP32$/],
  ['an integer beyond its datatype', data('[1,256,1,1]', 'UINT8'), /^element 1 of measurements does not fit UINT8$/],
  ['a negative unsigned integer', data('[1,-1,1,1]', 'UINT64'), /^element 1 of measurements does not fit UINT64$/],
  ['a fraction in an integer', data(`[${SECRET},1,1,1]`, 'INT32'), /^element 0 of measurements does not fit INT32$/],
  ['an integer beyond 2^53 for a float', data('[1,9007199254740993,1,1]', 'INT64'), /does not fit INT64/, /binary/],
  ['the same tensor twice', JSON.stringify({ inputs: [FLOWER, FLOWER] }), /^measurements is sent twice$/],
  [
    'both forms at once',
    JSON.stringify({ inputs: [FLOWER, FEATURES[1]] }),
    /^sepal_width and measurements hold the same feature$/,
    /^send either/,
  ],
  [
    'both forms, the other way',
    JSON.stringify({ inputs: [FEATURES[3], FLOWER] }),
    /^measurements and petal_width hold the same feature$/,
  ],
  [
    'a feature is missing',
    JSON.stringify({ inputs: FEATURES.slice(1) }),
    /^sepal_length is missing$/,
    /^send a tensor sepal_length \[1\], or measurements \[1, 4\]$/,
  ],
  [
    'other numbers of rows',
    JSON.stringify({ inputs: [...FEATURES.slice(1), { ...FEATURES[0], shape: [2], data: [1, 2] }] }),
    /^sepal_length has 2 rows, sepal_width has 1$/,
  ],
  [
    'a feature with two elements a row',
    JSON.stringify({ inputs: [{ ...FEATURES[0], shape: [1, 2], data: [1, 2] }] }),
    /^sepal_length has shape \[1, 2\]$/,
    /^send \[rows\] or \[rows, 1\]$/,
  ],
  [
    'unknown output',
    JSON.stringify({ inputs: [FLOWER], outputs: [{ name: 'probability' }] }),
    /^the model has no output probability$/,
    /^did you mean probabilities\?$/,
  ],
  [
    'the same output twice',
    JSON.stringify({ inputs: [FLOWER], outputs: [{ name: 'label' }, { name: 'label' }] }),
    /^label is requested twice$/,
  ],
  ['an output without a name', JSON.stringify({ inputs: [FLOWER], outputs: [{}] }), /^outputs\[0\] has no name$/],
  ['outputs are a text', JSON.stringify({ inputs: [FLOWER], outputs: 'label' }), /^outputs is not a list$/],
  [
    'classification',
    JSON.stringify({ inputs: [FLOWER], outputs: [{ name: 'label', parameters: { classification: 2 } }] }),
    /^the parameter classification is not supported$/,
  ],
  ['shared memory', flower({ data: undefined, parameters: { shared_memory_region: 'x' } }), /^measurements has neither data/],
  [
    'binary_data is a number',
    JSON.stringify({ inputs: [FLOWER], outputs: [{ name: 'label', parameters: { binary_data: 1 } }] }),
    /^the parameter binary_data must be true or false$/,
  ],
  [
    'binary_data_output is a text',
    JSON.stringify({ inputs: [FLOWER], parameters: { binary_data_output: 'yes' } }),
    /^the parameter binary_data_output must be true or false$/,
  ],
  [
    'parameters are a list',
    JSON.stringify({ inputs: [FLOWER], parameters: [] }),
    /^parameters of the request is not an object$/,
  ],
  [
    'a negative timeout',
    JSON.stringify({ inputs: [FLOWER], parameters: { timeout: -1 } }),
    /^the parameter timeout is not a whole number/,
  ],
  [
    'a timeout in words',
    JSON.stringify({ inputs: [FLOWER], parameters: { timeout: '1s' } }),
    /^the parameter timeout is not a whole number/,
  ],
  [
    'binary_data_size without a binary part',
    flower({ data: undefined, parameters: { binary_data_size: 16 } }),
    /^binary_data_size of measurements is 16; the binary part has 0 bytes left$/,
  ],
  [
    'binary_data_size beside data',
    flower({ parameters: { binary_data_size: 0 } }),
    /^measurements has both data and binary_data_size$/,
  ],
  ['names of the prototype as keys', '{"__proto__":{"inputs":[]},"constructor":1}', /^inputs is not a list$/],
  ['__proto__ as a tensor', flower({ name: '__proto__' }), /^the model has no input __proto__$/],
  ['constructor as a tensor', flower({ name: 'constructor' }), /^the model has no input constructor$/],
  [
    '__proto__ as an output',
    JSON.stringify({ inputs: [FLOWER], outputs: [{ name: '__proto__' }] }),
    /^the model has no output __proto__$/,
  ],
  ['control characters in a name', flower({ name: 'a\u001b[31m\u2028b' }), /^the model has no input a\\u001b\[31m\\u2028b$/],
  ['a long name', flower({ name: 'x'.repeat(100_000) }), /^the model has no input x{80}…$/],
];

it.each(BAD_JSON)('refuses JSON: %s', async (_, body, error, hint) => {
  refuses(await post(server(), body), 400, error, hint);
});

const BAD_MIXED: readonly (readonly [what: string, body: string, error: RegExp])[] = [
  ['a number for a text', mixed('1', '1', 'true'), /^element 0 of plan is a number, not BYTES$/],
  ['half a character', mixed('"\\ud800"', '1', 'true'), /^element 0 of plan is not valid Unicode$/],
  ['a fraction for an integer', mixed('"pro"', '1.5', 'true'), /^element 0 of logins does not fit INT64$/],
  ['an integer beyond 2^53', mixed('"pro"', '9007199254740993', 'true'), /^element 0 of logins does not fit INT64$/],
  ['a float for an integer', mixed('"pro"', '1', 'true', 'FP64'), /^logins has datatype FP64$/],
  ['a number for a boolean', mixed('"pro"', '1', '1'), /^element 0 of active is a number, not BOOL$/],
  ['a text for a boolean', mixed('"pro"', '1', '"true"'), /^element 0 of active is a string, not BOOL$/],
];

it.each(BAD_MIXED)('refuses what texts, integers and booleans do not take: %s', async (_, body, error) => {
  refuses(await post(server(), body, { model: 'mixed' }), 400, error);
});

it('answers after all that', async () => {
  expect(read(await inferAt(server(), 'iris', [FLOWER])).outputs[0]?.data).toHaveLength(1);
  expect(Object.hasOwn(Object.prototype, 'inputs')).toBe(false);
});
