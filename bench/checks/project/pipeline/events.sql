-- ROWS rows; run.py writes the number in its place.
SELECT n AS id, 'r' || (hash(n) % 50) AS region,
       ['basic', 'plus', 'pro', 'team'][1 + hash(n + 1) % 4] AS plan,
       CASE WHEN hash(n + 2) % 1000 = 0 THEN NULL ELSE (18 + hash(n + 2) % 72)::INTEGER END AS age,
       (hash(n + 3) % 120)::INTEGER AS tenure, (hash(n + 4) % 400)::INTEGER AS visits,
       (hash(n + 5) % 90)::INTEGER AS clicks, (hash(n + 6) % 100000) / 100 AS spend,
       (hash(n + 7) % 2000000) / 1000000 - 1 AS score, (hash(n + 8) % 1000) / 1000 AS ratio,
       'u' || (hash(n + 9) % 5000000) || '@example.org' AS email,
       DATE '2024-01-01' + (hash(n + 10) % 700)::INTEGER AS day
FROM range(ROWS) AS t(n)
