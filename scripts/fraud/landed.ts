import type { Label } from './day.ts';
import type { Delivery } from './deliveries.ts';
import type { User } from './users.ts';

const TRANSACTION_COLUMNS = {
  transaction_id: 'varchar',
  user_id: 'varchar',
  at: 'bigint',
  amount: 'bigint',
  merchant: 'varchar',
  category: 'varchar',
  country: 'varchar',
  declined: 'boolean',
  kafka_partition: 'integer',
  kafka_offset: 'bigint',
  kafka_timestamp: 'bigint',
};

/**
 * The table `transactions` as a tool that copies the topic to the warehouse writes it: a row per record that is an event,
 * including late and repeated ones, with the record's position.
 */
export function transactionsCsv(deliveries: readonly Delivery[]): string {
  const lines = deliveries.flatMap(({ event, partition, offset, timestamp }) =>
    event === undefined ? [] : [[...Object.values(event), partition, offset, timestamp].join(',')],
  );
  return [Object.keys(TRANSACTION_COLUMNS).join(','), ...lines, ''].join('\n');
}

const USER_COLUMNS = {
  user_id: 'varchar',
  home_country: 'varchar',
  account_age_days: 'bigint',
  cards: 'bigint',
  usual_amount: 'bigint',
  version: 'bigint',
};

/** The table `users`: rows of each known user, by version; the newest is valid. */
export function usersCsv(users: readonly User[]): string {
  const lines = users
    .filter(({ isKnown }) => isKnown)
    .flatMap(({ id, homeCountry, movedFrom, accountAgeDays, cards, usualAmount }) => {
      const countries = movedFrom === undefined ? [homeCountry] : [movedFrom, homeCountry];
      return countries.map((country, i) => [id, country, accountAgeDays, cards, usualAmount, i + 1].join(','));
    });
  return [Object.keys(USER_COLUMNS).join(','), ...lines, ''].join('\n');
}

const LABEL_COLUMNS = { transaction_id: 'varchar', kind: 'varchar', burst: 'integer' };

/** What people found out later: a row per thief's payment. */
export function labelsCsv(labels: ReadonlyMap<string, Label>): string {
  const lines = [...labels].map(([id, { kind, burst }]) => [id, kind, burst].join(','));
  return [Object.keys(LABEL_COLUMNS).join(','), ...lines, ''].join('\n');
}

/** DuckDB statements that create the tables from the files of a folder, `transactions.csv` and so on. */
export function landingStatements(folder: string): string[] {
  const tables = { transactions: TRANSACTION_COLUMNS, users: USER_COLUMNS, labels: LABEL_COLUMNS };
  return Object.entries(tables).map(([table, columns]) => {
    const file = `${folder}/${table}.csv`.replaceAll("'", "''");
    return `create table ${table} as from read_csv('${file}', header = true, columns = ${JSON.stringify(columns).replaceAll('"', "'")})`;
  });
}
