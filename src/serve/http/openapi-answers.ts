import type { Schema } from '../predict/schemas.ts';

export function reference(name: string): Schema {
  return { $ref: `#/components/schemas/${name}` };
}

export function jsonContent(schema: Schema, example?: unknown): Schema {
  return { 'application/json': { schema, ...(example !== undefined && { example }) } };
}

export function answer(description: string, schema: Schema): Schema {
  return { description, content: jsonContent(schema) };
}

const RETRY_AFTER = {
  'Retry-After': { description: 'seconds after which to try again', schema: { type: 'integer', minimum: 0 } },
};

/** Errors that any route may answer. */
const ANYWHERE: Readonly<Record<string, string>> = {
  401: 'a token is missing or wrong',
  403: 'the Host or Origin of the request is not allowed',
  500: 'the server failed',
};

const OF_MODELS: Readonly<Record<string, string>> = {
  ...ANYWHERE,
  404: 'there is no such model',
};

const OF_ROWS: Readonly<Record<string, string>> = {
  ...OF_MODELS,
  400: 'the request is invalid; the error says where',
  413: 'the body is too large, or has too many rows',
  429: 'too many rows are already waiting',
  503: 'the server is shutting down',
  504: 'the request waited too long',
};

const KINDS = { anywhere: ANYWHERE, models: OF_MODELS, rows: OF_ROWS } as const;

/** The error responses. */
export function failures(kind: keyof typeof KINDS): Schema {
  return Object.fromEntries(
    Object.entries(KINDS[kind]).map(([status, description]) => [
      status,
      { ...answer(description, reference('Error')), ...(status === '429' && { headers: RETRY_AFTER }) },
    ]),
  );
}

export const ERROR_SCHEMA: Schema = {
  type: 'object',
  properties: {
    error: { type: 'string' },
    hint: { type: 'string', description: 'what to do about it' },
    details: { type: 'array', items: { type: 'string' } },
  },
  required: ['error'],
  additionalProperties: false,
};
