import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

import { repository, temporaryFolder } from '../support/project.ts';

const run = promisify(execFile);

// systemd's own check, which needs no running systemd; not on macOS, nor in small containers.
const ANALYZE = '/usr/bin/systemd-analyze';

const UNITS = [
  // Clocks go back in between.
  ['score-batch', /Mon 2026-10-26 10:00:00 UTC[\s\S]*Mon 2026-11-02 11:00:00 UTC/],
  ['score-batch-hourly', /Fri 2026-10-23 00:10:00 UTC[\s\S]*Fri 2026-10-23 01:10:00 UTC/],
] as const;

// A machine without systemd cannot check its units.
it.skipIf(!existsSync(ANALYZE)).each(UNITS)(
  'systemd finds nothing wrong with the units of %s, and starts them when it should',
  async (name, starts) => {
    const folder = await temporaryFolder();
    const unit = (end: string) => path.join(folder, `${name}@churn.${end}`);
    const read = (end: string) => readFile(repository('deploy', 'systemd', `${name}@.${end}`), 'utf8');
    const timer = await read('timer');
    const service = await read('service');
    expect(service).toContain('ExecStart=/usr/bin/node ');
    // It looks whether the program is there, and this machine's Node may be elsewhere.
    await writeFile(unit('service'), service.replaceAll('/usr/bin/node', process.execPath));
    await writeFile(unit('timer'), timer);
    // What it does not know is a word on stderr, and a success.
    expect(await run(ANALYZE, ['verify', unit('service'), unit('timer')])).toEqual({ stdout: '', stderr: '' });

    const [, calendar = ''] = /^OnCalendar=(.*)$/m.exec(timer) ?? [];
    const options = ['calendar', '--iterations=2', '--base-time=2026-10-23 00:00:00 UTC', calendar];
    const { stdout } = await run(ANALYZE, options, { env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' } });
    expect(stdout).toMatch(starts);
  },
);

// A machine without systemd cannot check its units.
it.skipIf(!existsSync(ANALYZE))('systemd finds nothing wrong with the unit of the stream', async () => {
  const folder = await temporaryFolder();
  const unit = path.join(folder, 'score-batch-stream@fraud.service');
  const service = await readFile(repository('deploy', 'systemd', 'score-batch-stream@.service'), 'utf8');
  expect(service).toContain('ExecStart=/usr/bin/node ');
  await writeFile(unit, service.replaceAll('/usr/bin/node', process.execPath));
  expect(await run(ANALYZE, ['verify', unit])).toEqual({ stdout: '', stderr: '' });
});
