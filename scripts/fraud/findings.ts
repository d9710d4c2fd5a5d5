/** What the demo shows about scores and labels. The table `scored` has the records of the stream. */

/**
 * Loads the records of the stream into the warehouse, and per payment, the version of the user's row that was used.
 *
 * @param file written by `score-batch stream --out`
 */
export function scoredStatements(file: string): string[] {
  return [
    `create table scored as
      select id, "key", "time", score, decision, features.*, attributes_version, "partition", "offset"
      from read_json('${file.replaceAll("'", "''")}', format = 'newline_delimited')`,
    `create view payments as
      select t.*, s.attributes_version
      from transactions t left join scored s on s."partition" = t.kafka_partition and s."offset" = t.kafka_offset`,
  ];
}

const money = (cents: string) => `printf('%,.2f', coalesce(sum(${cents}), 0) / 100.0)`;
/** Rows of `scored` with their payment and their label, found out later. */
const KNOWN = `scored s join (select distinct on (transaction_id) * from transactions) t on t.transaction_id = s.id
  left join labels l on l.transaction_id = s.id`;

export const DECISIONS = `
  select decision, printf('%,d', count(*)) as payments, count(l.kind) as "of them fraud", ${money('amount')} as euros
  from ${KNOWN} group by decision order by min(score)`;

/** For each kind of fraud: how many bursts got a decision other than approve, at which payment first, and the money saved. */
export const BURSTS = `
  with payments as (
    select l.kind, l.burst, t.amount, s.decision <> 'approve' as is_flagged, row_number() over (partition by l.burst order by "at", id) as number
    from ${KNOWN} where l.kind is not null
  ), bursts as (
    select kind, burst, count(*) as payments, min(case when is_flagged then number end) as first_flagged, sum(amount) as amount,
      sum(case when is_flagged then amount else 0 end) as flagged
    from payments group by kind, burst
  )
  select kind, count(*) as bursts, count(first_flagged) as "seen", sum(payments) as payments,
    coalesce(printf('%.1f', median(first_flagged)), '-') as "seen at payment", ${money('amount')} as euros, ${money('flagged')} as "of them flagged"
  from bursts group by kind order by kind desc`;

/** The payments of the first card testing burst with about a dozen. */
export const ONE_BURST = `
  select strftime(epoch_ms(t."at"), '%H:%M:%S.%g') as "at (UTC)", printf('%.2f', t.amount / 100.0) as euros, t.merchant,
    case when t.declined then 'yes' else '' end as declined, payments_5m, merchants_5m, declined_5m,
    printf('%.6f', score) as score, decision
  from ${KNOWN}
  where l.burst = (
    select burst from labels where kind = 'card testing' group by burst having count(*) between 10 and 14 order by burst limit 1
  )
  order by s."offset"`;

/** @param file written by `score-batch stream --dead-letter` */
export function deadLetters(file: string): string {
  return `select reason, coalesce(feature, detail, '') as of, count(*) as records
    from read_json('${file.replaceAll("'", "''")}', format = 'newline_delimited',
      columns = {reason: 'varchar', detail: 'varchar', feature: 'varchar'})
    group by all order by records desc, reason, of`;
}
