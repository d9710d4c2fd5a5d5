// What an attempt has in its folder: rows as the query gave them, each with the ordinal by which its outcome is found.

/** Folder of Parquet files. */
export const ROWS = 'rows';
/** Column of a row's ordinal. */
export const ORDINAL = 'ordinal';
/** File of the outcomes. */
export const OUTCOMES = 'outcomes';
/** Folder of the keys that occur more than once, under the names of staged keys; not there where no key does. */
export const REPEATED = 'repeated';
/** Parquet file of the rows that are quarantined, with the columns of staging; not there where none is. */
export const REJECTED = 'rejected.parquet';

/** Column of the text of a rejected value that no number tells. @param feature position among all features */
export const textColumn = (feature: number): string => `text_${feature}`;
