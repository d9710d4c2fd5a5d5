/**
 * How Parquet is written that is read twice and dropped: looking for dictionaries and compressing cost more than writing more
 * bytes does.
 */
export const PLAIN = 'COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 1';
