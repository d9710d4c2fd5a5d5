import { afterAll, beforeAll, expect } from 'vitest';
import { type Serving, startServing } from '../../../src/serve/process/serving.ts';
import { repository } from '../../support/project.ts';
import { IRIS, settingsOf } from '../served.ts';
import { type Answer, ask, jsonOf } from './ask.ts';
import type { Input } from './v2-client.ts';

// Requests that are refused, and what every refusal owes.

/** Bytes of a body. */
export const LIMIT = 2 ** 20;

/** Values that occur in requests: no error may repeat them. */
export const SECRET = 7.31977;
export const SECRET_TEXT = 'Quetzalcoatl';
export const ROW = [SECRET, 3.5, 1.4, 0.2];
export const FLOWER: Input = { name: 'measurements', datatype: 'FP32', shape: [1, 4], data: ROW };

/** A server of low limits for the tests of a file. @returns where it listens, once a test runs */
export function refusingServer(): () => string {
  let serving: Serving;
  beforeAll(async () => {
    const folders = [IRIS, repository('test/fixtures/models/mixed')];
    serving = await startServing(settingsOf(folders, { limits: { body: LIMIT, text: 1000, rows: 500 } }));
  });
  afterAll(() => serving.close());
  return () => serving.addresses.http;
}

/** Sends a body to a model. */
export function post(
  http: string,
  body: string | Buffer,
  { headers = {}, model = 'iris' }: { readonly headers?: Record<string, string>; readonly model?: string } = {},
): Promise<Answer> {
  return ask(`${http}/v2/models/${model}/infer`, { body, headers });
}

/** Checks status and message, and that no value is repeated and nothing of the server is shown. */
export function refuses(answer: Answer, status: number, error: RegExp, hint?: RegExp): void {
  const text = answer.body.toString();
  expect(answer.status, text).toBe(status);
  const json = jsonOf(answer) as { error: string; hint?: string };
  expect(json.error).toMatch(error);
  if (hint !== undefined) expect(json.hint).toMatch(hint);
  expect(text).not.toContain(String(SECRET));
  expect(text).not.toContain(SECRET_TEXT);
  expect(text).not.toMatch(/node_modules|\bat .*\.ts|\/src\//);
  expect(text.length).toBeLessThan(2000);
}

/** The JSON of a request for one flower, with other keys of its tensor. */
export const flower = (changes: object) => JSON.stringify({ inputs: [{ ...FLOWER, ...changes }] });
/** With other text for its data. */
export const data = (text: string, datatype = 'FP32') =>
  `{"inputs":[{"name":"measurements","shape":[1,4],"datatype":"${datatype}","data":${text}}]}`;
/** One row of the model with a text, an integer and a boolean. */
export const mixed = (plan: string, logins: string, active: string, logins_type = 'INT64') => `{"inputs":[
  {"name":"plan","shape":[1],"datatype":"BYTES","data":[${plan}]},
  {"name":"logins","shape":[1],"datatype":"${logins_type}","data":[${logins}]},
  {"name":"active","shape":[1],"datatype":"BOOL","data":[${active}]}]}`;
