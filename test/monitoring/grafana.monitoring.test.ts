import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { virtualEnvironment } from '../emulators/virtual-environment.ts';
import { repository } from '../support/project.ts';
import { DASHBOARD } from './deployed.ts';

const call = promisify(execFile);

/** Paths in a dashboard that the types of Grafana's own schema do not know or would change. */
async function lostIn(dashboard: string): Promise<string[]> {
  const python = await virtualEnvironment('grafana', import.meta.dirname);
  const running = call(python, [repository('test/monitoring/lost_in_schema.py')]);
  running.child.stdin?.end(dashboard);
  return JSON.parse((await running).stdout) as string[];
}

it("the dashboard has the form of Grafana's schema, to the last option of a panel", async () => {
  const dashboard = await readFile(DASHBOARD, 'utf8');
  expect(await lostIn(dashboard)).toEqual([]);
  // The types know what they do not know.
  const wrong = await lostIn(dashboard.replace('"fillOpacity"', '"opacity"').replace('"legendFormat"', '"legend"'));
  expect(wrong).toHaveLength(2);
});
