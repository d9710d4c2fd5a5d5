/** Files of the report that the job file names, each by a key of `report`; in the order in which they are put in place. */
export const REPORT_KINDS = ['csv', 'parquet', 'xlsx', 'page'] as const;
export type ReportKind = (typeof REPORT_KINDS)[number];

/** The path of each file that the job has, with `{window}` in it. */
export type ReportTemplates = Readonly<Partial<Record<ReportKind, string | undefined>>>;

/** Users that a sheet of a workbook can have: 2^20 rows, of which the first has the names of the columns. */
export const MOST_SHEET_USERS = 1_048_575;
