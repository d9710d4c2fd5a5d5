/** Report files that the job file names, each by a key of `report`; in the order in which they are put in place. */
export const REPORT_KINDS = ['csv', 'parquet', 'xlsx', 'page'] as const;
export type ReportKind = (typeof REPORT_KINDS)[number];

/** Path of each of the job's files, containing `{window}`. */
export type ReportTemplates = Readonly<Partial<Record<ReportKind, string | undefined>>>;

/** Most users in a worksheet: 2^20 rows, less the header row. */
export const MOST_SHEET_USERS = 1_048_575;
