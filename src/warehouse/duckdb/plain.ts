/**
 * Options for Parquet files that are read twice and then dropped. Building dictionaries and compressing costs more than
 * writing more bytes.
 */
export const PLAIN = 'COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1';
