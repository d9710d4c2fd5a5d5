select user_id, any_value(country) as country, any_value(plan) as plan,
  count(*) filter (kind = 0) as f0,
  count(*) filter (kind = 1) as f1,
  count(*) filter (kind = 2) as f2,
  count(*) filter (kind = 3) as f3,
  count(*) filter (kind = 4) as f4,
  count(*) filter (kind = 5) as f5,
  count(*) filter (kind = 6) as f6,
  count(*) filter (kind = 7) as f7,
  count(*) filter (kind = 8) as f8,
  count(*) filter (kind = 9) as f9,
  cast(sum(cents) filter (kind = 0) as double) / 100 as f10,
  cast(sum(cents) filter (kind = 1) as double) / 100 as f11,
  cast(sum(cents) filter (kind = 2) as double) / 100 as f12,
  cast(sum(cents) filter (kind = 3) as double) / 100 as f13,
  cast(sum(cents) filter (kind = 4) as double) / 100 as f14,
  cast(sum(cents) filter (kind = 5) as double) / 100 as f15,
  cast(sum(cents) filter (kind = 6) as double) / 100 as f16,
  cast(sum(cents) filter (kind = 7) as double) / 100 as f17,
  cast(sum(cents) filter (kind = 8) as double) / 100 as f18,
  cast(sum(cents) filter (kind = 9) as double) / 100 as f19
from events
where happened_on >= :window_start_date and happened_on < :window_end_date
group by user_id
