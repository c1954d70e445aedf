-- run.py writes the number of rows in place of ROWS.
SELECT n AS id, 'r' || (hash(n) % 50) AS region,
       ['basic', 'plus', 'pro', 'team'][CAST(1 + hash(n + 1) % 4 AS BIGINT)] AS plan,
       CASE WHEN hash(n + 2) % 1000 = 0 THEN NULL
            ELSE CAST(18 + hash(n + 2) % 72 AS INTEGER) END AS age,
       CAST(hash(n + 3) % 120 AS INTEGER) AS tenure, CAST(hash(n + 4) % 400 AS INTEGER) AS visits,
       CAST(hash(n + 5) % 90 AS INTEGER) AS clicks, hash(n + 6) % 100000 / 100 AS spend,
       hash(n + 7) % 2000000 / 1000000 - 1 AS score, hash(n + 8) % 1000 / 1000 AS ratio,
       'u' || (hash(n + 9) % 5000000) || '@example.org' AS email,
       CAST(DATE '2024-01-01' + CAST(hash(n + 10) % 700 AS INTEGER) AS DATE) AS day
FROM range(ROWS) AS t(n)
