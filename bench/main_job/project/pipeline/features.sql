SELECT
  e.id, e.plan, e.channel, e.device, e.age, e.tenure, e.visits, e.clicks, e.spend,
  e.score_a, e.score_b, e.score_c, e.score_d, e.ratio, e.balance, e.calls, e.errors,
  e.clicks / (e.visits + 1.0) AS click_rate,
  e.spend / (e.tenure + 1.0) AS spend_per_month,
  r.population, r.wealth,
  e.bought
FROM events e
JOIN regions r ON r.region = e.region
