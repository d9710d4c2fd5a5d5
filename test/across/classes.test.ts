import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { allClasses, irisProject } from '../support/iris-project.ts';
import { repository } from '../support/project.ts';
import { scoreBatch } from '../support/score-batch.ts';
import { makeDataset, runBigquery, runSnowflake } from './shop.ts';
import { bigquery, ENVIRONMENT, missing, snowflake } from './week.ts';

// Label and probabilities through a chunk worker, whose files these warehouses read in their own way. Numbers are compared with those of
// Python's ONNX Runtime: 1e-6 between the runtimes, and half of the sixth decimal.
const TOLERANCE = 1.5e-6;

type Flower = Readonly<Record<string, string>>;

interface Garden {
  readonly url: string;
  rows(sql: string): Promise<Record<string, unknown>[]>;
  readonly flowers: string;
  readonly types: readonly [integer: string, float: string, text: string];
}

const GARDENS = {
  async bigquery(): Promise<Garden> {
    const address = bigquery;
    if (address === undefined) throw new Error('the emulator is not there');
    const project = `iris-${randomBytes(4).toString('hex')}`;
    await makeDataset(address, project, 'garden');
    const rows = (sql: string) => runBigquery(address, project, sql);
    return { url: `bigquery://${project}/garden`, rows, flowers: 'garden.flowers_in', types: ['int64', 'float64', 'string'] };
  },
  async snowflake(): Promise<Garden> {
    const address = snowflake;
    if (address === undefined) throw new Error('the emulator is not there');
    const database = `IRIS_${randomBytes(4).toString('hex')}`.toUpperCase();
    const rows = async (sql: string) =>
      (await runSnowflake(address, database, [sql])).map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name.toLowerCase(), value])),
      );
    const url = `snowflake://fakesnow/${database}/PUBLIC?warehouse=W`;
    return { url, rows, flowers: 'flowers_in', types: ['number(18, 0)', 'float', 'varchar'] };
  },
};

it.each(['bigquery', 'snowflake'] as const)(
  '%s: label and probabilities are those of Python, and the same again',
  async (kind) => {
    if (missing[kind]) return;
    const { url, rows, flowers, types } = await GARDENS[kind]();
    const [integer, float, text] = types;
    const measured = await records('flowers.csv');
    const names = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'];
    await rows(
      `create table ${flowers} (flower_id ${integer}, ${names.map((name) => `${name} ${float}`).join(', ')}, picked date, bed ${text})`,
    );
    // One flower too many, which is none: its petals are out of range.
    const values = [...measured, { ...measured[0], flower_id: '150', petal_width: '50' } as Flower].map(
      (row, i) => `(${row.flower_id}, ${names.map((name) => row[name]).join(', ')}, date '1997-03-1${i % 7}', 'north')`,
    );
    await rows(`insert into ${flowers} values ${values.join(', ')}`);
    const folder = await irisProject({
      edit: (job) =>
        allClasses(job)
          .replace('warehouse: duckdb:data/warehouse.duckdb', `warehouse: "${url}"`)
          .replace('from flowers where', `from ${flowers} where`),
    });
    const expected = new Map((await records('expected.csv')).map((row) => [row.flower_id, row]));
    const week = async () => {
      const { code, stderr } = await scoreBatch(folder, ['--week'], ENVIRONMENT);
      expect(code, stderr).toBe(0);
      return await rows('select flower_id, label, p_setosa, p_versicolor, p_virginica, probability from garden.flowers');
    };
    const published = await week();
    expect(published).toHaveLength(150);
    for (const row of published) {
      const wanted = expected.get(String(row.flower_id));
      expect(row.label).toBe(wanted?.label);
      for (const label of ['setosa', 'versicolor', 'virginica']) {
        expect(Math.abs(Number(row[`p_${label}`]) - Number(wanted?.[label]))).toBeLessThanOrEqual(TOLERANCE);
      }
      expect(row.probability).toEqual(row[`p_${row.label}`]);
    }
    const byId = (list: Record<string, unknown>[]) => list.toSorted((a, b) => Number(a.flower_id) - Number(b.flower_id));
    expect(byId(await week())).toEqual(byId(published));
  },
);

async function records(file: string): Promise<Flower[]> {
  return parse(await readFile(repository('test/fixtures/iris', file), 'utf8'), { columns: true }) as Flower[];
}
