import { mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LedgerEntry, RunState } from '../../src/domain/ledger.ts';
import { templateProblem } from '../../src/domain/report-template.ts';
import type { RunDetails } from '../../src/domain/run-details.ts';
import { recordedPath, refuseForeign, reportFiles } from '../../src/report/place.ts';
import { openStores } from '../../src/store/open.ts';
import { windowOf } from '../../src/window/window.ts';
import { temporaryFolder } from '../support/project.ts';

const stores = openStores({}, new AbortController().signal);
const ZONES = ['UTC', 'America/New_York', 'Asia/Tehran', 'Pacific/Apia', 'Australia/Lord_Howe', 'Asia/Kathmandu'];

it("is in its template's folder under the template's name, for any window and template", () => {
  const instants = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
  const windows = fc
    .tuple(instants, fc.oneof(fc.integer({ min: 1, max: 1e12 }), fc.constantFrom(3_600_000, 86_400_000, 604_800_000)))
    .chain(([start, length]) =>
      fc.tuple(fc.constantFrom(start, start - (start % 86_400_000)), fc.constant(length), fc.constantFrom(...ZONES)),
    )
    .map(([start, length, zone]) => windowOf(start, start + length, zone));
  const text = fc.string({ unit: fc.constantFrom(...'ab.{}~ -', 'ü', '\\', '/'), maxLength: 12 });
  const templates = fc.tuple(text, text).map(([before, after]) => `${before}{window}${after}`);
  fc.assert(
    fc.property(windows, templates, (window, template) => {
      fc.pre(templateProblem(template) === undefined);
      const [{ path: file = '' } = {}] = reportFiles({ csv: template }, window, '/project');
      expect(window.label).toMatch(/^[\w.+-]+$/);
      // Treats the label as a plain name: a label that leads elsewhere would give another folder.
      expect(file).toBe(path.resolve('/project', template.replaceAll('{window}', 'W')).replaceAll('W', window.label));
    }),
    { numRuns: 2000 },
  );
});

it('is recorded by a relative path, the same in every checkout, if it is inside the project', () => {
  expect(recordedPath('/project/reports/a.csv', '/project')).toBe('reports/a.csv');
  expect(recordedPath('/project/..a.csv', '/project')).toBe('..a.csv');
  expect(recordedPath('/project-2/a.csv', '/project')).toBe('/project-2/a.csv');
  expect(recordedPath('/srv/a.csv', '/project')).toBe('/srv/a.csv');
});

it('can be replaced if a publication recorded its path, on any machine', async () => {
  const root = await temporaryFolder();
  const file = path.join(root, 'reports', 'a.csv');
  const csv = { kind: 'csv', path: file } as const;
  const owner = (...entries: LedgerEntry[]) => ({ job: 'churn', root, entries, stores });
  const entry = (details: RunDetails, state: RunState = 'published') => ({ details, state }) as LedgerEntry;
  const refused = (...entries: LedgerEntry[]) => expect(refuseForeign(csv, owner(...entries))).rejects;
  // No file exists.
  await refuseForeign(csv, owner());
  await mkdir(path.dirname(file));
  await symlink('/nowhere', file);
  await refused().toMatchObject({ kind: 'configuration', message: `${file} already exists, and this job did not write it` });
  await refused(entry({ report: 'reports/b.csv' }), entry({ files: [] })).toMatchObject({ kind: 'configuration' });
  // A run that was refused, or whose process ended early, has written nothing.
  await refused(entry({ report: 'reports/a.csv' }, 'refused')).toMatchObject({ kind: 'configuration' });
  // As one text in ledgers of versions that wrote one file.
  await refuseForeign(csv, owner(entry({}), entry({ report: 'reports/a.csv' })));
  await refuseForeign(csv, owner(entry({ report: ['reports/b.csv', 'reports/a.csv'] })));
  // Like ledgers from before the publishing entry had the path.
  await refuseForeign(csv, owner(entry({ files: [file] }, 'completed')));
  // Writing the report fails with its own message if the folder cannot be created.
  await writeFile(path.join(root, 'file'), '');
  await refuseForeign({ kind: 'csv', path: path.join(root, 'file', 'a.csv') }, owner());
});
