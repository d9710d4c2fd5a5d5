import { z } from 'zod';
import { templateProblem } from '../domain/report-template.ts';
import { columnList, share, tableName, text } from './fields.ts';

const reportPath = text.superRefine((path, context) => {
  const message = templateProblem(path);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

export const report = z.strictObject({
  table: tableName.optional().describe('report table: scores with ranks, for windows of the length in `every`'),
  summary_table: tableName.optional().describe('summary table: users, share and mean score per segment and band'),
  segments: columnList.default([]).describe('columns of sink.keep that the summary is broken down by'),
  drift_table: tableName.optional().describe('drift table: one row per window and feature; see gates.max_feature_psi'),
  holdout: share
    .optional()
    .describe('share of the users not to contact, chosen by a hash of the key; marked in the column holdout'),
  csv: reportPath
    .optional()
    .describe('path of the report file, such as reports/churn-{window}.csv, or its address: gs://bucket/… or s3://bucket/…'),
  csv_bom: z.boolean().default(false).describe('whether the CSV file begins with a byte order mark, which Excel needs'),
  parquet: reportPath.optional().describe('path or address of the report as Parquet, such as reports/churn-{window}.parquet'),
  xlsx: reportPath.optional().describe('path or address of the report as a workbook, such as reports/churn-{window}.xlsx'),
  page: reportPath
    .optional()
    .describe(
      'path or address of the report page, such as reports/churn-{window}.html; index.html beside it lists all windows',
    ),
  page_keys: z.boolean().default(false).describe('whether the page may show the keys of the riskiest users'),
  min_cell: z.int().min(1).default(10).describe('minimum users of a segment on the page; smaller ones are grouped'),
  nouns: z
    .strictObject({
      one: text.default('user').describe('word for one user: new customer'),
      many: text.default('users').describe('its plural: new customers'),
      outcome: text
        .default('leave')
        .describe('what the model predicts, as it reads after "expected to": stay away for 28 days'),
    })
    .prefault({})
    .describe('words that the page uses'),
});
