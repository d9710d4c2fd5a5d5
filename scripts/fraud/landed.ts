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
 * The table `transactions` as something that copies the topic into the warehouse leaves it: a row per record that is an event, late and
 * repeated ones included, with the place of the record.
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

/** The table `users`: the rows of each user who is known, by version; the newest is valid. */
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

/** What people found out later: a row per payment of a thief. */
export function labelsCsv(labels: ReadonlyMap<string, Label>): string {
  const lines = [...labels].map(([id, { kind, burst }]) => [id, kind, burst].join(','));
  return [Object.keys(LABEL_COLUMNS).join(','), ...lines, ''].join('\n');
}

/** Statements of DuckDB that make the tables from the files of a folder, `transactions.csv` and so on. */
export function landingStatements(folder: string): string[] {
  const tables = { transactions: TRANSACTION_COLUMNS, users: USER_COLUMNS, labels: LABEL_COLUMNS };
  return Object.entries(tables).map(([table, columns]) => {
    const file = `${folder}/${table}.csv`.replaceAll("'", "''");
    return `create table ${table} as from read_csv('${file}', header = true, columns = ${JSON.stringify(columns).replaceAll('"', "'")})`;
  });
}
