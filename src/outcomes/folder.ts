// Names in the folder of an attempt: the query's rows, each with an ordinal that locates its outcome.

/** Folder of Parquet files with the rows. */
export const ROWS = 'rows';
/** Column with a row's ordinal. */
export const ORDINAL = 'ordinal';
/** File of the outcomes. */
export const OUTCOMES = 'outcomes';
/** Folder of Parquet files with the keys that occur more than once, as staged key columns; missing if there are none. */
export const REPEATED = 'repeated';
/** Parquet file of the quarantined rows, with the columns of staging; missing if there are none. */
export const REJECTED = 'rejected.parquet';

/** Column with the text of a rejected value that a number cannot represent. @param feature position among all features */
export const textColumn = (feature: number): string => `text_${feature}`;
