-- New customers of the window (first order inside it), as known at the end of the window.
-- Orders on or after :window_end_date are excluded first: they were not known yet.
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
  :window_end_date - min(date) as days_since_first,
  :window_end_date - max(date) as days_since_last
from orders
where date < :window_end_date
group by customer_id
having min(date) >= :window_start_date
