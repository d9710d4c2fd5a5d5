-- New customers since :window_start, with the orders of the week of their first order, as the model was trained.
-- A row of orders is a version of an order: the newest counts. Ages are those at the end of that week, so that the hour
-- at which a slice runs changes nothing for customers who did not change.
select
  customer_id,
  min(date) as first_order,
  case when sum(cds) <= 1 then '1 CD' when sum(cds) <= 3 then '2-3 CDs' else '4+ CDs' end as basket,
  count(*) as orders,
  cast(sum(cds) as bigint) as cds,
  cast(sum(amount) as double) as amount,
  cast(max(amount) as double) as largest_order,
  cast(sum(amount) as double) / nullif(sum(cds), 0) as price_per_cd,
  count(distinct date) as order_days,
  min(week_end) - min(date) as days_since_first,
  min(week_end) - max(date) as days_since_last
from (
  select
    customer_id, date, ordered_at, cds, amount,
    cast(date_trunc('week', min(date) over (partition by customer_id)) as date) + 7 as week_end
  from (
    select *, row_number() over (partition by order_id order by version desc, loaded_at desc) as place
    from orders
    where customer_id in (:changed_keys) -- those that changed; in a window of the batch all
  ) versions
  where place = 1 and not cancelled and ordered_at < :window_end
) valid
where date < week_end
group by customer_id
having min(ordered_at) >= :window_start
