import { expect, it } from 'vitest';
import { templateProblem } from '../../src/domain/report-template.ts';

it.each([
  'reports/churn-{window}.csv',
  './reports/{window}/churn.csv',
  '/srv/reports/churn-{window}.csv',
  'reports/..{window}..csv',
  'größe {window}',
])('accepts %s', (template) => {
  expect(templateProblem(template)).toBeUndefined();
});

it.each([
  ['reports/churn.csv', 'must contain {window}, or every window would overwrite the same file'],
  ['../{window}.csv', 'must not contain ..; write the path without it'],
  ['reports/../{window}.csv', 'must not contain ..; write the path without it'],
  ['reports\\..\\{window}.csv', 'must not contain ..; write the path without it'],
  ['reports/{window}/..', 'must not contain ..; write the path without it'],
  ['reports/{window}/', 'must end with a file name'],
  ['reports/{window}/.', 'must end with a file name'],
  ['reports/\0{window}.csv', 'must not contain control characters'],
  ['reports/\n{window}.csv', 'must not contain control characters'],
  ['reports/{window}/nul.csv', 'must not contain nul.csv, which names a device on Windows'],
])('refuses %j', (template, problem) => {
  expect(templateProblem(template)).toBe(problem);
});
