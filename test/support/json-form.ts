import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { repository } from './project.ts';

const ajv = new Ajv2020({ strict: true, allErrors: true, strictTypes: false });
const validators = new Map<string, ValidateFunction>();

/**
 * The name in the `schema` of an object that a command has printed, once its published JSON Schema has accepted it.
 *
 * @throws Error if it does not
 */
export function jsonForm(printed: string): string {
  const data = JSON.parse(printed) as { schema?: unknown };
  const [, name = ''] = /^score-batch\/([a-z-]+)\/\d+$/.exec(String(data.schema)) ?? [];
  if (name === '') throw new Error(`this object does not name its schema: ${printed}`);
  const accepts =
    validators.get(name) ?? ajv.compile(JSON.parse(readFileSync(repository('schemas', `${name}.schema.json`), 'utf8')));
  validators.set(name, accepts);
  if (accepts(data)) return name;
  const problems = (accepts.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
  throw new Error(`schemas/${name}.schema.json does not accept what was printed:\n${problems.join('\n')}\n${printed}`);
}
