import { expect, it } from 'vitest';
import { templateProblem } from '../../src/domain/report-template.ts';

it.each([
  'reports/churn-{window}.csv',
  './reports/{window}/churn.csv',
  '/srv/reports/churn-{window}.csv',
  'reports/..{window}..csv',
  'größe {window}',
])('takes %s', (template) => {
  expect(templateProblem(template)).toBeUndefined();
});

it.each([
  ['reports/churn.csv', "must contain {window}, or one window's file would replace another's"],
  ['../{window}.csv', 'must not contain ..; write the path of the folder itself'],
  ['reports/../{window}.csv', 'must not contain ..; write the path of the folder itself'],
  ['reports\\..\\{window}.csv', 'must not contain ..; write the path of the folder itself'],
  ['reports/{window}/..', 'must not contain ..; write the path of the folder itself'],
  ['reports/{window}/', "must end with a file's name"],
  ['reports/{window}/.', "must end with a file's name"],
  ['reports/\0{window}.csv', 'must not contain control characters'],
  ['reports/\n{window}.csv', 'must not contain control characters'],
  ['reports/{window}/nul.csv', 'must not contain nul.csv, which names a device on Windows'],
])('refuses %j', (template, problem) => {
  expect(templateProblem(template)).toBe(problem);
});
