-- The share of late departures over the last seven days: each day reads six days before it.
SELECT d.day, d.origin, sum(w.late) / sum(w.departures) AS late_share
FROM daily d
JOIN daily w ON w.origin = d.origin AND w.day BETWEEN d.day - 6 AND d.day
WHERE d.day >= $from AND d.day < $to
GROUP BY ALL
