-- What became of the new customers of the window: true for those who placed no order in the 28 days after it.
-- Only orders from :label_start_date (the end of the window) to before :label_end_date count.
select
  customer_id,
  count(case when date >= :label_start_date then 1 end) = 0 as outcome
from orders
where date < :label_end_date
group by customer_id
having min(date) >= :window_start_date and min(date) < :window_end_date
